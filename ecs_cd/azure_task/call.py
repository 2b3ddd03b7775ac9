"""One call of the task: its request, and the way from its inputs to settings and clouds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ecs_cd import wiring
from ecs_cd.aws import Aws
from ecs_cd.aws import connect as connect_aws
from ecs_cd.azure_devops import AzureDevOps
from ecs_cd.azure_task import network
from ecs_cd.azure_task.agent import Agent
from ecs_cd.azure_task.credentials import aws_settings
from ecs_cd.azure_task.inputs import Inputs
from ecs_cd.azure_task.request import Request
from ecs_cd.azure_task.voice import Voice
from ecs_cd.client import find_tag
from ecs_cd.errors import SettingsError
from ecs_cd.model.image import TagEntry
from ecs_cd.settings import BY_NAME, PROMOTED, DeliverySettings, Given, Settings, Token, load, values
from ecs_cd.support import naming_rules
from ecs_cd.support.clock import Clock

_BEARER = frozenset({"oauth", "bearer", "jwt"})
"""Schemes of endpoints whose token is a bearer token; any other is a personal access token."""

_CONNECTION = "the Azure DevOps service connection"


@dataclass(frozen=True)
class Call:
    """What every command works with. `environ` is this process's environment."""

    request: Request
    inputs: Inputs
    agent: Agent
    voice: Voice
    clock: Clock
    environ: MutableMapping[str, str]

    def tag(self, service: str) -> TagEntry:
        """Return the tag to deliver: the input, or what the tag file says.

        Raises:
            WrongInput: there is none, or it is not a tag.
        """
        if self.inputs.tag:
            return find_tag(service, self.inputs.tag)
        entry = self.agent.read_tag(service, self.inputs.tag_file)
        self.voice.debug(f"tag file: {entry.tag} for {service or 'any service'}")
        return entry

    def tags_of_several(self) -> tuple[TagEntry, ...]:
        """Return all images of the tag file, where it names several and nothing says which service is meant.

        Raises:
            WrongInput: there is no tag file, or it is none.
        """
        if self.inputs.tag or self.inputs.service or self.agent.value(BY_NAME["service"].variable):
            return ()
        found = self.agent.read_tags(self.inputs.tag_file).entries
        return found if len(found) > 1 else ()

    def resolve(self, steps: Collection[str], service: str = "") -> DeliverySettings:
        """Return the settings of the service (the inputs' own, if none is said) and the environment.

        Raises:
            SettingsError: an input, a variable or the settings file is wrong.
        """
        return self._checked(
            self._settings().resolve(
                service or self.inputs.service, self.inputs.environment, steps=steps, **self.inputs.settings
            ),
            steps,
        )

    def resolve_promotion(self) -> tuple[DeliverySettings, DeliverySettings]:
        """Return the settings of the environment that is promoted to, and of the one that is promoted from.

        Raises:
            SettingsError: as `resolve`.
        """
        loaded, given = self._settings(), self.inputs
        to = loaded.resolve(given.service, given.environment, steps=PROMOTED, **given.settings)
        origin = loaded.resolve_origin(to, **given.settings)
        return self._checked(to, PROMOTED, origin), origin

    def resolve_project(self, steps: Collection[str]) -> DeliverySettings:
        """Return the settings of a pipeline that belongs to no service.

        Raises:
            SettingsError: as `resolve`.
        """
        return self._checked(self._settings().resolve_project(steps=steps, **self.inputs.settings), steps)

    @contextmanager
    def aws(self, settings: DeliverySettings, tag: str) -> Iterator[Aws]:
        """Give AWS, reached with the credentials that were given to the task."""
        reached = aws_settings(
            self.request,
            settings,
            tag,
            agent=self.agent,
            voice=self.voice,
            clock=self.clock,
            environ=self.environ,
        )
        connected = connect_aws(reached, clock=self.clock)
        try:
            yield connected
        finally:
            connected.close()

    def azure_devops(self, settings: DeliverySettings) -> AzureDevOps:
        """Return the Azure DevOps project; a context manager.

        Raises:
            SettingsError: there is no token.
        """
        if settings.token is None:
            raise SettingsError(
                "The job gave the task no token for Azure DevOps.",
                hint="Choose a service connection with input 'azureDevOpsConnection'.",
            )
        self.voice.debug(f"Azure DevOps: {settings.organization} with {settings.token.variable}")
        return wiring.azure_devops(settings, self.clock)

    def _settings(self) -> Settings:
        inputs, directory = self.inputs, self.agent.working_directory
        path = directory / inputs.config_file if inputs.config_file else None
        environ = {**self.environ, "SYSTEM_ACCESSTOKEN": self.request.access_token}
        loaded = load(path, environ, directory)
        self.voice.debug(f"settings file: {loaded.document.path if loaded.document else 'none'}")
        self.voice.hide(*([loaded.token.value] if loaded.token else []))
        return self._with_connection(self._with_region(loaded))

    def _with_region(self, loaded: Settings) -> Settings:
        """Let the variable AWS.Region count where neither input nor file names a region."""
        region = self.request.aws_variables.region
        if not region:
            return loaded
        return _fallback(loaded, "region", region, "variable 'AWS.Region'")

    def _with_connection(self, loaded: Settings) -> Settings:
        """Let the service connection say organization and token, and the job's own project no longer count."""
        connection = self.request.azure_devops
        if connection is None:
            return loaded
        own = loaded.fallback.get("organization")
        kept = dict(loaded.fallback)
        if own is None or not naming_rules.same_organization(str(own.value), connection.url):
            kept.pop("project", None)
        loaded = _fallback(replace(loaded, fallback=kept), "organization", connection.url, f"{_CONNECTION}'s address")
        bearer = connection.scheme.lower() in _BEARER
        return replace(loaded, token=Token(connection.token, _CONNECTION, bearer=bearer))

    def _checked(
        self, settings: DeliverySettings, steps: Collection[str], *others: DeliverySettings
    ) -> DeliverySettings:
        """Refuse to send a connection's token elsewhere; then open the way to what will be talked to."""
        connection = self.request.azure_devops
        if (
            connection
            and {"project", "pipeline"} & set(steps)
            and not naming_rules.same_organization(connection.url, settings.organization)
        ):
            raise SettingsError(
                f"The Azure DevOps service connection is one to {connection.url}, not to {settings.organization}.",
                hint="Choose the service connection of that organization, or leave input 'organization' out.",
            )
        usual = self.environ.get("AWS_REGION", "") or self.environ.get("AWS_DEFAULT_REGION", "")
        regions = [region for one in (settings, *others) for region in (one.region or usual, one.registry_region)]
        addresses = network.aws_addresses(dict.fromkeys(regions), self.environ)
        addresses += filter(None, [settings.organization, self.agent.value("SYSTEM_OIDCREQUESTURI")])
        network.apply(self.request, addresses, self.environ, self.voice)
        return settings


def _fallback(loaded: Settings, name: str, value: str, origin: str) -> Settings:
    """Return the settings with this value where nothing else says one.

    Raises:
        SettingsError: the value is wrong.
    """
    try:
        given = Given(values.read(BY_NAME[name], value), origin)
    except ValueError as error:
        raise SettingsError(f"{origin}: {error}") from None
    return replace(loaded, fallback={**loaded.fallback, name: given})
