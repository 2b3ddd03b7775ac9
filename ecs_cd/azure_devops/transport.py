"""How requests travel: one kept connection, no redirects, time limits, and which requests are sent again.

It is the last part of msrest's pipeline (its `HTTPSender`), so that both of the SDK's clients send through it. msrest's
own sender waits on the machine's clock (urllib3's `Retry`, up to 90 s at a time, which no deadline of a delivery
bounds), sends again after a 500, which does not pass, follows redirects to the sign-in page, and makes a connection for
each thread. The credential is msrest's to apply (`RequestsCredentialsPolicy`).

- A GET is sent again after 429, 502, 503, 504, a lost connection, or an answer that was cut off.
- Anything else is sent again only when it was certainly not carried out: after 429, or when no connection was made.
- Between two attempts it waits longer each time, or as long as the service asked; all in all no more than `MOST_WAIT`.
- Whatever the service asked for, even beside a result, the next request waits for too.
"""

from __future__ import annotations

import base64
import json
import threading
from functools import partial
from typing import Any

import requests
from msrest.pipeline import HTTPSender, Request, Response
from msrest.pipeline.requests import RequestsContext
from msrest.universal_http.requests import RequestsClientResponse
from requests.auth import HTTPBasicAuth
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from ecs_cd.azure_devops.error_response import ErrorResponse, NoResponse, ResponseError, read_error_response
from ecs_cd.azure_devops.settings import LEAST_MASKED
from ecs_cd.azure_devops.throttling import MAX_PAUSE, requested_pause
from ecs_cd.support.clock import Clock
from ecs_cd.support.retry import Backoff, retry

ATTEMPTS = 4
"""How often one request is sent at most."""
MOST_WAIT = 15.0
"""Seconds that one call waits between its attempts, all in all."""
BACKOFF = Backoff(first=1.0, factor=2.0, most=8.0)
TIMEOUTS = (5.0, 30.0)
"""Seconds to connect, and to wait for the next byte of an answer."""

_AGAIN = frozenset({429, 502, 503, 504})
_TOO_MANY = 429
_DEACTIVATED = "TF24668"
_NOT_A_RESULT = frozenset({203})
"""What proxies and the sign-in page answer with: somebody else's information."""
_NEVER_CONNECTED = (NewConnectionError, ConnectTimeoutError)


