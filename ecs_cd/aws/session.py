"""The one AWS session of a delivery: a `boto3.Session`, and its clients, built when they are first needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from ecs_cd.aws import credentials
from ecs_cd.aws.credentials import Role, StaticKeys
from ecs_cd.aws.errors import printable
from ecs_cd.aws.images import EcrImages
from ecs_cd.aws.logs import CloudWatchLogs
from ecs_cd.aws.parameters import SsmParameters
from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.aws.services import EcsServices
from ecs_cd.errors import SettingsError
from ecs_cd.sanitize import quoted
from ecs_cd.support.clock import Clock, SystemClock
from ecs_cd.support.rate_limit import RateLimit
from ecs_cd.version import VERSION

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from types_boto3_ecr import ECRClient
    from types_boto3_ecs import ECSClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_ssm import SSMClient
    from types_boto3_sts import STSClient

ATTEMPTS = 4
"""How often a request is sent before its failure is ours: botocore's `standard` mode, with back-off and a quota."""

_CONNECT_TIMEOUT = 5
"""Seconds to connect: AWS answers a connection within one, so longer only delays the next attempt."""

_READ_TIMEOUT = 20
"""Seconds to wait for the next byte of an answer; every request made here is answered within a few."""


@dataclass(frozen=True)
class AwsSettings:
    """How to reach AWS. What is empty is found as every AWS SDK does: environment, profile, container, instance role.

    `role_arn` is assumed with the credentials so found, and renewed as long as the delivery lasts. `credentials` are
    used instead of any that could be found; `web_identity` returns an identity token with which alone the role is
    assumed; `source`: the credentials with which the role is assumed. `session_seconds` is how long the role's session
    lasts, 0 for AWS's hour.
    """

    region: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = field(default="", repr=False)
    role_session_name: str = "ecs-cd"
    endpoint_url: str = ""
    credentials: StaticKeys | None = field(default=None, repr=False)
    web_identity: Callable[[], str] | None = field(default=None, repr=False)
    source: AwsSettings | None = None
    session_seconds: int = 0

    @property
    def role(self) -> Role:
        """Return the role to assume."""
        return Role(self.role_arn, self.role_session_name, self.external_id, self.session_seconds)


@dataclass(frozen=True)
class Identity:
    """The identity behind the credentials, as AWS knows it."""

    account: str
    arn: str


def connect(
    settings: AwsSettings,
    session: Session | None = None,
    *,
    attempts: int = ATTEMPTS,
    clock: Clock | None = None,
    rates: Mapping[str, RateLimit] | None = None,
) -> Aws:
    """Return AWS as the steps want it. Nothing is sent and no SDK is loaded before the first request.

    A `session` is where credentials come from in place of any that would be found: the profile of the settings does not
    count then. Their region counts over the session's, their endpoint over its configuration, and their role is
    assumed with its credentials. It is not closed or changed; clients of their own are made with it.

    `clock` is for the pauses between attempts to assume a role with an identity token. `rates` are kept by the requests
    of these operations (`DescribeServices`); an attempt that is made again counts again.

    Raises:
        SettingsError: the endpoint is not an HTTP URL.
        ValueError: a session and other credentials are both given.
    """
    if session and (settings.credentials or settings.web_identity or settings.source):
        raise ValueError("a session has credentials of its own: none can be given beside it")
    if settings.endpoint_url:
        parts = urlsplit(settings.endpoint_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"The AWS endpoint {quoted(settings.endpoint_url)} is not an HTTP URL.",
                hint="Give scheme and host, such as http://localhost:4566, or leave it out.",
            )
    return Aws(settings, session, attempts, clock or SystemClock(), rates or {})


