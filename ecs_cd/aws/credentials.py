"""Sessions of boto3 by where their credentials come from: found as every SDK does, given, or those of an assumed role.

Credentials that were given or assumed replace the SDK's search altogether: whatever lies in the environment, in
profiles or in the instance's metadata never wins over them. Those of a role renew themselves while they are used:
boto3 takes such credentials from the botocore session that it is built on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecs_cd.support.clock import Clock
from ecs_cd.support.concurrency import import_lock
from ecs_cd.support.retry import Backoff, retry

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.credentials import RefreshableCredentials

WEB_IDENTITY_ATTEMPTS = 5
"""How often a role is asked for with an identity token; about one in five first attempts fails in the field."""

_BACKOFF = Backoff(first=1.0, factor=2.0, most=8.0)
_MAY_PASS = frozenset({"InvalidIdentityToken", "IDPCommunicationError"})
"""Error codes with which STS also answers when it could not fetch the keys of the token's issuer."""

Metadata = dict[str, Any]
"""Credentials as botocore's fetchers give them: access_key, secret_key, token, expiry_time."""


@dataclass(frozen=True)
class StaticKeys:
    """An access key, and the session token where it has one. No secret is in its `repr`."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Role:
    """A role to assume. `seconds` is how long its session lasts; 0 leaves that to AWS (an hour)."""

    arn: str
    session_name: str
    external_id: str = field(default="", repr=False)
    seconds: int = 0

    def extra(self) -> dict[str, Any]:
        """Return what is asked for beside the role."""
        asked: dict[str, Any] = {"RoleSessionName": self.session_name}
        if self.external_id:
            asked["ExternalId"] = self.external_id
        if self.seconds:
            asked["DurationSeconds"] = self.seconds
        return asked


def found_session(profile: str) -> Session:
    """Return a session whose credentials are found as every AWS SDK does; an empty profile means the usual one.

    Raises:
        ProfileNotFound: there is no such profile.
    """
    with import_lock:
        from boto3.session import Session  # noqa: PLC0415 - the SDK is loaded when it is needed

    return Session(profile_name=profile or None)


def session_of_keys(keys: StaticKeys, profile: str) -> Session:
    """Return a session with these keys."""
    with import_lock:
        from boto3.session import Session  # noqa: PLC0415 - the SDK is loaded when it is needed

    return Session(keys.access_key_id, keys.secret_access_key, keys.session_token or None, profile_name=profile or None)


def session_of_role(role: Role, profile: str, source: Session, create_client: Callable[..., Any]) -> Session:
    """Return a session with the role, assumed with the credentials of `source`.

    Raises:
        NoCredentialsError: `source` has none.
    """
    from botocore import credentials  # noqa: PLC0415 - the SDK is loaded when it is needed
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - likewise

    found = source.get_credentials()
    if found is None:
        raise NoCredentialsError
    fetcher = credentials.AssumeRoleCredentialFetcher(create_client, found, role.arn, extra_args=role.extra())
    return _session_of(credentials.DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role"), profile)


def session_of_web_identity(
    role: Role, profile: str, token: Callable[[], str], create_client: Callable[..., Any], clock: Clock
) -> Session:
    """Return a session with the role, assumed with what `token` returns: a new one whenever a role is asked for."""
    from botocore import credentials  # noqa: PLC0415 - the SDK is loaded when it is needed

    fetcher = credentials.AssumeRoleWithWebIdentityCredentialFetcher(
        create_client, token, role.arn, extra_args=role.extra()
    )
    return _session_of(
        credentials.DeferredRefreshableCredentials(
            lambda: _retried(fetcher.fetch_credentials, clock), "assume-role-with-web-identity"
        ),
        profile,
    )


def _retried(fetch: Callable[[], Metadata], clock: Clock) -> Metadata:
    """Return what `fetch` returns; what STS refuses in a way that may pass is asked for again."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - the SDK is loaded when it is needed

    def may_pass(error: Exception) -> float | None:
        refused = isinstance(error, ClientError) and error.response.get("Error", {}).get("Code")
        return 0.0 if refused in _MAY_PASS else None

    return retry(fetch, clock=clock, backoff=_BACKOFF, attempts=WEB_IDENTITY_ATTEMPTS, may_pass=may_pass)


def _session_of(credentials: RefreshableCredentials, profile: str) -> Session:
    from boto3.session import Session  # noqa: PLC0415 - the SDK is loaded when it is needed
    from botocore.session import get_session  # noqa: PLC0415 - likewise

    core = get_session()
    core.register_component("credential_provider", _Fixed(credentials))
    return Session(botocore_session=core, profile_name=profile or None)


class _Fixed:
    """What botocore asks for credentials: always these."""

    def __init__(self, credentials: RefreshableCredentials) -> None:
        self._credentials = credentials

    def load_credentials(self) -> RefreshableCredentials:
        """Return the credentials; those of a role fetch themselves when they are first used."""
        return self._credentials
