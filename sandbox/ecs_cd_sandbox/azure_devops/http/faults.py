"""Trouble on demand: a test says which of the next requests meet which fault."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Response

Proceed = Callable[[], Response]
"""Processes the request as if there were no fault, and returns its answer."""

Effect = Callable[[Proceed], Response]


class Reset(ConnectionError):
    """The connection is dropped without an answer."""


@dataclass
class Held:
    """A request being held: `arrived` is set once it is there, set `release` to let it go on."""

    arrived: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Fault:
    method: str
    path: re.Pattern[str]
    remaining: int
    effect: Effect


class Faults:
    """The faults to come. Each meets the next `times` requests of a method (`*`: any) whose path matches a regex.

    The oldest fault that fits is used up first. `processed` says whether the server acts on the request before the
    fault shows: with it, the client does not learn of something that did happen.
    """

    def __init__(self) -> None:
        """Start without any."""
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._closed = threading.Event()
        self._held: list[Held] = []

    def answer(
        self,
        method: str,
        path: str,
        *,
        status: int,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        processed: bool = False,
    ) -> None:
        """Answer with this status, these headers and this body (text as it is, anything else as JSON)."""

        def effect(proceed: Proceed) -> Response:
            if processed:
                proceed()
            response = Response("" if body is None else body if isinstance(body, str) else json.dumps(body), status)
            response.content_type = "application/json; charset=utf-8"
            response.headers.update(headers or {})
            return response

        self._add(method, path, times, effect)

    def throttle(self, method: str, path: str, *, retry_after: int = 1, times: int = 1) -> None:
        """Answer 429 as the service does when a budget is used up, with `Retry-After` in seconds."""
        headers = {**_rate_headers(retry_after), "X-RateLimit-Remaining": "0"}
        message = (
            "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource "
            "'Concurrency' in namespace 'User'."
        )
        body = {
            "$id": "1",
            "innerException": None,
            "message": message,
            "typeName": "Microsoft.TeamFoundation.Framework.Server.RequestBlockedException, "
            "Microsoft.TeamFoundation.Framework.Server",
            "typeKey": "RequestBlockedException",
            "errorCode": 0,
            "eventId": 3000,
        }
        self.answer(method, path, status=429, body=body, headers=headers, times=times)

    def slow_down(self, method: str, path: str, *, retry_after: int = 1, times: int = 1) -> None:
        """Answer as usual, with the headers that ask the client to slow down."""

        def effect(proceed: Proceed) -> Response:
            response = proceed()
            response.headers.update(_rate_headers(retry_after))
            return response

        self._add(method, path, times, effect)

    def reset(self, method: str, path: str, *, times: int = 1, processed: bool = False) -> None:
        """Drop the connection without an answer."""

        def effect(proceed: Proceed) -> Response:
            if processed:
                proceed()
            raise Reset("dropped on demand")

        self._add(method, path, times, effect)

    def truncate(self, method: str, path: str, *, times: int = 1) -> None:
        """Send only the first half of the answer's body."""

        def effect(proceed: Proceed) -> Response:
            response = proceed()
            data = response.get_data()
            response.set_data(data[: len(data) // 2])
            return response

        self._add(method, path, times, effect)

    def delay(self, method: str, path: str, *, seconds: float, times: int = 1) -> None:
        """Process the request, but answer later."""

        def effect(proceed: Proceed) -> Response:
            response = proceed()
            self._closed.wait(seconds)
            return response

        self._add(method, path, times, effect)

    def hold(self, method: str, path: str, *, processed: bool = False) -> Held:
        """Hold the next such request until told, before (or with `processed` after) the server acts on it."""
        held = Held()

        def effect(proceed: Proceed) -> Response:
            response = proceed() if processed else None
            held.arrived.set()
            held.release.wait()
            return response or proceed()

        with self._lock:
            self._held.append(held)
        self._add(method, path, 1, effect)
        return held

    def clear(self) -> None:
        """Forget all faults to come, and let held requests go."""
        with self._lock:
            self._faults.clear()
            held, self._held = self._held, []
        for request in held:
            request.release.set()

    def close(self) -> None:
        """End every wait."""
        self._closed.set()
        self.clear()

    def apply(self, method: str, path: str, proceed: Proceed) -> Response:
        """Process a request under the fault that fits it, if any."""
        fault = self._take(method, path)
        return fault.effect(proceed) if fault else proceed()

    def _add(self, method: str, path: str, times: int, effect: Effect) -> None:
        with self._lock:
            self._faults.append(_Fault(method.upper(), re.compile(path, re.IGNORECASE), times, effect))

    def _take(self, method: str, path: str) -> _Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.remaining and fault.method in {"*", method} and fault.path.search(path):
                    fault.remaining -= 1
                    return fault
        return None


def _rate_headers(retry_after: int) -> dict[str, str]:
    return {
        "Retry-After": str(retry_after),
        "X-RateLimit-Resource": "Concurrency",
        "X-RateLimit-Delay": str(retry_after),
        "X-RateLimit-Limit": "200",
        "X-RateLimit-Remaining": "10",
        "X-RateLimit-Reset": "1767225600",
    }