class Transport(HTTPSender[Any, Any]):
    """Sends the SDK's requests. Raises `ResponseError` and `NoResponse`, never an error of the libraries below it."""

    def __init__(self, clock: Clock) -> None:
        """Prepare a connection that is made with the first request."""
        self._clock = clock
        self._session = _session()
        self._not_before = 0.0
        self._thread = threading.local()

    @property
    def continuation_token(self) -> str:
        """Return the token of the page after this thread's last answer; empty on the last page.

        The SDK does not hand it on.
        """
        return getattr(self._thread, "continuation_token", "")

    def build_context(self) -> RequestsContext:
        """Return what the policies before this sender work on: the session, for the credential to sign."""
        return RequestsContext(self._session)  # type: ignore[no-untyped-call]  # msrest's

    def send(self, request: Request[Any], **_config: object) -> Response[Any, Any]:
        """Send, and send again as the rule of this module says.

        Raises:
            ResponseError: the answer is not a result.
            NoResponse: there was no whole answer.
        """
        asked = request.http_request
        answer = retry(
            partial(self._once, asked, (request.context or self.build_context()).session),
            clock=self._clock,
            backoff=BACKOFF,
            attempts=ATTEMPTS,
            may_pass=partial(_may_pass, asked.method),
            most_wait=MOST_WAIT,
        )
        return Response(request, RequestsClientResponse(asked, answer))  # type: ignore[no-untyped-call]  # msrest's

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def __exit__(self, *_exception: object) -> None:
        """Close the connection, as msrest's pipeline does at its end."""
        self.close()

    def _keep_pace(self) -> None:
        """Wait until the service wants the next request; if that is too long, do not send it at all."""
        wait = self._not_before - self._clock.now()
        if wait > MAX_PAUSE:
            message = "(not sent: an earlier answer asked to wait)"
            raise ResponseError(ErrorResponse(_TOO_MANY, message=message, retry_after=wait))
        if wait > 0:
            self._clock.sleep(wait)

    def _once(self, asked: Any, session: requests.Session) -> requests.Response:  # noqa: ANN401 - msrest's ClientRequest has no types
        self._keep_pace()
        answer = self._exchange(asked, session)
        if isinstance(answer, NoResponse):
            raise answer
        after = requested_pause(answer.headers, self._clock.utc())
        self._not_before = max(self._not_before, self._clock.now() + after)
        self._thread.continuation_token = answer.headers.get("x-ms-continuationtoken", "")
        masked = partial(_without, _secrets_of(session))
        text = masked(answer.text.removeprefix("\ufeff"))
        answer.encoding = "utf-8"
        answer._content = text.encode()  # noqa: SLF001 - what the SDK goes on to read
        headers = CaseInsensitiveDict((name, masked(value)) for name, value in answer.headers.items())
        response = read_error_response(answer.status_code, headers, text, after)
        if not answer.ok or answer.is_redirect or answer.status_code in _NOT_A_RESULT or response.html:
            raise ResponseError(response)
        _check_json(text, response, answer.headers.get("Content-Type", ""))
        return answer

    def _exchange(self, asked: Any, session: requests.Session) -> requests.Response | NoResponse:  # noqa: ANN401 - msrest's ClientRequest has no types
        """Return the answer, or why there is none.

        The libraries' own error is let go here: it leads to the request, and that to its headers.
        """
        try:
            return session.request(
                asked.method,
                asked.url,
                data=asked.data,
                headers=asked.headers,
                timeout=TIMEOUTS,
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _no_response(error)


def _session() -> requests.Session:
    session = requests.Session()
    session.auth = _as_it_is  # else `requests` would put a login from a .netrc file in a token's place
    return session


def _secrets_of(session: requests.Session) -> tuple[str, ...]:
    """Return the credential that the session sends, in the forms it travels in, should the other side echo it."""
    secrets = [str(session.headers.get("Authorization", "")).partition(" ")[2]]
    if isinstance(session.auth, HTTPBasicAuth):
        user, password = str(session.auth.username), str(session.auth.password)
        secrets += [password, base64.b64encode(f"{user}:{password}".encode()).decode()]
    return tuple(secret for secret in secrets if len(secret) >= LEAST_MASKED)


def _without(secrets: tuple[str, ...], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _may_pass(method: str, error: Exception) -> float | None:
    """Return the least seconds to wait before the request is sent again; None where it is not to be sent again."""
    if isinstance(error, ResponseError):
        response = error.response
        passing = method == "GET" and response.status in _AGAIN and _DEACTIVATED not in response.message
        return response.retry_after if passing or response.status == _TOO_MANY else None
    if isinstance(error, NoResponse):
        passing = issubclass(error.kind, (requests.ConnectionError, requests.Timeout, *_CUT_OFF))
        permanent = issubclass(error.kind, (requests.exceptions.SSLError, requests.exceptions.ProxyError))
        return 0.0 if passing and not permanent and (method == "GET" or not error.sent) else None
    return None


_CUT_OFF = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.JSONDecodeError,
)


def _no_response(error: BaseException) -> NoResponse:
    """Return what is worth keeping of an error: its class, the innermost cause's text, and whether it was sent."""
    chain = _causes(error)
    sent = not any(isinstance(cause, _NEVER_CONNECTED) for cause in chain)
    if isinstance(error, requests.exceptions.SSLError):
        sent = sent and "CERTIFICATE_VERIFY_FAILED" not in str(error)
    system = [
        cause for cause in chain if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException)
    ]
    return NoResponse(type(error), str(system[-1]) if system else "", sent=sent)


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and all that led to it, in the three ways in which requests and urllib3 keep that."""
    chain: list[BaseException] = []
    following: list[object] = [error]
    while following:
        cause = following.pop()
        if isinstance(cause, BaseException) and cause not in chain:
            chain.append(cause)
            following += [cause.__context__, cause.__cause__, getattr(cause, "reason", None), *cause.args]
    return chain


def _check_json(text: str, response: ErrorResponse, content_type: str) -> None:
    """Refuse a result that is none: cut off, not JSON, or not of the shape that every answer has.

    Raises:
        NoResponse: it claims to be JSON and does not end well.
        ResponseError: it is something else.
    """
    if not text:
        return
    if "json" not in content_type.lower():
        raise ResponseError(response)
    try:
        value = json.loads(text)
    except ValueError:
        value = NoResponse(requests.exceptions.JSONDecodeError)
    if isinstance(value, NoResponse):
        raise value
    if value is not None and not isinstance(value, dict):
        raise ResponseError(response)
