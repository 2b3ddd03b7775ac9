"""The job's identity token for another cloud, from the job's own `oidctoken` endpoint.

`POST {SYSTEM_OIDCREQUESTURI}?api-version=7.1&serviceConnectionId={id}` with `{}` and the job's token answers
`{"oidcToken": "<jwt>"}`, which lives ten minutes. An older server does not say the address; it is made of `SYSTEM_*`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ecs_cd.azure_task.agent import Agent
from ecs_cd.errors import (
    AccessDenied,
    EcsCdError,
    ServiceUnavailable,
    SettingsError,
    Throttled,
    UnexpectedAnswer,
    Unreachable,
)
from ecs_cd.support.clock import Clock
from ecs_cd.support.retry import Backoff, retry, retryable

if TYPE_CHECKING:
    import requests

_ATTEMPTS = 5
_BACKOFF = Backoff(first=1.0, factor=2.0, most=8.0)
_TIMEOUTS = (5.0, 30.0)
"""Seconds to connect, and to wait for the next byte of the answer."""
_API = "7.1"
_DENIED = (401, 403)
_OK = 200
_TOO_MANY = 429
_SERVER_ERROR = 500
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class IdentityTokens:
    """Requests identity tokens. `on_token` is called with each one, so that it can be masked."""

    url: str
    access_token: str = field(repr=False)
    clock: Clock
    on_token: Callable[[str], None]

    def __call__(self) -> str:
        """Return a new token; what fails in a way that may pass is tried again.

        Raises:
            AccessDenied: the job may not use the service connection.
            UnexpectedAnswer: something else than the endpoint answered.
            Unreachable, ServiceUnavailable, Throttled: so it was at the last attempt, too.
        """
        return retry(self._once, clock=self.clock, backoff=_BACKOFF, attempts=_ATTEMPTS, may_pass=retryable)

    def _once(self) -> str:
        import requests  # noqa: PLC0415 - only this kind of service connection needs it

        def bearer(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"Bearer {self.access_token}"
            return request  # a callable, else `requests` would put a login from a .netrc file in its place

        host = urlsplit(self.url).hostname
        try:
            answer = requests.post(self.url, json={}, auth=bearer, timeout=_TIMEOUTS, allow_redirects=False)
        except (requests.RequestException, OSError) as error:
            kind = type(error).__name__
            raise Unreachable(
                f"No answer from {host} when asking for the job's identity token ({kind}).",
                hint="Check the network and the agent's proxy settings.",
            ) from None
        if answer.status_code in _DENIED:
            raise AccessDenied(
                f"{host} gives this job no identity token for the AWS service connection (HTTP {answer.status_code}).",
                hint="Let this pipeline use the service connection (its security settings), and the job its token.",
            )
        return self._token(answer, str(host))

    def _token(self, answer: requests.Response, host: str) -> str:
        status = answer.status_code
        try:
            token = answer.json()["oidcToken"] if status == _OK else ""
        except (ValueError, KeyError, TypeError):
            token = ""
        if not isinstance(token, str) or not token:
            kind: type[EcsCdError] = UnexpectedAnswer
            if status == _TOO_MANY:
                kind = Throttled
            elif status >= _SERVER_ERROR:
                kind = ServiceUnavailable
            raise kind(
                f"{host} answered the request for the job's identity token without one (HTTP {status}).",
                hint="Run the job again; if the error stays, check that the service connection is meant for OIDC.",
            )
        self.on_token(token)
        return token


def request_url(agent: Agent, connection: str) -> str:
    """Return where the job asks for its token.

    Raises:
        SettingsError: the agent does not say enough, or names an address that the job's token may not be sent to.
    """
    base = agent.value("SYSTEM_OIDCREQUESTURI")
    if not base:
        parts = {
            name: agent.value(name)
            for name in ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID", "SYSTEM_PLANID", "SYSTEM_JOBID")
        }
        if missing := [name for name, value in parts.items() if not value]:
            raise SettingsError(
                f"The job cannot ask for an identity token: {missing[0]} is not set.",
                hint="Run in a job of Azure Pipelines, or use another kind of AWS service connection.",
            )
        hub = quote(agent.value("SYSTEM_HOSTTYPE") or "build", safe="")
        project, plan, job = (quote(parts[f"SYSTEM_{name}"], safe="") for name in ("TEAMPROJECTID", "PLANID", "JOBID"))
        organization = parts["SYSTEM_COLLECTIONURI"].rstrip("/")
        base = f"{organization}/{project}/_apis/distributedtask/hubs/{hub}/plans/{plan}/jobs/{job}/oidctoken"
    address = urlsplit(base)
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise SettingsError(
            "The address of the job's oidctoken endpoint does not begin with https://.",
            hint="The server's administrator must give it TLS before OIDC can be used.",
        )
    return f"{base}?api-version={_API}&serviceConnectionId={quote(connection, safe='')}"
