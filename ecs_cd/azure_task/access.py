"""The credentials of a call of the task: its service connections, its variables, and the agent's proxy."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

from ecs_cd.aws import AwsSettings
from ecs_cd.azure_devops import AzureDevOpsSettings
from ecs_cd.azure_task import network
from ecs_cd.azure_task.agent import Agent
from ecs_cd.azure_task.credentials import aws_settings
from ecs_cd.azure_task.request import Request
from ecs_cd.azure_task.task_log import TaskLog
from ecs_cd.connections import FromSettings
from ecs_cd.errors import SettingsError
from ecs_cd.settings import DeliverySettings
from ecs_cd.support import naming_rules
from ecs_cd.support.clock import Clock


class ServiceConnections(FromSettings):
    """The service connections that were given to the task, else what the settings say."""

    def __init__(
        self, request: Request, agent: Agent, task_log: TaskLog, clock: Clock, environ: MutableMapping[str, str]
    ) -> None:
        """Take them from the request; proxy and certificates are set in `environ`, which is the process's own."""
        self._request = request
        self._agent = agent
        self._task_log = task_log
        self._clock = clock
        self._environ = environ

    def prepare(self, settings: Sequence[DeliverySettings]) -> None:
        """Set the agent's proxy and certificates for the hosts of both clouds."""
        usual = self._environ.get("AWS_REGION", "") or self._environ.get("AWS_DEFAULT_REGION", "")
        regions = [region for one in settings for region in (one.region or usual, one.registry_region)]
        addresses = network.aws_addresses(dict.fromkeys(regions), self._environ)
        organizations = dict.fromkeys(one.organization for one in settings)
        addresses += filter(None, [*organizations, self._agent.value("SYSTEM_OIDCREQUESTURI")])
        network.apply(self._request, addresses, self._environ, self._task_log)

    def aws(self, settings: DeliverySettings, purpose: str) -> AwsSettings:
        """Return the AWS service connection, or the variables, else what the agent has."""
        return aws_settings(
            self._request,
            settings,
            purpose,
            agent=self._agent,
            task_log=self._task_log,
            clock=self._clock,
            environ=self._environ,
        )

    def azure_devops(self, settings: DeliverySettings) -> AzureDevOpsSettings:
        """Return the service connection's token, else the job's own; neither is sent to another organization."""
        connection = self._request.azure_devops
        if connection and not naming_rules.same_organization(connection.url, settings.organization):
            raise SettingsError(
                f"The Azure DevOps service connection is one to {connection.url}, not to {settings.organization}.",
                hint="Choose the service connection of that organization, or leave input 'organization' out.",
            )
        if settings.token is None:
            raise SettingsError(
                "The job gave the task no token for Azure DevOps.",
                hint="Choose a service connection with input 'azureDevOpsConnection'.",
            )
        self._task_log.debug(f"Azure DevOps: {settings.organization} with {settings.token.variable}")
        return super().azure_devops(settings)
