"""An adapter connected to the AWS of this machine, and a server that answers as the test says."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from ecs_cd.aws import Aws, AwsSettings, EcsServices, connect
from ecs_cd.aws.service_client import ServiceClient
from ecs_cd_sandbox.aws import Aws as Cloud

Connect = Callable[..., Aws]
Answering = Callable[[bytes], str]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Throw-away credentials, and nothing of the machine's own configuration."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASANDBOXSANDBOX12")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret-key")


@pytest.fixture
def connected(aws: Cloud) -> Iterator[Connect]:
    """Connect with one attempt per request, so that no test waits for a back-off."""
    opened: list[Aws] = []

    def open_one(settings: AwsSettings | None = None, *, attempts: int = 1) -> Aws:
        chosen = settings or AwsSettings(region=aws.region, endpoint_url=aws.url)
        opened.append(connect(chosen, attempts=attempts))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def shared(aws_server: Cloud) -> Iterator[Aws]:
    """One connection for many tests: building botocore's clients takes longer than what is asked of them."""
    one = connect(AwsSettings(region=aws_server.region, endpoint_url=aws_server.url), attempts=1)
    yield one
    one.close()


@pytest.fixture
def adapter(aws: Cloud, shared: Aws) -> Aws:
    """The shared connection to an empty cloud, whose task definitions it has not seen."""
    shared.services = EcsServices(ServiceClient(shared._ecs, shared._region))
    return shared


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Start a server that sends these bytes to every request and hangs up; nothing to send: the connection is reset."""
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(answer: bytes) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)
        threads.append(threading.Thread(target=_serve, args=(listening, answer), daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    for listening in sockets:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
    for thread in threads:
        thread.join()


def _serve(listening: socket.socket, answer: bytes) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with closing(connection):
                connection.recv(65536)
                if answer:
                    connection.sendall(answer)
                else:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def http(status: str, body: str, kind: str = "application/x-amz-json-1.1", *, promised: int | None = None) -> bytes:
    """Return an HTTP answer; `promised` is the length its header tells when it is not the true one."""
    content = body.encode()
    length = len(content) if promised is None else promised
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    return head.encode() + content
