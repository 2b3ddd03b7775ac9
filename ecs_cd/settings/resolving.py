"""Settings as loaded, and what they come to for one service in one environment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ecs_cd.errors import SettingsError
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.order import Order
from ecs_cd.model.service import ServiceTarget
from ecs_cd.sanitize import comma_list, did_you_mean, quoted, single_line
from ecs_cd.settings import values
from ecs_cd.settings.models import EnvironmentPart, ServicePart, SettingsFile
from ecs_cd.settings.options import BY_NAME, Section, in_section
from ecs_cd.settings.values import Value
from ecs_cd.settings.yamlfile import Document
from ecs_cd.support import naming_rules

STEPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "image": ("repository",),
        "parameter": ("parameter",),
        "project": ("organization", "project"),
        "pipeline": ("organization", "project", "pipeline", "branch"),
        "rollout": ("cluster", "ecs_service"),
        "origin": ("promote_from",),
    }
)
"""What each step of a delivery, and the look at a promotion's origin, cannot do without."""

DELIVERY = ("image", "parameter", "pipeline", "rollout")
"""The steps of a whole delivery."""

PROMOTED = (*DELIVERY, "origin")
"""Those of a promotion."""

_CALLED = {"promote_from": "origin"}
"""What a setting is called in a sentence, where its name does not read as a noun."""

_IN_ECS = ("cluster", "ecs_service", "container")


@dataclass(frozen=True)
class Given:
    """A value and who said it: a flag, a variable, or a place in the file."""

    value: Value
    origin: str


@dataclass(frozen=True)
class Token:
    """What proves to Azure DevOps who we are: a personal access token, or the job's own token (`bearer`)."""

    value: str = field(repr=False)
    variable: str
    bearer: bool = False


@dataclass(frozen=True)
class DeliverySettings:
    """All that one delivery needs, with placeholders filled and names checked. Times are in seconds.

    Text that nobody gave and that no asked-for step needs is empty. `branch` is a full ref. `pipeline` is an id or a
    name. `target` is None where the rollout is not to be verified.
    """

    service: str
    environment: str
    organization: str = ""
    project: str = ""
    token: Token | None = None
    parameter: str = ""
    create_parameter: bool = False
    order: Order = Order.NUMERIC
    repository: str = ""
    registry: str = ""
    registry_region: str = ""
    check_image: bool = True
    wait_for_image: float = 0.0
    pipeline: int | str = ""
    branch: str = ""
    template_parameters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    target: ServiceTarget | None = None
    rollback: str = "never"
    timeout: float = 1800.0
    region: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = ""
    promote_from: str = ""
    promote_after: float = 0.0


