"""What the settings come to for one service in one environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ecs_cd.model.order import Order
from ecs_cd.model.service import ServiceTarget, TaskTarget
from ecs_cd.model.service_deployment import RolloutUntil
from ecs_cd.settings import values
from ecs_cd.settings.commands import ECS
from ecs_cd.settings.setting import Kind, Section, Setting
from ecs_cd.settings.table import TABLE
from ecs_cd.settings.values import Value

_INTO_TARGET = (*ECS, "verify")


@dataclass(frozen=True)
class Token:
    """What proves to Azure DevOps who we are: a personal access token, or the job's own token (`bearer`)."""

    value: str = field(repr=False)
    variable: str
    bearer: bool = False


def _typed(setting: Setting, value: Value) -> Any:  # noqa: ANN401 - of the type of the field below
    """Return a value as the field of its name has it."""
    if isinstance(value, dict):
        return MappingProxyType(value)
    return setting.enum(value) if setting.enum else value


def _defaults() -> dict[str, Any]:
    """Return what a setting is that nobody gave: the table's default, or empty."""
    empty: Mapping[Kind, Value] = {Kind.SWITCH: False, Kind.DURATION: 0.0, Kind.TEXT: ""}
    return {
        setting.name: _typed(
            setting,
            empty[setting.kind]
            if not setting.default or setting.default.startswith("{")
            else values.read(setting, setting.default),
        )
        for setting in TABLE
        if setting.section is not Section.CALL and setting.kind is not Kind.MAP
    }


_DEFAULT = _defaults()


@dataclass(frozen=True)
class DeliverySettings:
    """All that one delivery needs, with placeholders filled and names checked. Times are in seconds.

    Text that nobody gave and that no asked-for step needs is empty. `branch` is a full ref. `pipeline` is an id or a
    name. `target` is None where the rollout is not to be verified, or where `task` is what is verified instead.
    """

    service: str
    environment: str
    organization: str = _DEFAULT["organization"]
    project: str = _DEFAULT["project"]
    token: Token | None = None
    parameter: str = _DEFAULT["parameter"]
    create_parameter: bool = _DEFAULT["create_parameter"]
    order: Order = _DEFAULT["order"]
    repository: str = _DEFAULT["repository"]
    registry: str = _DEFAULT["registry"]
    registry_region: str = _DEFAULT["registry_region"]
    check_image: bool = _DEFAULT["check_image"]
    wait_for_image: float = _DEFAULT["wait_for_image"]
    pipeline: int | str = _DEFAULT["pipeline"]
    branch: str = _DEFAULT["branch"]
    template_parameters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    target: ServiceTarget | None = None
    task: TaskTarget | None = None
    allow_missing_service: bool = _DEFAULT["allow_missing_service"]
    rollback: str = _DEFAULT["rollback"]
    rollout_until: RolloutUntil = _DEFAULT["rollout_until"]
    timeout: float = _DEFAULT["timeout"]
    region: str = _DEFAULT["region"]
    profile: str = _DEFAULT["profile"]
    role_arn: str = _DEFAULT["role_arn"]
    external_id: str = _DEFAULT["external_id"]
    promote_from: str = _DEFAULT["promote_from"]
    promote_after: float = _DEFAULT["promote_after"]


def built(service: str, environment: str, found: Mapping[str, Any], token: Token | None) -> DeliverySettings:
    """Return the settings of a delivery from values that are filled and checked, by the names of the table."""
    fields = {
        setting.name: _typed(setting, found[setting.name])
        for setting in TABLE
        if setting.name in found and setting.section is not Section.CALL and setting.name not in _INTO_TARGET
    }
    if (pipeline := fields.get("pipeline", "")).isdigit():
        fields["pipeline"] = int(pipeline)
    if (branch := fields.get("branch")) and not branch.startswith("refs/"):
        fields["branch"] = f"refs/heads/{branch}"
    if "organization" in fields:
        fields["organization"] = fields["organization"].rstrip("/")
    return DeliverySettings(service, environment, token=token, target=_target(found), task=_task(found), **fields)


def _task(found: Mapping[str, Any]) -> TaskTarget | None:
    """Return the task definition, which takes the place of a service."""
    if not found.get("verify", True) or "task_definition" not in found:
        return None
    return TaskTarget(found["task_definition"], found.get("container", ""), found.get("repository", ""))


def _target(found: Mapping[str, Any]) -> ServiceTarget | None:
    if _task(found) or not found.get("verify", True) or "cluster" not in found or "ecs_service" not in found:
        return None
    return ServiceTarget(
        found["cluster"], found["ecs_service"], found.get("container", ""), found.get("repository", "")
    )
