"""What stands in front of moto: it records every request and can make one go wrong.

moto itself is not thread safe, and AWS's calls are atomic: every request therefore runs alone, under one lock.
`If-None-Match` on Terraform's lock file and the versions of an SSM parameter are right only because of that.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([\w-]+)/([\w-]+)/aws4_request")
_STATUS_TEXT = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 412: "Precondition Failed"}


@dataclass(frozen=True)
class AwsRequest:
    """One request as the server saw it.

    `service` is the signing name (`ssm`), `operation` AWS's own (`GetParameter`); for S3 the nearest of S3's operation
    names. `parameters` is the JSON body, the form, or for S3 the query string with `Bucket` and `Key`.
    """

    service: str
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    region: str = ""


@dataclass(frozen=True)
class ErrorAnswer:
    """The service answers an error, for example `ErrorAnswer("ThrottlingException")`; moto does not see the request."""

    code: str
    message: str = "The sandbox injected this error."
    status: int = 400


@dataclass(frozen=True)
class ConnectionReset:
    """The connection is reset; with `after` the service has done the work and only its answer is lost."""

    after: bool = False


@dataclass(frozen=True)
class Truncated:
    """The service does the work; half of its answer's body arrives, then the connection ends."""


@dataclass(frozen=True)
class Delay:
    """The answer is `seconds` late."""

    seconds: float


Fault = ErrorAnswer | ConnectionReset | Truncated | Delay


@dataclass
class _Planned:
    service: str
    operation: str | None
    fault: Fault
    times: int


class Recorder:
    """WSGI middleware around moto: `requests` is what arrived, `inject` decides what goes wrong next.

    `sleep` is how a `Delay` passes time (seconds).
    """

    def __init__(
        self, application: Application, lock: threading.RLock, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._application = application
        self._lock = lock
        self._sleep = sleep
        self._planned: list[_Planned] = []
        # A sandbox may run for days; the newest ten thousand are plenty for any count.
        self._requests: deque[AwsRequest] = deque(maxlen=10_000)

    @property
    def requests(self) -> tuple[AwsRequest, ...]:
        """Every request since the last `clear`, oldest first."""
        with self._lock:
            return tuple(self._requests)

    def inject(self, service: str, operation: str | None, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` requests to `service` and `operation` (None: any) meet `fault`, oldest first."""
        if times < 1:
            raise ValueError(f"times must be at least 1, not {times!r}")
        with self._lock:
            self._planned.append(_Planned(service, operation, fault, times))

    def clear(self) -> None:
        """Forget the recorded requests and the planned faults."""
        with self._lock:
            self._planned.clear()
            self._requests.clear()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = _read_body(environ)
        request = describe_request(environ, body)
        with self._lock:
            self._requests.append(request)
            fault = self._take_fault(request)
        if isinstance(fault, Delay):
            self._sleep(fault.seconds)
        if isinstance(fault, ErrorAnswer):
            return _answer_error(request, fault, start_response)
        if isinstance(fault, ConnectionReset) and not fault.after:
            _reset(environ)
        with self._lock:
            status, headers, content = _run(self._application, environ)
        if isinstance(fault, ConnectionReset):
            _reset(environ)
        start_response(status, headers)
        return _first_half(environ, content) if isinstance(fault, Truncated) else [content]

    def _take_fault(self, request: AwsRequest) -> Fault | None:
        for planned in self._planned:
            if planned.service == request.service and planned.operation in (None, request.operation):
                planned.times -= 1
                if planned.times == 0:
                    self._planned.remove(planned)
                return planned.fault
        return None


def describe_request(environ: Environ, body: bytes) -> AwsRequest:
    """Tell service, operation and parameters from a request in any of AWS's wire formats that the sandbox meets."""
    scope = _CREDENTIAL_SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    region, service = scope.groups() if scope else ("", "")
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        parameters = json.loads(body) if body else {}
        return AwsRequest(service, target.rpartition(".")[2], parameters, region)
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form: dict[str, Any] = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        # AssumeRoleWithWebIdentity is not signed, so nothing else names the service.
        return AwsRequest(service or "sts", form.pop("Action", ""), form, region)
    return _describe_s3(environ, service or "s3", region)


def _describe_s3(environ: Environ, service: str, region: str) -> AwsRequest:
    bucket, _, key = environ.get("PATH_INFO", "/").lstrip("/").partition("/")
    parameters: dict[str, Any] = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    method = environ["REQUEST_METHOD"]
    if method == "GET" and not key:
        operation = "ListObjectsV2" if bucket else "ListBuckets"
    else:
        verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete", "HEAD": "Head", "POST": "Post"}.get(method, method)
        operation = f"{verb}Object" if key else f"{'Create' if verb == 'Put' else verb}Bucket"
    return AwsRequest(service, operation, {**parameters, "Bucket": bucket, "Key": key}, region)


def _read_body(environ: Environ) -> bytes:
    """Read the whole request before the lock is taken: a slow client must not hold up the others."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if length:
        body: bytes = stream.read(int(length))
    else:
        body = stream.read() if environ.get("wsgi.input_terminated") else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _run(application: Application, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
    """Run to the end, so that nothing of moto is read outside the lock; the answer always has its length."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        started.append((status, headers))
        return bytes  # WSGI's `write`, which nothing here uses

    answer = application(environ, start_response)
    content = b"".join(answer)
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    status, headers = started[-1]
    if not any(name.lower() == "content-length" for name, _ in headers):
        headers.append(("Content-Length", str(len(content))))
    return status, headers, content


def _answer_error(request: AwsRequest, fault: ErrorAnswer, start_response: StartResponse) -> Iterable[bytes]:
    code, message = escape(fault.code), escape(fault.message)
    if request.service == "s3":
        body, kind = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", "application/xml"
    elif request.service in ("sts", "iam"):
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body, kind = f"<ErrorResponse>{error}</ErrorResponse>", "text/xml"
    elif request.service == "ec2":
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        body, kind = f"<Response><Errors>{error}</Errors></Response>", "text/xml"
    else:
        body = json.dumps({"__type": fault.code, "message": fault.message})
        kind = "application/x-amz-json-1.1"
    content = body.encode()
    status = f"{fault.status} {_STATUS_TEXT.get(fault.status, 'Error')}"
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(content)))])
    return [content]


def _reset(environ: Environ) -> None:
    """End the connection with a TCP reset: no lingering, then close."""
    connection: socket.socket = environ["werkzeug.socket"]
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise ConnectionResetError("the sandbox reset this connection on purpose")


def _first_half(environ: Environ, whole: bytes) -> Iterator[bytes]:
    yield whole[: len(whole) // 2]
    connection: socket.socket = environ["werkzeug.socket"]
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("the sandbox truncated this answer on purpose")
