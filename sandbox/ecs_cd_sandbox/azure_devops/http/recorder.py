"""What was asked and answered, so that tests can count requests and check them against the official documents."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Request, Response


_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. Bodies are parsed JSON, or None where there is none.

    `status` is None when the connection was dropped without an answer. Header names are lower case; the request's
    hold no credentials.
    """

    method: str
    path: str
    query: Mapping[str, str]
    request_headers: Mapping[str, str]
    request_json: Any
    status: int | None
    response_headers: Mapping[str, str]
    response_json: Any


class Recorder:
    """The exchanges so far, in the order they were answered."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []

    @property
    def exchanges(self) -> list[Exchange]:
        """Everything recorded since the start or the last `clear`."""
        with self._lock:
            return list(self._exchanges)

    def find(self, method: str = "*", path: str = "") -> list[Exchange]:
        """Return the exchanges of a method (`*`: any) whose path a regex is found in; letter case does not matter."""
        pattern = re.compile(path, re.IGNORECASE)
        return [
            exchange
            for exchange in self.exchanges
            if method.upper() in {"*", exchange.method} and pattern.search(exchange.path)
        ]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._exchanges.clear()

    def record(self, request: Request, response: Response | None) -> None:
        """Add an exchange; no response stands for a dropped connection."""
        headers = {} if response is None else {name.lower(): value for name, value in response.headers.items()}
        exchange = Exchange(
            method=request.method,
            path=request.path,
            query=request.args.to_dict(),
            request_headers={
                name.lower(): value for name, value in request.headers.items() if name.lower() not in _SECRET_HEADERS
            },
            request_json=_parsed(request.get_data()),
            status=response.status_code if response is not None else None,
            response_headers=headers,
            response_json=_parsed(response.get_data())
            if response is not None and headers.get("content-type", "").startswith("application/json")
            else None,
        )
        with self._lock:
            self._exchanges.append(exchange)


def _parsed(data: bytes) -> Any:  # noqa: ANN401 - it is whatever JSON says
    try:
        return json.loads(data)
    except ValueError:
        return None
