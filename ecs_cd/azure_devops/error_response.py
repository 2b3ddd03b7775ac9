"""An HTTP answer that is not a result, as a value, and the two ways in which a request fails."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote_plus

_MAX_MESSAGE = 2000
_SUPPORT = ("x-vss-e2eid", "activityid")
_SIGN_IN = re.compile(r"/_?signin|/login", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*((?:TF|VS|VSS)\d{4,7}: [^<]{1,400})", re.IGNORECASE)
_MAX_PAGE = 20_000
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True)
class ErrorResponse:
    """An answer that is not a result.

    `type_key` and `message` come from Azure DevOps's error body, where there is one. `html`: it is a page for people,
    or a redirect to the one where they sign in. `redirect` is the URL it pointed to. `support_ids` are what Microsoft's
    support asks for. `retry_after`: seconds to wait before the next request.
    """

    status: int
    type_key: str = ""
    message: str = ""
    html: bool = False
    redirect: str = ""
    support_ids: tuple[str, ...] = ()
    retry_after: float = 0.0

    @property
    def details(self) -> tuple[str, ...]:
        """Return the lines of evidence for a person."""
        messages = [f"Azure DevOps says: {line}" for line in self.message.splitlines() if line.strip()]
        return (*messages, *self.for_support)

    @property
    def for_support(self) -> tuple[str, ...]:
        """Return what Microsoft's support asks for, each id once though several headers have it."""
        by_id = {line.rpartition(" ")[2]: line for line in reversed(self.support_ids)}
        return tuple(f"For Microsoft's support: {line}" for line in reversed(by_id.values()))


class ResponseError(Exception):
    """The service answered, and not with a result. Never leaves this package: `errors.map_error` turns it into ours."""

    def __init__(self, response: ErrorResponse) -> None:
        """Keep the facts."""
        super().__init__(response.status)
        self.response = response


class NoResponse(Exception):
    """There was no whole answer. Never leaves this package.

    `kind` is the class of the error that the libraries raised, `evidence` its text. `sent`: the request may have
    been carried out.
    """

    def __init__(self, kind: type[BaseException], evidence: str = "", *, sent: bool = True) -> None:
        """Keep the facts, and nothing that leads to the request or its headers."""
        super().__init__(kind.__name__)
        self.kind = kind
        self.evidence = evidence
        self.sent = sent


def read_error_response(status: int, headers: Mapping[str, str], text: str, after: float) -> ErrorResponse:
    """Return the facts of an answer; `headers` must find a name whatever its case."""
    content_type = headers.get("Content-Type", "").lower()
    html = "html" in content_type or text[:200].lstrip("\ufeff \t\r\n").lower().startswith(("<!doctype html", "<html"))
    html = html or bool(_SIGN_IN.search(headers.get("Location", "")))
    type_key, message = ("", _coded_title(text)) if html else _error_body(text)
    header_message = unquote_plus(headers.get("X-TFS-ServiceError", ""))
    if not message:
        message = header_message or (text if content_type.startswith("text/plain") and not html else "")
    return ErrorResponse(
        status,
        type_key=type_key,
        message=message[:_MAX_MESSAGE],
        html=html,
        redirect=headers.get("Location", ""),
        support_ids=tuple(f"{name} {headers[name]}" for name in _SUPPORT if _ID.fullmatch(headers.get(name, ""))),
        retry_after=after,
    )


def _coded_title(page: str) -> str:
    """Return the title of a page for people where it is a numbered message of the service; else nothing."""
    title = _TITLE.search(page[:_MAX_PAGE])
    return unescape(" ".join(title[1].split())) if title else ""


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
    messages = [message if isinstance(message, str) else ""]
    if isinstance(results, list):
        messages += [str(result.get("message", "")) for result in results if isinstance(result, dict)]
    return str(body.get("typeKey") or ""), "\n".join(line for line in messages if line)
