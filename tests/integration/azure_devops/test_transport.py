from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecs_cd import __version__
from ecs_cd.azure_devops import AzureDevOps, AzureDevOpsSettings, connect
from ecs_cd.azure_devops import transport as transport_module
from ecs_cd.errors import (
    AccessDenied,
    BadCredentials,
    EcsCdError,
    ServiceUnavailable,
    Throttled,
    TryLater,
    UnexpectedAnswer,
    Unreachable,
)
from ecs_cd.model.run import Pipeline, RunRequest
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from tests.integration.azure_devops.conftest import JOB_TOKEN, MAIN, PAT
from tests.support.fakes import FakeClock

REQUEST = RunRequest(Pipeline(7, "infrastructure"), MAIN)
MAYBE_QUEUED = "may have been queued"


def failure(azure: AzureDevOps, *, queueing: bool = False) -> EcsCdError:
    with pytest.raises(EcsCdError) as raised:
        azure.queue(REQUEST) if queueing else azure.find("7")
    return raised.value


@contextmanager
def raw_server(*answers: bytes) -> Iterator[str]:
    """Answer one connection each with these bytes, then close it; gives the organization's URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/acme"
        thread.join(10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def test_says_who_asks_and_uses_one_connection(azure: AzureDevOps, server: Server) -> None:
    azure.find("7")
    azure.queue(REQUEST)
    for exchange in server.recorder.exchanges:
        assert f"ecs-cd/{__version__}" in exchange.request_headers["user-agent"]
        assert exchange.request_headers["x-tfs-fedauthredirect"] == "Suppress"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_is_sent_again_until_it_succeeds(
    azure: AzureDevOps, server: Server, clock: FakeClock, status: int
) -> None:
    server.faults.answer("GET", "Definitions", status=status, times=2)
    assert azure.find("7")
    assert len(server.recorder.exchanges) == 3
    assert len(clock.slept) == 2


@pytest.mark.parametrize(("status", "kind"), [(429, Throttled), (502, ServiceUnavailable), (503, ServiceUnavailable)])
def test_a_read_gives_up_before_long(
    azure: AzureDevOps, server: Server, clock: FakeClock, status: int, kind: type[EcsCdError]
) -> None:
    server.faults.answer("GET", "Definitions", status=status, times=9)
    assert type(failure(azure)) is kind
    assert len(server.recorder.exchanges) == 4
    assert sum(clock.slept) <= transport_module.MOST_WAIT


@pytest.mark.parametrize("status", [500, 501, 505])
def test_a_failure_that_does_not_pass_quickly_is_not_sent_again(
    azure: AzureDevOps, server: Server, status: int
) -> None:
    server.faults.answer("GET", "Definitions", status=status, body={"message": "TF246017: no database"}, times=9)
    error = failure(azure)
    assert isinstance(error, ServiceUnavailable)
    assert "TF246017" in error.details[0]
    assert len(server.recorder.exchanges) == 1


def test_a_deactivated_organization_is_not_an_outage(azure: AzureDevOps, server: Server) -> None:
    body = {"message": "TF24668: The following team project collection is stopped", "typeKey": "VssServiceException"}
    server.faults.answer("GET", "Definitions", status=503, body=body, times=9)
    error = failure(azure)
    assert isinstance(error, AccessDenied)
    assert "deactivated" in error.message
    assert len(server.recorder.exchanges) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_run_is_not_queued_twice_for_an_outage(azure: AzureDevOps, server: Server, status: int) -> None:
    server.faults.answer("POST", "runs", status=status, times=9)
    error = failure(azure, queueing=True)
    assert isinstance(error, ServiceUnavailable)
    assert MAYBE_QUEUED in error.hint
    assert len(server.recorder.exchanges) == 1


def test_a_throttled_run_is_queued_after_the_wait_that_was_asked_for(
    azure: AzureDevOps, server: Server, clock: FakeClock
) -> None:
    server.faults.throttle("POST", "runs", retry_after=7)
    assert azure.queue(REQUEST).id
    assert len(server.recorder.exchanges) == 2
    assert clock.slept == [7]


def test_a_long_wait_is_the_callers_to_decide(azure: AzureDevOps, server: Server, clock: FakeClock) -> None:
    server.faults.throttle("GET", "Definitions", retry_after=60)
    error = failure(azure)
    assert isinstance(error, Throttled)
    assert error.after == 60
    assert "1 min" in error.message
    early = failure(azure)
    assert isinstance(early, TryLater)
    assert early.after == 60
    assert len(server.recorder.exchanges) == 1
    clock.advance(60)
    assert azure.find("7")
    assert clock.slept == []


def test_slows_down_when_a_result_asks_for_it(azure: AzureDevOps, server: Server, clock: FakeClock) -> None:
    server.faults.slow_down("GET", "Definitions", retry_after=5)
    assert azure.find("7")
    assert clock.slept == []
    assert azure.find("7")
    assert clock.slept == [5]


def test_a_read_that_was_lost_is_sent_again(azure: AzureDevOps, server: Server) -> None:
    server.faults.reset("GET", "Definitions", times=2)
    assert azure.find("7")
    assert len(server.recorder.exchanges) == 3


def test_a_read_that_is_always_lost_is_unreachable(azure: AzureDevOps, server: Server) -> None:
    server.faults.reset("GET", "Definitions", times=9)
    error = failure(azure)
    assert isinstance(error, Unreachable)
    assert "looking for pipeline '7'" in error.message
    assert len(server.recorder.exchanges) == 4


def test_a_run_whose_answer_was_lost_is_not_queued_twice(azure: AzureDevOps, server: Server) -> None:
    server.faults.reset("POST", "runs", processed=True)
    error = failure(azure, queueing=True)
    assert isinstance(error, Unreachable)
    assert MAYBE_QUEUED in error.hint
    assert len(server.recorder.exchanges) == 1


def test_an_answer_cut_off_is_read_again(azure: AzureDevOps, server: Server) -> None:
    server.faults.truncate("GET", "Definitions", times=2)
    assert azure.find("7")
    assert len(server.recorder.exchanges) == 3


def test_an_answer_always_cut_off_is_unreachable(azure: AzureDevOps, server: Server) -> None:
    server.faults.truncate("GET", "Definitions", times=9)
    error = failure(azure)
    assert isinstance(error, Unreachable)
    assert "cut off" in error.message


def test_a_queued_run_whose_answer_was_cut_off_may_have_been_queued(azure: AzureDevOps, server: Server) -> None:
    server.faults.truncate("POST", "runs")
    error = failure(azure, queueing=True)
    assert isinstance(error, Unreachable)
    assert MAYBE_QUEUED in error.hint
    assert len(server.recorder.exchanges) == 1


@pytest.mark.parametrize(
    "headers",
    [b"Content-Length: 999\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n"],
)
def test_an_answer_that_ends_too_early_is_read_again(clock: FakeClock, headers: bytes) -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + headers + b'\r\n{"count":'
    with (
        raw_server(cut, cut, cut, cut) as url,
        connect(AzureDevOpsSettings(url, "platform", pat=PAT), clock) as azure,
    ):
        assert isinstance(failure(azure), Unreachable)
    assert len(clock.slept) == 3


def test_a_byte_order_mark_does_not_spoil_an_answer(clock: FakeClock) -> None:
    body = '\ufeff{"count":1,"value":[{"id":7,"name":"infrastructure","path":"\\\\"}]}'.encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        raw_server(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)) as url,
        connect(AzureDevOpsSettings(url, "platform", pat=PAT), clock) as azure,
    ):
        assert [found.id for found in azure.find("infrastructure")] == [7]


def test_an_answer_that_does_not_come_is_not_waited_for(
    azure: AzureDevOps, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "TIMEOUTS", (5, 0.05))
    server.faults.hold("POST", "runs")
    error = failure(azure, queueing=True)
    server.faults.clear()
    assert isinstance(error, Unreachable)
    assert MAYBE_QUEUED in error.hint


@pytest.mark.parametrize("queueing", [False, True])
def test_a_refused_connection_is_tried_again_for_it_did_nothing(clock: FakeClock, *, queueing: bool) -> None:
    settings = AzureDevOpsSettings(f"http://127.0.0.1:{free_port()}/acme", "platform", pat=PAT)
    with connect(settings, clock) as azure:
        error = failure(azure, queueing=queueing)
    assert isinstance(error, Unreachable)
    assert MAYBE_QUEUED not in error.hint
    assert len(clock.slept) == 3


def test_an_unknown_host_is_unreachable(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_more: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with connect(AzureDevOpsSettings("https://tfs.example.com/acme", "platform", pat=PAT), clock) as azure:
        error = failure(azure, queueing=True)
    assert isinstance(error, Unreachable)
    assert "tfs.example.com" in error.message
    assert "Name or service not known" in error.details[0]
    assert MAYBE_QUEUED not in error.hint


def test_a_server_without_tls_is_not_trusted(server: Server, clock: FakeClock) -> None:
    settings = AzureDevOpsSettings(server.url.replace("http:", "https:"), "platform", pat=PAT)
    with connect(settings, clock) as azure:
        error = failure(azure)
    assert isinstance(error, Unreachable)
    assert "TLS" in error.message
    assert clock.slept == []


def test_a_proxy_that_is_not_there_is_named_as_such(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:hunter22@127.0.0.1:{free_port()}")
    with connect(AzureDevOpsSettings("https://dev.azure.com/acme", "platform", pat=PAT), clock) as azure:
        error = failure(azure)
    assert isinstance(error, Unreachable)
    assert "proxy" in error.message
    assert "hunter22" not in f"{error} {error.details}"


@pytest.mark.parametrize(
    "location", ["https://spsprodweu1.vssps.visualstudio.com/_signin?realm=dev.azure.com", "/_signin"]
)
def test_a_redirect_to_the_sign_in_page_is_not_followed(azure: AzureDevOps, server: Server, location: str) -> None:
    server.faults.answer("GET", "Definitions", status=302, headers={"Location": location})
    error = failure(azure)
    assert isinstance(error, BadCredentials)
    assert "PAT" in error.message
    assert len(server.recorder.exchanges) == 1


def test_a_redirect_elsewhere_is_not_followed_either(azure: AzureDevOps, server: Server) -> None:
    server.faults.answer("GET", "Definitions", status=301, headers={"Location": "https://other.example/x?secret=1"})
    error = failure(azure)
    assert isinstance(error, UnexpectedAnswer)
    assert "https://other.example/x'" in error.message
    assert len(server.recorder.exchanges) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, BadCredentials),
        (203, BadCredentials),
        (302, BadCredentials),
        (400, BadCredentials),
        (401, BadCredentials),
        (403, BadCredentials),
        (404, UnexpectedAnswer),
        (429, Throttled),
        (500, ServiceUnavailable),
        (502, ServiceUnavailable),
    ],
)
def test_a_page_for_people_is_no_answer(
    azure: AzureDevOps, server: Server, status: int, kind: type[EcsCdError]
) -> None:
    page = "<!DOCTYPE html><html><title>Azure DevOps Services | Sign In</title></html>"
    server.faults.answer(
        "GET", "Definitions", status=status, body=page, headers={"Content-Type": "text/html; charset=utf-8"}, times=9
    )
    assert type(failure(azure)) is kind


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", ""])
def test_another_service_is_said_not_to_be_azure_devops(azure: AzureDevOps, server: Server, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    server.faults.answer("GET", "Definitions", status=200, body="hello", headers=headers)
    server.faults.answer("GET", "Definitions", status=404, body="no such page", headers=headers)
    for _ in range(2):
        error = failure(azure)
        assert isinstance(error, UnexpectedAnswer)
        assert "does not answer as Azure DevOps" in error.message


def test_a_bad_pat_is_said_to_be(server: Server, clock: FakeClock) -> None:
    with connect(AzureDevOpsSettings(server.url, "platform", pat="never-issued-0123456789"), clock) as azure:
        error = failure(azure)
    assert isinstance(error, BadCredentials)
    assert "the PAT" in error.message


def test_the_ids_that_support_asks_for_are_kept(azure: AzureDevOps, server: Server) -> None:
    headers = {"x-vss-e2eid": "6a1b2c3d-0000", "activityid": "not an id\t"}
    server.faults.answer("GET", "Definitions", status=500, headers=headers)
    assert failure(azure).details == ("For Microsoft's support: x-vss-e2eid 6a1b2c3d-0000",)


def test_a_login_in_a_netrc_file_does_not_replace_the_token(
    server: Server, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password wrong\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    with connect(AzureDevOpsSettings(server.url, "platform", token=JOB_TOKEN), clock) as azure:
        assert azure.find("7")


def test_an_interrupt_ends_a_wait_at_once(azure: AzureDevOps, server: Server, clock: FakeClock) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    server.faults.answer("GET", "Definitions", status=503, times=9)
    clock.sleep = interrupted  # type: ignore[method-assign]  # Ctrl-C while it sleeps
    with pytest.raises(KeyboardInterrupt):
        azure.find("7")
    assert len(server.recorder.exchanges) == 1


def test_threads_do_not_mix_up_their_pages(azure: AzureDevOps, server: Server) -> None:
    azure.find("7")
    clients = azure._made
    assert clients
    more = {"x-ms-continuationtoken": "more"}
    server.faults.answer("GET", "Definitions$", status=200, body={"count": 0, "value": []}, headers=more)
    clients.builds.get_definitions("platform")
    elsewhere: list[str] = []
    thread = threading.Thread(target=lambda: elsewhere.append(clients.transport.continuation_token))
    thread.start()
    thread.join(10)
    assert clients.transport.continuation_token == "more"
    assert elsewhere == [""]
