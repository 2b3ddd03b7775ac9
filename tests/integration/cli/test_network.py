"""Broken connections and broken answers, at each cloud and at each moment."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ecs_cd_sandbox.aws.faults import ConnectionReset, ErrorAnswer, Fault, Truncated
from tests.support.called_commands import Cli
from tests.support.simulated_clouds import SECRETS, SimulatedClouds

DEPLOY = ("deploy", "my-api", "development", "--tag", "102")
FOREVER = 10_000
CLOSED = "http://127.0.0.1:9"
NO_SUCH_HOST = "https://nowhere.invalid"
AWS_FAULTS: dict[str, Fault] = {
    "reset": ConnectionReset(),
    "truncated": Truncated(),
    "5xx": ErrorAnswer("InternalServerError", "We are sorry.", 500),
}


class _Answering(BaseHTTPRequestHandler):
    """Answers everything with the server's status and body."""

    server: Any

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, kind, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def something_else(status: int, kind: str, body: bytes) -> Iterator[str]:
    """A web server that is neither of the clouds."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.answer = (status, kind, body)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


NOT_AZURE = {
    "a page": (200, "text/html", b"<!DOCTYPE html><html><body>Welcome! ##vso[task.complete]</body></html>"),
    "a page not found": (404, "text/html", b"<html>Not found</html>"),
    "not found": (404, "text/plain", b"404 page not found ##vso[x]y"),
    "other JSON": (200, "application/json", b'["##vso[x]y"]'),
    "no JSON": (200, "application/json", b"\x00\xff##vso[x]y"),
    "nothing": (200, "text/plain", b""),
    "a failure": (502, "text/html", b"<html>Bad gateway</html>"),
}


@pytest.mark.parametrize("answer", NOT_AZURE.values(), ids=NOT_AZURE)
def test_a_host_that_is_not_azure_devops_is_refused(
    cli: Cli, clouds: SimulatedClouds, answer: tuple[int, str, bytes]
) -> None:
    with something_else(*answer) as url:
        called = cli(*DEPLOY, "--organization", f"{url}/acme")
    called.refused(3 if answer in (NOT_AZURE["a failure"], NOT_AZURE["no JSON"]) else 1)  # cut off, for all we know
    assert clouds.writes() == []


@pytest.mark.parametrize("answer", NOT_AZURE.values(), ids=NOT_AZURE)
def test_a_host_that_is_not_aws_is_refused(
    cli: Cli, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, str, bytes]
) -> None:
    with something_else(*answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        called = cli("parameter", "get", "my-api", "development")
    called.refused(3 if answer[0] == 502 else 1)


def test_a_refused_connection_to_azure_devops(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli(*DEPLOY, "--organization", f"{CLOSED}/acme").refused(3, "127.0.0.1:9")
    assert "network" in called.advice
    assert clouds.writes() == []


def test_a_refused_connection_to_aws(cli: Cli, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", CLOSED)
    called = cli(*DEPLOY).refused(3, "127.0.0.1:9")
    assert "network" in called.advice
    assert clouds.writes() == []


def test_an_unknown_host_of_azure_devops(cli: Cli, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY")
    called = cli(*DEPLOY, "--organization", f"{NO_SUCH_HOST}/acme").refused(3, "nowhere.invalid")
    assert "network" in called.advice
    assert clouds.writes() == []


def test_an_unknown_host_of_aws(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("AWS_ENDPOINT_URL", NO_SUCH_HOST)
    cli("parameter", "get", "my-api", "development").refused(3, "nowhere.invalid")


@pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1"])
def test_an_aws_endpoint_that_is_no_url(cli: Cli, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    called = cli("parameter", "get", "my-api", "development")
    assert called.code in (2, 3)
    assert called.advice


def test_a_proxy_that_is_not_there(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli(*DEPLOY, "--organization", "https://dev.azure.com/acme").refused(3, "dev.azure.com")
    assert "HTTPS_PROXY" in called.advice
    assert clouds.writes() == []


@pytest.mark.parametrize("fault", AWS_FAULTS)
@pytest.mark.parametrize(("service", "operation"), [("ecr", None), ("ssm", "GetParameters")])
def test_aws_failing_before_the_write_changes_nothing(
    cli: Cli, clouds: SimulatedClouds, service: str, operation: str | None, fault: str
) -> None:
    clouds.aws.inject(service, operation, AWS_FAULTS[fault], times=FOREVER)
    cli(*DEPLOY).refused(3)
    assert clouds.writes() == []


@pytest.mark.parametrize("fault", [*AWS_FAULTS.values(), ConnectionReset(after=True)], ids=[*AWS_FAULTS, "reset after"])
def test_aws_failing_at_the_write_queues_nothing_and_is_taken_up_by_the_next_call(
    cli: Cli, clouds: SimulatedClouds, fault: Fault
) -> None:
    clouds.aws.inject("ssm", "PutParameter", fault)
    cli(*DEPLOY).refused(3)
    assert clouds.azure.recorder.find("POST", "/runs") == []
    assert cli(*DEPLOY).code == 0
    assert (clouds.value(), clouds.serves()) == ("102", "102")


@pytest.mark.parametrize("fault", AWS_FAULTS.values(), ids=AWS_FAULTS)
def test_a_short_failure_of_aws_does_not_end_the_wait_for_ecs(cli: Cli, clouds: SimulatedClouds, fault: Fault) -> None:
    clouds.aws.inject("ecs", "DescribeServices", fault, times=3)
    assert cli("verify", "my-api", "development", "--tag", "101").code == 0


AZURE_FAULTS = ("reset", "truncate", "500", "503", "429", "null")


def break_azure(clouds: SimulatedClouds, fault: str, method: str, path: str, times: int) -> None:
    faults = clouds.azure.faults
    if fault == "reset":
        faults.reset(method, path, times=times)
    elif fault == "truncate":
        faults.truncate(method, path, times=times)
    elif fault == "429":
        faults.throttle(method, path, retry_after=2, times=times)
    elif fault == "null":
        faults.answer(method, path, status=200, body="null", times=times)
    else:
        faults.answer(method, path, status=int(fault), body={"message": "We are sorry."}, times=times)


@pytest.mark.parametrize("fault", AZURE_FAULTS)
def test_azure_devops_failing_before_the_write_changes_nothing(cli: Cli, clouds: SimulatedClouds, fault: str) -> None:
    break_azure(clouds, fault, "GET", "definitions", FOREVER)
    cli(*DEPLOY).refused(1 if fault == "null" else 3)
    assert clouds.writes() == []


@pytest.mark.parametrize("fault", ["reset", "truncate", "500", "503", "null"])
def test_azure_devops_failing_at_the_queue_is_asked_again_only_after_a_look(
    cli: Cli, clouds: SimulatedClouds, fault: str
) -> None:
    """Nor is a run that was queued all the same taken for ours, where no preview shows that its inputs are."""
    break_azure(clouds, "403", "POST", "preview", FOREVER)
    break_azure(clouds, fault, "POST", "runs", FOREVER)
    called = cli(*DEPLOY)
    assert called.code in (1, 3)
    assert called.sentence
    asked = [e.method for e in clouds.azure.recorder.exchanges if re.search("Builds$|runs$", e.path)]
    assert asked.count("POST") == (1 if fault == "null" else 3)
    assert all(before == "GET" for before, method in itertools.pairwise(asked) if method == "POST")
    assert asked[0] == "GET"
    assert clouds.value() == "102"
    if fault != "null":
        assert "may have been queued" in called.advice


@pytest.mark.parametrize("fault", AZURE_FAULTS[:-1])
@pytest.mark.parametrize("path", ["builds/1$", "timeline"])
def test_a_short_failure_of_azure_devops_does_not_end_the_wait_for_a_run(
    cli: Cli, clouds: SimulatedClouds, fault: str, path: str
) -> None:
    break_azure(clouds, fault, "GET", path, 3)
    assert cli(*DEPLOY).code == 0
    assert clouds.serves() == "102"


def lose_the_answer(clouds: SimulatedClouds, fault: str) -> None:
    if fault == "reset":
        clouds.azure.faults.reset("POST", "runs", processed=True)
    else:
        clouds.azure.faults.truncate("POST", "runs")


@pytest.mark.parametrize("fault", ["reset", "truncate"])
def test_a_run_that_was_queued_though_the_answer_was_lost_is_found_though_it_shows_a_default(
    cli: Cli, clouds: SimulatedClouds, fault: str
) -> None:
    with clouds.azure.agents_offline():
        lose_the_answer(clouds, fault)
        called = cli(*DEPLOY, "--timeout", "20s")
    assert "joined" in called.err
    assert clouds.azure.wait(1) == "succeeded"
    assert cli(*DEPLOY).code == 0
    assert len(clouds.azure.recorder.find("POST", "runs$")) == 1


@pytest.mark.parametrize("fault", ["reset", "truncate"])
def test_of_a_run_that_was_queued_though_the_answer_was_lost_and_another_one_only_the_first_stays(
    cli: Cli, clouds: SimulatedClouds, fault: str
) -> None:
    """Without a preview it is not known beforehand that the inputs are the same."""
    break_azure(clouds, "403", "POST", "preview", FOREVER)
    with clouds.azure.agents_offline():
        lose_the_answer(clouds, fault)
        called = cli(*DEPLOY, "--timeout", "20s")
        assert clouds.azure.wait(2) == "canceled"
    assert "queued at the same moment, carries the tag as well" in called.err
    assert clouds.azure.wait(1) == "succeeded"
    assert cli(*DEPLOY).code == 0
    assert len(clouds.azure.recorder.find("POST", "/runs$")) == 2


def test_throttling_at_the_queue_is_waited_for(cli: Cli, clouds: SimulatedClouds) -> None:
    break_azure(clouds, "429", "POST", "runs", 1)
    assert cli(*DEPLOY).code == 0
    assert clouds.serves() == "102"


def test_a_secret_that_azure_devops_echoes_is_not_shown(cli: Cli, clouds: SimulatedClouds) -> None:
    body = {"message": f"You sent {' '.join(SECRETS)}", "typeKey": "X"}
    clouds.azure.faults.answer("GET", "definitions", status=400, body=body)
    assert "You sent" in cli(*DEPLOY).refused(1).out


def test_a_secret_that_aws_echoes_is_not_shown(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.aws.inject("ssm", None, ErrorAnswer("ValidationException", f"You sent {' '.join(SECRETS)}"), times=9)
    assert "You sent" in cli("parameter", "get", "my-api", "development").err
