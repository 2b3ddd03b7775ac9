"""Settings as loaded, and the way from them to what one delivery needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ecs_cd.errors import SettingsError
from ecs_cd.messages import Message, SettingRef
from ecs_cd.sanitize import comma_list, did_you_mean, quoted, single_line
from ecs_cd.settings.document import FILE_NAME, Document, Location
from ecs_cd.settings.file import SettingsFile
from ecs_cd.settings.layers import Given, file_values, filled, from_keywords, put, refusal
from ecs_cd.settings.resolved import DeliverySettings, Token, built
from ecs_cd.settings.setting import Section
from ecs_cd.settings.steps import DELIVERY, missing
from ecs_cd.settings.table import BY_NAME
from ecs_cd.support import naming_rules

_NOUNS = {"promote_from": "origin"}
"""Words for settings whose name is not a noun."""


@dataclass(frozen=True)
class Settings:
    """The file and the environment, checked; `resolve` makes of them what one delivery needs.

    `given` are the values of `ECS_CD_*` variables, `fallback` those that the file overrides. `searched` is the folder
    from which a file was looked for upwards, where there is none.
    """

    file: SettingsFile = field(default_factory=SettingsFile)
    document: Document | None = field(default=None, repr=False)
    given: Mapping[str, Given] = field(default_factory=dict)
    fallback: Mapping[str, Given] = field(default_factory=dict)
    token: Token | None = None
    searched: Path | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services the file knows, in its order."""
        return tuple(self.file.services)

    @property
    def environments(self) -> tuple[str, ...]:
        """Return the environments the file knows, in its order."""
        return tuple(self.file.environments)

    def resolve(
        self, service: str = "", environment: str = "", *, steps: Collection[str] = DELIVERY, **keywords: object
    ) -> DeliverySettings:
        """Return the settings of one service in one environment.

        A name left out is taken from `ECS_CD_SERVICE` / `ECS_CD_ENVIRONMENT`, or is the only one the file knows; any
        name will do where the file lists none. `steps`: which of `STEPS` will be taken; what they need must be there.
        `keywords` are settings as in `SettingKeywords`, checked here; None and empty text mean "not given".

        Raises:
            SettingsError: an unknown name, or every value that is missing or wrong.
        """
        service = self._chosen("service", service, self.services)
        environment = self._chosen("environment", environment, self.environments)
        found = self._layered(service, environment, from_keywords(keywords))
        return self._resolve(service, environment, steps, found)

    def resolve_origin(self, to: DeliverySettings, **keywords: object) -> DeliverySettings:
        """Return the settings of the environment that a service is promoted from.

        Variables and keywords are meant for the environment `to`: here the file overrides them, and those of an
        environment (region, role ...) are used only if the file has no environments at all. The ECS service is
        looked up even if `verify` is off.

        Raises:
            SettingsError: as `resolve` does; or origin and destination are the same, or its ECS service is
                not in the settings.
        """
        if to.promote_from == to.environment:
            raise SettingsError(
                f"An environment cannot follow itself: {to.environment}.",
                hint=Message("Name another environment with ", SettingRef("promote_from"), "."),
            )
        given = {**self.given, **from_keywords(keywords)}
        if self.environments:
            given = {name: one for name, one in given.items() if BY_NAME[name].section is not Section.ENVIRONMENT}
        here = replace(self, given={}, fallback={**self.fallback, **given})
        origin = here.resolve(to.service, to.promote_from, steps=["rollout"], verify=True)
        if origin.target and origin.target == to.target and _account(origin) == _account(to):
            raise SettingsError(
                f"{origin.environment} and {to.environment} are the same ECS service: "
                f"{quoted(origin.target.service)} in cluster {quoted(origin.target.cluster)}.",
                hint='Give them different clusters or services in the settings, as with `cluster: "{environment}"`.',
            )
        return origin

    def resolve_project(self, *, steps: Collection[str] = ("project",), **keywords: object) -> DeliverySettings:
        """Return the settings that concern no service: organization, project, token, and the keywords.

        Raises:
            SettingsError: as `resolve` does.
        """
        given = from_keywords(keywords)
        found = {
            name: one
            for name, one in self._layered("", "", given).items()
            if name in given or BY_NAME[name].section is Section.TOP
        }
        return self._resolve("", "", steps, found)

    def _resolve(
        self, service: str, environment: str, steps: Collection[str], found: Mapping[str, Given]
    ) -> DeliverySettings:
        problems: list[str] = []
        names = {"service": service, "environment": environment}
        values = filled(found, names, problems)
        if unset := [self._missing_sentence(name, service, environment) for name in missing(values, steps)]:
            raise refusal([*problems, *unset], self._no_file_sentence())
        if problems:
            raise refusal(problems)
        if "project" in steps or "pipeline" in steps:
            self._refuse_foreign_organization(str(values["organization"]))
        return built(service, environment, values, self.token)

    def _chosen(self, kind: str, name: object, known: tuple[str, ...]) -> str:
        if not isinstance(name, str):
            raise SettingsError(f"The {kind} must be given as a string, not as {type(name).__name__}.")
        if not name:
            given = self.given.get(kind)
            name = str(given.value) if given else known[0] if len(known) == 1 else ""
        if known and name not in known:
            if not name:
                hint = f"Name it, or set {BY_NAME[kind].variable}."
                raise SettingsError(f"Which {kind}? There are: {comma_list(known)}.", hint=hint)
            where = f" in '{single_line(str(self.document.path))}'" if self.document else ""
            raise SettingsError(
                f"There is no {kind} {quoted(name)}{where}.{did_you_mean(name, known)}",
                hint=f"There are: {comma_list(known)}.",
            )
        if name and (wrong := naming_rules.place(name)):
            raise SettingsError(f"The {kind} {quoted(name)} {wrong}.")
        return name

    def _layered(self, service: str, environment: str, keywords: Mapping[str, Given]) -> dict[str, Given]:
        """Return the values by precedence: keywords, `ECS_CD_*` variables, the file, the agent's variables."""
        found = dict(self.fallback)
        for one in file_values(self.file, service, environment):
            if one.value is None:
                found.pop(one.name, None)
            else:
                put(found, one.name, Given(one.value, self._place(one.location)))
        for layer in (self.given, keywords):
            for name, given in layer.items():
                put(found, name, given)
        return found

    def _place(self, location: Location) -> str:
        place = f"{self.document.place(location)}: " if self.document else ""
        return place + ".".join(location)

    def _missing_sentence(self, name: str, service: str, environment: str) -> str:
        setting = BY_NAME[name]
        where = {
            Section.SERVICE: f" under services.{service or '<name>'} or defaults",
            Section.ENVIRONMENT: f" under environments.{environment or '<name>'}",
        }.get(setting.section, "")
        file = single_line(self.document.path.name) if self.document else FILE_NAME
        whose = " ".join(filter(None, [service and f"of {service}", environment and f"in {environment}"]))
        noun = _NOUNS.get(name) or setting.path.replace(".", " ").replace("_", " ").replace("ecs", "ECS")
        return Message(
            f"The {noun} {whose}".rstrip() + " is not set: give ",
            SettingRef(name),
            f", set {setting.variable}, or write `{setting.path}`{where} in {file}.",
        )

    def _no_file_sentence(self) -> str:
        if self.searched is None:
            return ""
        return f"No {FILE_NAME} was found in '{single_line(str(self.searched))}' or above it."

    def _refuse_foreign_organization(self, organization: str) -> None:
        """The job's token works for the job's organization alone; it is not sent to another, whoever wrote the file."""
        own = self.fallback.get("organization")
        foreign = own and not naming_rules.same_organization(str(own.value), organization)
        if own and foreign and self.token and self.token.bearer:
            raise SettingsError(
                f"{self.token.variable} is a token for {own.value}, not for {organization}.",
                hint=Message(
                    "Give a personal access token of the other organization with ", SettingRef("azure_devops_pat"), "."
                ),
            )


def _account(settings: DeliverySettings) -> tuple[str, ...]:
    """Return what distinguishes the account and region of one environment from those of another."""
    return settings.region, settings.profile, settings.role_arn