class Aws:
    """One account and region. It may be used from several threads; `close` ends its connections."""

    def __init__(
        self,
        settings: AwsSettings,
        given: Session | None,
        attempts: int,
        clock: Clock,
        rates: Mapping[str, RateLimit],
    ) -> None:
        self._settings = settings
        self._given = given
        self._attempts = attempts
        self._clock = clock
        self._rates = rates
        self._session: Session | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self.images = EcrImages(self._ecr)
        self.parameters = SsmParameters(ServiceClient(self._ssm, self._region))
        self.services = EcsServices(ServiceClient(self._ecs, self._region))
        self.logs = CloudWatchLogs(self._logs)

    def close(self) -> None:
        """Close the connections."""
        with _building:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def whoami(self) -> Identity:
        """Return the identity behind the credentials (STS GetCallerIdentity, which needs no right).

        Raises:
            BadCredentials: there are none, or AWS does not accept them.
        """
        with ServiceClient(self._sts, self._region).calling("identify the AWS credentials") as sts:
            answer = sts.get_caller_identity()
            return Identity(answer["Account"], answer["Arn"])

    def _ecr(self, region: str) -> ServiceClient[ECRClient]:
        def client() -> ECRClient:
            return cast("ECRClient", self._client("ecr", region))

        return ServiceClient(client, lambda: region or self._region())

    def _logs(self, region: str) -> ServiceClient[CloudWatchLogsClient]:
        def client() -> CloudWatchLogsClient:
            return cast("CloudWatchLogsClient", self._client("logs", region))

        return ServiceClient(client, lambda: region)

    def _ssm(self) -> SSMClient:
        return cast("SSMClient", self._client("ssm"))

    def _ecs(self) -> ECSClient:
        return cast("ECSClient", self._client("ecs"))

    def _sts(self) -> STSClient:
        return cast("STSClient", self._client("sts"))

    def _region(self) -> str:
        """Return the region, for a message too; empty where none is known, or none yet.

        AWS_REGION is what agents and other SDKs set; boto3 reads AWS_DEFAULT_REGION and the profile.
        """
        if self._settings.region:
            return self._settings.region
        usual = os.environ.get("AWS_REGION", "")
        if self._given:
            return self._given.region_name or usual
        return usual or (self._session.region_name or "" if self._session else "")

    def _client(self, service: str, region: str = "") -> object:
        with _building:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._build(service, region)
            return self._clients[service, region]

    def _build(self, service: str, region: str) -> object:
        from botocore.exceptions import NoRegionError  # noqa: PLC0415 - the SDK is loaded when it is needed

        if self._session is None:
            self._session = self._new_session(self._settings, self._given)
        where = region or self._region()
        if not where:
            raise NoRegionError
        client = self._create(self._session, service, where)
        client.meta.events.register("before-parse", _refuse_incomplete)
        for operation, rate in self._rates.items():
            client.meta.events.register(f"before-send.{service}.{operation}", partial(_wait_for_rate, rate))
        return client

    def _create(self, session: Session, service: str, region: str, config: Config | None = None, **keys: Any) -> Any:  # noqa: ANN401 - botocore makes its clients' classes at run time
        ours = _config(self._attempts)
        try:
            return session.client(  # type: ignore[call-overload]  # typed for literal names only
                service,
                region_name=region,
                endpoint_url=self._settings.endpoint_url or None,
                config=ours.merge(config) if config else ours,
                **keys,
            )
        except ValueError as error:  # a malformed region or endpoint
            raise SettingsError(
                f"The AWS SDK cannot make a client of {service} for region {quoted(region)}: {printable(str(error))}.",
                hint="Check the region, and AWS_ENDPOINT_URL if it is set.",
            ) from None

    def _new_session(self, settings: AwsSettings, given: Session | None = None) -> Session:
        profile = _profile_of(given) if given else settings.profile
        if given:
            found = given
        elif settings.credentials:
            found = credentials.session_of_keys(settings.credentials, profile)
        else:
            found = credentials.found_session(profile)
        if not settings.role_arn:
            return found
        source = self._new_session(settings.source) if settings.source else found

        def client(service: str, **keys: Any) -> Any:  # noqa: ANN401 - botocore makes its clients' classes at run time
            return self._create(source, service, self._region(), **keys)

        if settings.web_identity:
            return credentials.session_of_web_identity(
                settings.role, profile, settings.web_identity, client, self._clock
            )
        return credentials.session_of_role(settings.role, profile, source, client)


_building = threading.RLock()
"""Held while clients are built, which is not thread-safe where they come from one session; a client, once built, is."""


def _profile_of(session: Session) -> str:
    """Return the profile a session was made with; empty where it calls one `default` that does not exist."""
    return session.profile_name if session.profile_name in session.available_profiles else ""


def _config(attempts: int) -> Config:
    from botocore.config import Config  # noqa: PLC0415 - the SDK is loaded when it is needed

    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_READ_TIMEOUT,
        user_agent_extra=f"ecs-cd/{VERSION}",
    )


def _wait_for_rate(rate: RateLimit, **_: object) -> None:
    rate.take()


def _refuse_incomplete(response_dict: dict[str, Any], **_: object) -> None:
    """Refuse an answer that is incomplete, or that is not JSON where it must be, before botocore parses it.

    botocore does not compare an answer's length with its header, and takes text that is no JSON for an empty answer:
    a parameter would seem to have no value, a cluster no services.

    Raises:
        IncompleteReadError: the connection ended early.
        ResponseParserError: something else than AWS answered.
    """
    if response_dict["status_code"] >= 300:  # noqa: PLR2004 - errors may come in any form, from anything in between
        return
    from botocore.exceptions import IncompleteReadError  # noqa: PLC0415 - the SDK is loaded when it is needed
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - likewise

    headers, body = response_dict["headers"], response_dict["body"]
    promised = headers.get("content-length", "")
    if promised.isdigit() and len(body) < int(promised):
        raise IncompleteReadError(actual_bytes=len(body), expected_bytes=int(promised))
    # STS answers XML, the others JSON.
    if "xml" not in headers.get("content-type", "") and not body.lstrip().startswith(b"{"):
        raise ResponseParserError("it is no JSON")
