"""From settings to the adapters of both clouds: the one place where they are made, kept and closed.

Nothing is imported or sent before it is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ecs_cd.aws import Aws, AwsSettings, quotas
from ecs_cd.aws import connect as connect_aws
from ecs_cd.azure_devops import AzureDevOps, AzureDevOpsSettings
from ecs_cd.azure_devops import connect as connect_azure_devops
from ecs_cd.delivery.context import Clouds
from ecs_cd.errors import SettingsError, WrongInput
from ecs_cd.messages import Message, SettingRef
from ecs_cd.settings import DeliverySettings
from ecs_cd.support.clock import Clock
from ecs_cd.support.rate_limit import RateLimit

if TYPE_CHECKING:
    import boto3
    from azure.devops.connection import Connection


class Access(Protocol):
    """Whose credentials a call uses. The Azure Pipelines task has service connections; all else has `FromSettings`."""

    def prepare(self, settings: Sequence[DeliverySettings]) -> None:
        """Take note of everything a call is about to talk to, before it connects.

        Raises:
            SettingsError: it must not talk to one of them.
        """

    def aws(self, settings: DeliverySettings, purpose: str) -> AwsSettings:
        """Return how AWS is reached; `purpose` may become part of the name under which AWS records the session.

        Raises:
            SettingsError: a setting is missing or wrong.
        """

    def azure_devops(self, settings: DeliverySettings) -> AzureDevOpsSettings:
        """Return how the Azure DevOps project is reached.

        Raises:
            SettingsError: there is no token.
        """


class FromSettings:
    """Credentials as the settings, the environment and the SDKs' own files have them."""

    def prepare(self, settings: Sequence[DeliverySettings]) -> None:
        """Do nothing: the SDKs find their way by themselves."""

    def aws(self, settings: DeliverySettings, purpose: str) -> AwsSettings:  # noqa: ARG002 - see Access
        """Return region, profile and role of the environment."""
        return AwsSettings(
            region=settings.region,
            profile=settings.profile,
            role_arn=settings.role_arn,
            external_id=settings.external_id,
        )

    def azure_devops(self, settings: DeliverySettings) -> AzureDevOpsSettings:
        """Return organization, project and token."""
        if settings.token is None:
            raise SettingsError(
                "There is no token for Azure DevOps.",
                hint=Message(
                    "Give a personal access token with ",
                    SettingRef("azure_devops_pat"),
                    ", or, in a pipeline, pass the job's own token as SYSTEM_ACCESSTOKEN.",
                ),
            )
        secret = {"token" if settings.token.bearer else "pat": settings.token.value}
        return AzureDevOpsSettings(settings.organization, settings.project, **secret)


class Connections:
    """The connections of a client, kept over its calls; safe to use from several threads."""

    def __init__(
        self,
        access: Access,
        clock: Clock,
        *,
        session: boto3.Session | None = None,
        connection: Connection | None = None,
    ) -> None:
        """Connect with `access`, or with the caller's own session and connection where they are given."""
        self._access = access
        self._clock = clock
        self._session = session
        self._connection = connection
        self._lock = threading.Lock()
        self._aws: dict[tuple[AwsSettings, bool], Aws] = {}
        self._azure_devops: dict[AzureDevOpsSettings, AzureDevOps] = {}
        self._rates: dict[tuple[str, str], Mapping[str, RateLimit]] = {}
        self._closed = False

    def prepare(self, settings: Sequence[DeliverySettings]) -> None:
        """Take note of everything a call is about to talk to.

        Raises:
            WrongInput: the client is closed, or it must not talk to one of them.
        """
        if self._closed:
            raise WrongInput("The client is closed.", hint="Make another, or call it within its `with` block.")
        self._access.prepare(settings)

    def clouds(self, settings: DeliverySettings, purpose: str) -> Clouds:
        """Return everything a delivery talks to.

        Raises:
            SettingsError: credentials are missing or wrong.
        """
        aws = self.aws(settings, purpose)
        return Clouds(aws.images, aws.parameters, self.azure_devops(settings), aws.services, aws.logs)

    def aws(self, settings: DeliverySettings, purpose: str, *, within_quotas: bool = False) -> Aws:
        """Return the AWS account and region of an environment.

        `within_quotas`: keep to a share of the request rates that AWS grants, as a look at many services must.

        Raises:
            SettingsError: credentials are missing or wrong.
        """
        wanted = self._access.aws(settings, purpose)
        with self._lock:
            found = self._aws.get((wanted, within_quotas))
            if found is None:
                rates = self._rates_of(wanted) if within_quotas else None
                found = connect_aws(wanted, self._session, clock=self._clock, rates=rates)
                self._aws[wanted, within_quotas] = found
        return found

    def azure_devops(self, settings: DeliverySettings) -> AzureDevOps:
        """Return the Azure DevOps project.

        Raises:
            SettingsError: there is no token, or the caller's connection is one to another organization.
        """
        if self._connection is None:
            wanted = self._access.azure_devops(settings)
        else:
            wanted = AzureDevOpsSettings(settings.organization, settings.project)
        with self._lock:
            if wanted not in self._azure_devops:
                self._azure_devops[wanted] = connect_azure_devops(wanted, self._clock, self._connection)
            return self._azure_devops[wanted]

    def close(self) -> None:
        """Close every connection."""
        self._closed = True
        with self._lock:
            adapters: list[Aws | AzureDevOps] = [*self._aws.values(), *self._azure_devops.values()]
            for adapter in adapters:
                adapter.close()
            self._aws.clear()
            self._azure_devops.clear()

    def _rates_of(self, wanted: AwsSettings) -> Mapping[str, RateLimit]:
        """Return the request rates of an account and region; accounts are distinguished by role or profile."""
        grant = (wanted.region, wanted.role_arn.partition("/")[0] or wanted.profile)
        return self._rates.setdefault(grant, quotas.rates(self._clock))
