"""What the other side said when it did not give what was asked for: the facts of one HTTP answer, as a value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

_MOST_SAID = 2000
_SUPPORT = ("x-vss-e2eid", "activityid")
_SIGN_IN = re.compile(r"/_?signin|/login", re.IGNORECASE)
_SUPPORT_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True)
class Refusal:
    """An answer that is not a result.

    `type_key` and `said` come from Azure DevOps's error body, where there is one. `html`: it is a page for people, or
    the way to the one where they sign in. `redirect` is the URL it pointed to.
    `support` are the ids that Microsoft's support asks for. `after`: seconds asked for before the next request.
    """

    status: int
    type_key: str = ""
    said: str = ""
    html: bool = False
    redirect: str = ""
    support: tuple[str, ...] = ()
    after: float = 0.0

    @property
    def details(self) -> tuple[str, ...]:
        """Return the lines of evidence for a person."""
        said = [f"Azure DevOps said: {line}" for line in self.said.splitlines() if line.strip()]
        return (*said, *(f"For Microsoft's support: {line}" for line in self.support))


class Refused(Exception):
    """The service answered, and not with a result. Never leaves this package: `failures.explain` turns it into ours."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the facts."""
        super().__init__(refusal.status)
        self.refusal = refusal


class Lost(Exception):
    """There was no whole answer. Never leaves this package.

    `kind` is the class of the error that the libraries raised, `evidence` what it said. `sent`: the request may have
    been carried out.
    """

    def __init__(self, kind: type[BaseException], evidence: str = "", *, sent: bool = True) -> None:
        """Keep the facts, and nothing that leads to the request or its headers."""
        super().__init__(kind.__name__)
        self.kind = kind
        self.evidence = evidence
        self.sent = sent


def read_refusal(status: int, headers: Mapping[str, str], text: str, after: float) -> Refusal:
    """Return the facts of an answer; `headers` must find a name whatever its case."""
    content_type = headers.get("Content-Type", "").lower()
    html = "html" in content_type or text[:200].lstrip("\ufeff \t\r\n").lower().startswith(("<!doctype html", "<html"))
    html = html or bool(_SIGN_IN.search(headers.get("Location", "")))
    type_key, said = ("", "") if html else _error_body(text)
    header_said = unquote_plus(headers.get("X-TFS-ServiceError", ""))
    if not said and not html:
        said = header_said or (text if content_type.startswith("text/plain") else "")
    return Refusal(
        status,
        type_key=type_key,
        said=said[:_MOST_SAID],
        html=html,
        redirect=headers.get("Location", ""),
        support=tuple(f"{name} {headers[name]}" for name in _SUPPORT if _SUPPORT_ID.fullmatch(headers.get(name, ""))),
        after=after,
    )


def _error_body(text: str) -> tuple[str, str]:
    """Return type key and message of the service's error body, with the results of a validation where it lists them.

    The service's older parts wrap it, or spell it `Message`.
    """
    try:
        body = json.loads(text.lstrip("\ufeff"))
    except ValueError:
        return "", ""
    if isinstance(body, dict) and isinstance(body.get("value"), dict):
        body = body["value"]
    if not isinstance(body, dict):
        return "", ""
    message = body.get("message") or body.get("Message")
    properties = body.get("customProperties")
    results = properties.get("ValidationResults") if isinstance(properties, dict) else None
    said = [message if isinstance(message, str) else ""]
    if isinstance(results, list):
        said += [str(result.get("message", "")) for result in results if isinstance(result, dict)]
    return str(body.get("typeKey") or ""), "\n".join(line for line in said if line)
