"""Choosing what the cloud does from another process: `POST /_sandbox/COMMAND` with a JSON object beside AWS's API.

No client of AWS asks for such a path: S3's bucket names have no underscore.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from ecs_cd_sandbox.aws.faults import Application, Environ, StartResponse

PREFIX = "/_sandbox/"
_MOST_BYTES = 1_000_000
_STATUS = {200: "OK", 400: "Bad Request", 404: "Not Found"}

Command = Callable[..., str]
"""Takes the object's members by name, returns a sentence; raises `ValueError` or `TypeError` for what it refuses."""


class Control:
    """WSGI middleware that carries out `commands` and leaves every other request to `application`."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.commands: dict[str, Command] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith(PREFIX):
            return self._application(environ, start_response)
        status, text = self._carry_out(path.removeprefix(PREFIX), environ)
        content = json.dumps({"answer" if status == 200 else "error": text}).encode()  # noqa: PLR2004 - HTTP's OK
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        start_response(f"{status} {_STATUS[status]}", headers)
        return [content]

    def _carry_out(self, name: str, environ: Environ) -> tuple[int, str]:
        command = self.commands.get(name)
        if command is None or environ["REQUEST_METHOD"] != "POST":
            return 404, f"this sandbox has no command {name!r}"
        # A web page in somebody's browser cannot send this type to another origin without being asked first.
        if environ.get("CONTENT_TYPE") != "application/json":
            return 400, "the command must be JSON"
        length = min(int(environ.get("CONTENT_LENGTH") or 0), _MOST_BYTES)
        try:
            given: Any = json.loads(environ["wsgi.input"].read(length))
            return 200, command(**given)
        except (ValueError, TypeError) as error:
            return 400, str(error)
