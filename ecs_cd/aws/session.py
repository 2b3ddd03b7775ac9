"""The one AWS session of a delivery: credentials, region, and clients built when they are first needed.

botocore is used directly. boto3 builds its clients with it and adds resources and S3 transfers, whose import alone
costs a sixth of the processor time from a bare interpreter to three clients; none of it is needed here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from ecs_cd.aws import credentials
from ecs_cd.aws.caller import Caller
from ecs_cd.aws.credentials import Role, StaticKeys
from ecs_cd.aws.errors import shown
from ecs_cd.aws.images import EcrImages
from ecs_cd.aws.parameters import SsmParameters
from ecs_cd.aws.services import EcsServices
from ecs_cd.errors import SettingsError
from ecs_cd.sanitize import quoted
from ecs_cd.support.clock import Clock, SystemClock
from ecs_cd.support.concurrency import import_lock
from ecs_cd.support.rate_limit import RateLimit
from ecs_cd.version import VERSION

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session
    from types_boto3_ecr import ECRClient
    from types_boto3_ecs import ECSClient
    from types_boto3_ssm import SSMClient
    from types_boto3_sts import STSClient

ATTEMPTS = 4
"""How often a request is sent before its failure is ours: botocore's `standard` mode, with back-off and a quota."""

_CONNECT_TIMEOUT = 5
_READ_TIMEOUT = 20


@dataclass(frozen=True)
class AwsSettings:
    """How to reach AWS. What is empty is found as every AWS SDK does: environment, profile, container, instance role.

    `role_arn` is assumed with the credentials so found, and renewed as long as the delivery lasts. `credentials` are
    used instead of any that could be found; `web_identity` returns an identity token with which alone the role is
    assumed; `source` says whose credentials are to assume the role. `session_seconds` is how long the role's session
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
    """Who AWS says we are."""

    account: str
    arn: str


def connect(
    settings: AwsSettings,
    *,
    attempts: int = ATTEMPTS,
    clock: Clock | None = None,
    rates: Mapping[str, RateLimit] | None = None,
) -> Aws:
    """Return AWS as the steps want it. Nothing is sent and no SDK is loaded before the first question.

    `clock` is for the pauses between attempts to assume a role with an identity token. `rates` are kept by the requests
    of these operations (`DescribeServices`); an attempt that is made again counts again.

    Raises:
        SettingsError: the endpoint is not an HTTP URL.
    """
    if settings.endpoint_url:
        parts = urlsplit(settings.endpoint_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"The AWS endpoint {quoted(settings.endpoint_url)} is not an HTTP URL.",
                hint="Give scheme and host, such as http://localhost:4566, or leave it out.",
            )
    return Aws(settings, attempts, clock or SystemClock(), rates or {})


class Aws:
    """One account and region. It may be used from several threads; `close` ends its connections."""

    def __init__(self, settings: AwsSettings, attempts: int, clock: Clock, rates: Mapping[str, RateLimit]) -> None:
        self._settings = settings
        self._attempts = attempts
        self._clock = clock
        self._rates = rates
        # Building a client is not thread-safe in botocore; a client, once built, is.
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self.images = EcrImages(self._ecr)
        self.parameters = SsmParameters(Caller(self._ssm, self._region))
        self.services = EcsServices(Caller(self._ecs, self._region))

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def whoami(self) -> Identity:
        """Return the identity behind the credentials (STS GetCallerIdentity, which needs no right).

        Raises:
            BadCredentials: there are none, or AWS does not accept them.
        """
        with Caller(self._sts, self._region).asking("tell who we are to AWS") as sts:
            answer = sts.get_caller_identity()
            return Identity(answer["Account"], answer["Arn"])

    def _ecr(self, region: str) -> Caller[ECRClient]:
        def client() -> ECRClient:
            return cast("ECRClient", self._client("ecr", region))

        return Caller(client, lambda: region or self._region())

    def _ssm(self) -> SSMClient:
        return cast("SSMClient", self._client("ssm"))

    def _ecs(self) -> ECSClient:
        return cast("ECSClient", self._client("ecs"))

    def _sts(self) -> STSClient:
        return cast("STSClient", self._client("sts"))

    def _region(self) -> str:
        """Return the region for a message; empty where none is known."""
        session = self._session
        known = self._settings.region or os.environ.get("AWS_REGION", "")
        return known or (session.get_config_variable("region") or "" if session else "")

    def _client(self, service: str, region: str = "") -> object:
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._build(service, region)
            return self._clients[service, region]

    def _build(self, service: str, region: str) -> object:
        from botocore.exceptions import NoRegionError  # noqa: PLC0415 - the SDK is loaded when it is needed

        if self._session is None:
            self._session = self._new_session(self._settings)
        where = region or self._region()
        if not where:
            raise NoRegionError
        client = self._create(self._session, service, where)
        client.meta.events.register("before-parse", _refuse_broken)
        for operation, rate in self._rates.items():
            client.meta.events.register(f"before-send.{service}.{operation}", partial(_keep_to, rate))
        return client

    def _create(self, session: Session, service: str, region: str, config: Config | None = None, **keys: Any) -> Any:  # noqa: ANN401 - botocore makes its clients' classes at run time
        ours = _config(self._attempts)
        try:
            return session.create_client(
                service,
                region_name=region,
                endpoint_url=self._settings.endpoint_url or None,
                config=ours.merge(config) if config else ours,
                **keys,
            )
        except ValueError as error:  # a malformed region or endpoint
            raise SettingsError(
                f"The AWS SDK cannot make a client of {service} for region {quoted(region)}: {shown(str(error))}.",
                hint="Check the region, and AWS_ENDPOINT_URL if it is set.",
            ) from None

    def _new_session(self, settings: AwsSettings) -> Session:
        with import_lock:
            from botocore.session import Session  # noqa: PLC0415 - the SDK is loaded when it is needed

        found = Session(profile=settings.profile or None)
        if settings.credentials:
            credentials.use_keys(found, settings.credentials)
        if not settings.role_arn:
            return found
        source = self._new_session(settings.source) if settings.source else found

        def client(service: str, **keys: Any) -> Any:  # noqa: ANN401 - botocore makes its clients' classes at run time
            return self._create(source, service, self._region(), **keys)

        session = Session(profile=settings.profile or None)
        if settings.web_identity:
            credentials.use_web_identity(session, settings.role, settings.web_identity, client, self._clock)
        else:
            credentials.use_role(session, settings.role, source, client)
        return session


def _config(attempts: int) -> Config:
    from botocore.config import Config  # noqa: PLC0415 - the SDK is loaded when it is needed

    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_READ_TIMEOUT,
        user_agent_extra=f"ecs-cd/{VERSION}",
    )


def _keep_to(rate: RateLimit, **_: object) -> None:
    rate.take()


def _refuse_broken(response_dict: dict[str, Any], **_: object) -> None:
    """Refuse an answer that broke off, or that is no JSON where JSON is spoken, before botocore reads it.

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
    # STS speaks XML, the others JSON.
    if "xml" not in headers.get("content-type", "") and not body.lstrip().startswith(b"{"):
        raise ResponseParserError("it is no JSON")
