"""Plain requests to Azure DevOps: the check must see what the service answers, not what an SDK makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from tools.real.facts import NotSettled

_TIMEOUT = 60
_API = "7.1"


@dataclass(frozen=True)
class Answer:
    """An answer of the REST API. `body` is empty where it is no JSON object, such as a page to sign in."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether it is a result."""
        return 200 <= self.status < 300 and self.status != 203  # noqa: PLR2004 - 203 is the page to sign in

    @property
    def error(self) -> str:
        """Return status, kind and text of an error."""
        return f"HTTP {self.status} {self.body.get('typeKey', '')}: {self.body.get('message', 'no JSON')}"


class AzureDevOps:
    """One project, with one token. Nothing is sent again, and no redirect is followed."""

    def __init__(self, organization: str, project: str, pat: str) -> None:
        self._organization = organization
        self._project = project
        self._session = requests.Session()
        self._session.auth = ("", pat)

    def ask(self, method: str, path: str, body: object = None, *, project: bool = True, **query: str) -> Answer:
        """Send a request below `_apis`.

        Raises:
            NotSettled: there was no answer.
        """
        where = f"{self._organization}/{self._project}" if project else self._organization
        try:
            answer = self._session.request(
                method,
                f"{where}/_apis/{path}",
                json=body,
                params={"api-version": _API, **query},
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise NotSettled(f"no answer to {method} {path} ({type(error).__name__})") from None
        try:
            parsed = answer.json() if answer.content else {}
        except ValueError:
            parsed = {}
        return Answer(answer.status_code, parsed if isinstance(parsed, dict) else {})

    def get(self, method: str, path: str, body: object = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - passed on
        """Return the body of an answer that must be a result.

        Raises:
            NotSettled: it is none.
        """
        answer = self.ask(method, path, body, **more)
        if not answer.ok:
            raise NotSettled(f"{method} {path}: {answer.error}")
        return answer.body

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
