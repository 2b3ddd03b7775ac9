"""The contents of `ecs-cd.yml` as plain values, once the models have checked them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecs_cd.settings.commands import ECS
from ecs_cd.settings.setting import Section
from ecs_cd.settings.table import in_section
from ecs_cd.settings.values import Value

Part = Mapping[str, Value | None]
"""The settings of one part of the file by their names in the table; None where the file has `null`."""

CONTAINERS: Mapping[Section, tuple[str, ...]] = {
    Section.TOP: ("defaults", "services", "environments"),
    Section.SERVICE: ("ecs",),
    Section.ENVIRONMENT: ("services",),
}
"""Keys of each section that hold further keys instead of a value."""


@dataclass(frozen=True)
class EnvironmentPart:
    """The settings of an environment, and those of some services there."""

    own: Part = field(default_factory=dict)
    services: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True)
class SettingsFile:
    """The whole file. Without one, all is empty."""

    top: Part = field(default_factory=dict)
    defaults: Part = field(default_factory=dict)
    services: Mapping[str, Part] = field(default_factory=dict)
    environments: Mapping[str, EnvironmentPart] = field(default_factory=dict)


def from_data(data: Mapping[str, Any]) -> SettingsFile:
    """Return the file from its keys and values, once the models have checked them."""
    return SettingsFile(
        _part(Section.TOP, data),
        _part(Section.SERVICE, data.get("defaults")),
        _services(data.get("services")),
        {name: _environment(part or {}) for name, part in (data.get("environments") or {}).items()},
    )


def _environment(data: Mapping[str, Any]) -> EnvironmentPart:
    return EnvironmentPart(_part(Section.ENVIRONMENT, data), _services(data.get("services")))


def _services(data: Mapping[str, Any] | None) -> dict[str, Part]:
    return {name: _part(Section.SERVICE, part) for name, part in (data or {}).items()}


def _part(section: Section, data: Mapping[str, Any] | None) -> Part:
    found: dict[str, Value | None] = {}
    if data is None:
        return found
    for path, setting in in_section(section).items():
        holder: Mapping[str, Any] = data
        *outer, last = path.split(".")
        for key in outer:
            holder = holder.get(key) or {}
        if last in holder:
            found[setting.name] = holder[last]
    if data.get("ecs", {}) is None:  # no service in ECS: the rollout is not verified
        found |= {**dict.fromkeys(ECS), "verify": False}
    return found