@dataclass(frozen=True)
class Settings:
    """The file and the environment, checked; `resolve` makes of them what one delivery needs.

    `given` is what the `ECS_CD_*` variables say, `fallback` what counts less than the file.
    """

    file: SettingsFile = field(default_factory=SettingsFile)
    document: Document | None = field(default=None, repr=False)
    given: Mapping[str, Given] = field(default_factory=dict)
    fallback: Mapping[str, Given] = field(default_factory=dict)
    token: Token | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services the file knows, in its order."""
        return tuple(self.file.services or ())

    @property
    def environments(self) -> tuple[str, ...]:
        """Return the environments the file knows, in its order."""
        return tuple(self.file.environments or ())

    def resolve(
        self, service: str = "", environment: str = "", *, steps: Collection[str] = DELIVERY, **overrides: object
    ) -> DeliverySettings:
        """Return the settings of one service in one environment.

        A name left out is taken from `ECS_CD_SERVICE` / `ECS_CD_ENVIRONMENT`, or is the only one the file knows; any
        name will do where the file lists none. `steps`: which of `STEPS` will be taken; what they need must be there.
        `overrides` are the flags by the names of the table; None and empty text mean "not given".

        Raises:
            SettingsError: an unknown name, or every value that is missing or wrong.
        """
        service = self._chosen("service", service, self.services)
        environment = self._chosen("environment", environment, self.environments)
        found = self._layered(service, environment, _flags(overrides))
        return self._resolve(service, environment, steps, found)

    def resolve_origin(self, to: DeliverySettings, **overrides: object) -> DeliverySettings:
        """Return the settings of the environment that a service is promoted from.

        Variables and flags speak of the environment `to`: here they count where the file says nothing, and those that
        belong to an environment (region, role ...) only where the file knows no environments at all. Its ECS is asked,
        whatever `verify` says.

        Raises:
            SettingsError: as `resolve` does; or origin and destination are the same, or nothing is known of its ECS.
        """
        if to.promote_from == to.environment:
            raise SettingsError(
                f"An environment cannot follow itself: {to.environment}.",
                hint=Message("Name another environment with ", SettingRef("promote_from"), "."),
            )
        said = {**self.given, **_flags(overrides)}
        if self.environments:
            said = {name: given for name, given in said.items() if BY_NAME[name].section is not Section.ENVIRONMENT}
        here = replace(self, given={}, fallback={**self.fallback, **said})
        origin = here.resolve(to.service, to.promote_from, steps=["rollout"], verify=True)
        if origin.target and origin.target == to.target and _reached(origin) == _reached(to):
            raise SettingsError(
                f"{origin.environment} and {to.environment} are the same ECS service: "
                f"{quoted(origin.target.service)} in cluster {quoted(origin.target.cluster)}.",
                hint='Say in the settings how they differ, as with `cluster: "{environment}"`.',
            )
        return origin

    def resolve_project(self, *, steps: Collection[str] = ("project",), **overrides: object) -> DeliverySettings:
        """Return the settings that concern no service: organization, project, token, and what the flags say.

        Raises:
            SettingsError: as `resolve` does.
        """
        flags = _flags(overrides)
        found = self._layered("", "", flags)
        concerned = {
            name: given for name, given in found.items() if name in flags or BY_NAME[name].section is Section.TOP
        }
        return self._resolve("", "", steps, concerned)

    def _resolve(
        self, service: str, environment: str, steps: Collection[str], found: Mapping[str, Given]
    ) -> DeliverySettings:
        problems: list[str] = []
        filled = _filled(found, {"service": service, "environment": environment}, problems)
        problems += self._missing(filled, service, environment, steps)
        if problems:
            raise refusal(problems)
        if "project" in steps or "pipeline" in steps:
            self._refuse_foreign_organization(str(filled["organization"]))
        return _built(service, environment, filled, self.token)

    def _chosen(self, kind: str, name: str, known: tuple[str, ...]) -> str:
        if not name:
            given = self.given.get(kind)
            name = str(given.value) if given else known[0] if len(known) == 1 else ""
        if known and name not in known:
            option = BY_NAME[kind]
            if not name:
                raise SettingsError(
                    f"Which {kind}? There are: {comma_list(known)}.",
                    hint=f"Name it, or set {option.variable}.",
                )
            where = f" in '{single_line(str(self.document.path))}'" if self.document else ""
            raise SettingsError(
                f"There is no {kind} {quoted(name)}{where}.{did_you_mean(name, known)}",
                hint=f"There are: {comma_list(known)}.",
            )
        if name and (wrong := naming_rules.own(name)):
            raise SettingsError(f"The {kind} {quoted(name)} {wrong}.")
        return name

    def _layered(self, service: str, environment: str, flags: Mapping[str, Given]) -> dict[str, Given]:
        """Return the values that count: flags over environment over file over the agent's variables."""
        found = dict(self.fallback)
        top = in_section(Section.TOP)
        self._lay(found, self.file, (), top)
        self._lay(found, self.file.defaults, ("defaults",), _SERVICE_KEYS)
        self._lay(found, (self.file.services or {}).get(service), ("services", service), _SERVICE_KEYS)
        here: EnvironmentPart | None = (self.file.environments or {}).get(environment)
        self._lay(found, here, ("environments", environment), in_section(Section.ENVIRONMENT))
        special = ((here.services if here else None) or {}).get(service)
        self._lay(found, special, ("environments", environment, "services", service), _SERVICE_KEYS)
        for layer in (self.given, flags):
            for name, given in layer.items():
                _put(found, name, given)
        return found

    def _lay(self, found: dict[str, Given], part: Any, location: tuple[str, ...], keys: Mapping[str, Any]) -> None:  # noqa: ANN401 - any part of the file
        if part is None:
            return
        for key, option in keys.items():
            holder: Any = part
            *outer, last = key.split(".")
            for name in outer:
                holder = getattr(holder, name)
            if holder is not None and last in holder.model_fields_set:
                origin = self._origin((*location, *key.split(".")))
                value = getattr(holder, last)
                if value is None:
                    found.pop(option.name, None)
                else:
                    _put(found, option.name, Given(value, origin))
        if isinstance(part, ServicePart) and "ecs" in part.model_fields_set and part.ecs is None:
            for name in _IN_ECS:
                found.pop(name, None)
            found["verify"] = Given(value=False, origin=self._origin((*location, "ecs")))

    def _origin(self, location: tuple[str, ...]) -> str:
        place = f"{self.document.place(location)}: " if self.document else ""
        return place + ".".join(location)

    def _missing(
        self, filled: Mapping[str, Value], service: str, environment: str, steps: Collection[str]
    ) -> Iterator[str]:
        asked: set[str] = set()
        for step in steps:
            unneeded = (step == "image" and not filled.get("check_image", True)) or (
                step == "rollout" and not filled.get("verify", True)
            )
            for name in () if unneeded else STEPS[step]:
                if not filled.get(name) and name not in asked:
                    asked.add(name)
                    yield self._missing_sentence(name, service, environment)

    def _missing_sentence(self, name: str, service: str, environment: str) -> str:
        option = BY_NAME[name]
        home = {
            Section.SERVICE: f" under services.{service or '<name>'} or defaults",
            Section.ENVIRONMENT: f" under environments.{environment or '<name>'}",
        }.get(option.section, "")
        file = single_line(self.document.path.name) if self.document else "ecs-cd.yml"
        whose = " ".join(filter(None, [service and f"of {service}", environment and f"in {environment}"]))
        called = _CALLED.get(name) or option.path.replace(".", " ").replace("_", " ").replace("ecs", "ECS")
        return Message(
            f"The {called} {whose}".rstrip() + " is not set: give ",
            SettingRef(name),
            f", set {option.variable}, or write `{option.path}`{home} in {file}.",
        )

    def _refuse_foreign_organization(self, organization: str) -> None:
        """The job's token works for the job's organization alone; it is not sent to another, whoever wrote the file."""
        own = self.fallback.get("organization")
        if (
            self.token
            and self.token.bearer
            and own
            and not naming_rules.same_organization(str(own.value), organization)
        ):
            raise SettingsError(
                f"{self.token.variable} is a token for {own.value}, not for {organization}.",
                hint=Message(
                    "Give a personal access token of the other organization with ", SettingRef("azure_devops_pat"), "."
                ),
            )


