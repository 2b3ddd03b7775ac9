"""The one AWS session of a delivery: credentials, region, and clients built when they are first needed.

botocore is used directly. boto3 builds its clients with it and adds resources and S3 transfers, whose import alone
costs a sixth of the processor time from a bare interpreter to three clients; none of it is needed here.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from ecs_cd.aws.caller import Caller
from ecs_cd.aws.errors import shown
from ecs_cd.aws.images import EcrImages
from ecs_cd.aws.parameters import SsmParameters
from ecs_cd.aws.services import EcsServices
from ecs_cd.errors import SettingsError
from ecs_cd.text import quoted
from ecs_cd.version import VERSION

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.credentials import RefreshableCredentials
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

    `role_arn` is assumed with the credentials so found, and renewed as long as the delivery lasts.
    """

    region: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = field(default="", repr=False)
    role_session_name: str = "ecs-cd"
    endpoint_url: str = ""


@dataclass(frozen=True)
class Identity:
    """Who AWS says we are."""

    account: str
    arn: str


def connect(settings: AwsSettings, *, attempts: int = ATTEMPTS) -> Aws:
    """Return AWS as the steps want it. Nothing is sent and no SDK is loaded before the first question.

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
    return Aws(settings, attempts)


class Aws:
    """One account and region. It may be used from several threads; `close` ends its connections."""

    def __init__(self, settings: AwsSettings, attempts: int) -> None:
        self._settings = settings
        self._attempts = attempts
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
            self._session = self._new_session()
        where = region or self._region()
        if not where:
            raise NoRegionError
        client = self._create(self._session, service, where)
        client.meta.events.register("before-parse", _refuse_broken)
        return client

    def _create(self, session: Session, service: str, region: str, **credentials: Any) -> Any:  # noqa: ANN401 - botocore makes its clients' classes at run time
        try:
            return session.create_client(
                service,
                region_name=region,
                endpoint_url=self._settings.endpoint_url or None,
                config=_config(self._attempts),
                **credentials,
            )
        except ValueError as error:  # a malformed region or endpoint
            raise SettingsError(
                f"The AWS SDK cannot make a client of {service} for region {quoted(region)}: {shown(str(error))}.",
                hint="Check the region, and AWS_ENDPOINT_URL if it is set.",
            ) from None

    def _new_session(self) -> Session:
        from botocore.session import Session  # noqa: PLC0415 - the SDK is loaded when it is needed

        found = Session(profile=self._settings.profile or None)
        return self._assuming(found) if self._settings.role_arn else found

    def _assuming(self, found: Session) -> Session:
        """Return a session whose credentials are those of the role, assumed again before they expire."""
        from botocore import credentials  # noqa: PLC0415 - the SDK is loaded when it is needed
        from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - likewise
        from botocore.session import Session  # noqa: PLC0415 - likewise

        source = found.get_credentials()
        if source is None:
            raise NoCredentialsError
        extra = {"RoleSessionName": self._settings.role_session_name}
        if self._settings.external_id:
            extra["ExternalId"] = self._settings.external_id

        def sts(service: str, **keys: str) -> Any:  # noqa: ANN401 - botocore makes its clients' classes at run time
            return self._create(found, service, self._region(), **keys)

        fetcher = credentials.AssumeRoleCredentialFetcher(sts, source, self._settings.role_arn, extra_args=extra)
        assumed = credentials.DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        session = Session(profile=self._settings.profile or None)
        session.register_component("credential_provider", _Assumed(assumed))
        return session


class _Assumed:
    """What botocore asks for credentials: always those of the role."""

    def __init__(self, credentials: RefreshableCredentials) -> None:
        self._credentials = credentials

    def load_credentials(self) -> RefreshableCredentials:
        """Return the credentials, which fetch themselves when they are first used."""
        return self._credentials


def _config(attempts: int) -> Config:
    from botocore.config import Config  # noqa: PLC0415 - the SDK is loaded when it is needed

    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_READ_TIMEOUT,
        user_agent_extra=f"ecs-cd/{VERSION}",
    )


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