def _reached(settings: DeliverySettings) -> tuple[str, ...]:
    """Return what tells the account and region of one environment from those of another."""
    return settings.region, settings.profile, settings.role_arn


_SERVICE_KEYS = in_section(Section.SERVICE)


def refusal(problems: list[str]) -> SettingsError:
    """Return the error for one or several problems, each a sentence."""
    if len(problems) == 1:
        return SettingsError(problems[0])
    return SettingsError(f"The settings have {len(problems)} mistakes.", details=tuple(problems))


def _put(found: dict[str, Given], name: str, given: Given) -> None:
    """Lay a value over what is there: a map adds to the map below it, all else replaces."""
    below = found.get(name)
    if isinstance(given.value, dict) and below and isinstance(below.value, dict):
        given = Given(below.value | given.value, given.origin)
    found[name] = given


def _flags(overrides: Mapping[str, object]) -> dict[str, Given]:
    flags: dict[str, Given] = {}
    problems: list[str] = []
    for name, raw in overrides.items():
        option = BY_NAME.get(name)
        if option is None or option.section is Section.CALL:
            raise TypeError(f"resolve() has no setting {name!r}.{did_you_mean(name, list(BY_NAME))}")
        if raw is None or raw in ("", (), []):
            continue
        try:
            flags[name] = Given(values.read(option, raw), Message(SettingRef(name)))
        except ValueError as error:
            problems.append(Message(SettingRef(name), ": ", *error.args))
    if problems:
        raise refusal(problems)
    return flags


def _filled(found: Mapping[str, Given], known: Mapping[str, str], problems: list[str]) -> dict[str, Value]:
    """Return the values with their placeholders filled, and the texts checked."""
    filled: dict[str, Value] = {}
    for name, given in found.items():
        try:
            filled[name] = _filled_value(name, given.value, known)
        except ValueError as error:  # noqa: PERF203 - every mistake is to be told
            problems.append(Message(given.origin, ": ", *error.args))
            filled[name] = given.value  # it is there, though wrong: not to be called missing too
    for name, option in BY_NAME.items():
        if name not in filled and option.default.startswith("{"):
            with suppress(ValueError):  # a default that does not fit (no service, a name ECR refuses) is none
                filled[name] = _filled_value(name, option.default, known)
    return filled


def _filled_value(name: str, value: Value, known: Mapping[str, str]) -> Value:
    option = BY_NAME[name]
    if isinstance(value, dict):
        return {key: values.fill(text, known) for key, text in value.items()}
    if isinstance(value, str):
        value = values.fill(value, known)
        values.check(option, value)
    return value


def _built(service: str, environment: str, filled: Mapping[str, Any], token: Token | None) -> DeliverySettings:
    plain = {
        name: value
        for name, value in filled.items()
        if BY_NAME[name].section is not Section.CALL and name not in (*_IN_ECS, "verify")
    }
    if "order" in plain:
        plain["order"] = Order(plain["order"])
    if (pipeline := plain.get("pipeline", "")) and pipeline.isdigit():
        plain["pipeline"] = int(pipeline)
    if (branch := plain.get("branch")) and not branch.startswith("refs/"):
        plain["branch"] = f"refs/heads/{branch}"
    if "organization" in plain:
        plain["organization"] = plain["organization"].rstrip("/")
    for name in ("template_parameters", "variables"):
        plain[name] = MappingProxyType(plain.get(name, {}))
    target = None
    if filled.get("verify", True) and "cluster" in filled and "ecs_service" in filled:
        target = ServiceTarget(
            filled["cluster"], filled["ecs_service"], filled.get("container", ""), filled.get("repository", "")
        )
    return DeliverySettings(service, environment, token=token, target=target, **plain)
