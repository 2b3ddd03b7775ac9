"""Step 5, beforehand: what is to be verified later is there, with the container that carries the tag (rule 1)."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.errors import EcsCdError, RolloutFailed, ServiceMissing, SettingsError, TryLater
from ecs_cd.messages import Message, SettingRef, sentences
from ecs_cd.model.image_name import container_image
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget, Serving, TaskDefinition, TaskTarget
from ecs_cd.rollout.judge import judge
from ecs_cd.rollout.services import Services
from ecs_cd.rollout.task_definition import judge_task_definition
from ecs_cd.rollout.wanted import Wanted
from ecs_cd.sanitize import quoted


@dataclass(frozen=True)
class RolloutPreflight:
    """The service, or the task definition, as it is before anything is changed; None where there is or is named none.

    `refusal`: why no rollout could be verified. `missing`: it is only that something is not there, which the run may be
    about to create.
    """

    snapshot: ServiceSnapshot | None = None
    definition: TaskDefinition | None = None
    refusal: EcsCdError | None = None
    missing: bool = False

    def has(self, target: ServiceTarget | TaskTarget | None, wanted: Wanted) -> bool:
        """Return whether the wanted tag serves or is rolling out already, so that no run is needed for it."""
        if self.refusal:
            return False
        if isinstance(target, TaskTarget):
            return judge_task_definition(self.definition, target, wanted).serving is Serving.DEPLOYED
        if self.snapshot is None:
            return False
        return judge(self.snapshot, wanted).serving in (Serving.DEPLOYED, Serving.BAKING, Serving.ROLLING)


def check_target(services: Services, target: ServiceTarget | TaskTarget | None) -> RolloutPreflight:
    """Look at the service or task definition and its container: two requests, one after the other.

    Errors are part of what is returned.
    """
    try:
        if isinstance(target, TaskTarget):
            return _of_definition(services.task_definition(target.family), target)
        return _of_snapshot(services.brief(target), target) if target else RolloutPreflight()
    except TryLater:  # the rollout phase asks again
        return RolloutPreflight()
    except EcsCdError as error:
        if isinstance(error, RolloutFailed) and isinstance(target, ServiceTarget):
            return _missing(f"There is no ECS cluster {quoted(target.cluster)} in this account and region.", "cluster")
        return RolloutPreflight(refusal=error)


def _of_snapshot(snapshot: ServiceSnapshot | None, target: ServiceTarget) -> RolloutPreflight:
    name = f"service {quoted(target.service)}"
    if snapshot is None or snapshot.status == "INACTIVE":
        return _missing(f"ECS cluster {quoted(target.cluster)} has no {name}.", "ecs_service")
    if snapshot.status != "ACTIVE":
        problem = f"ECS {name} in cluster {quoted(target.cluster)} is {snapshot.status}: it is being deleted."
        return _missing(problem, "ecs_service")
    primary = snapshot.primary
    refusal = _container_refusal(primary.task_definition, target) if primary else None
    return RolloutPreflight(snapshot, refusal=refusal, missing=refusal is not None)


def _of_definition(definition: TaskDefinition | None, target: TaskTarget) -> RolloutPreflight:
    if definition is None:
        problem = f"There is no task definition {quoted(target.family)} in this account and region."
        return _missing(problem, "task_definition")
    refusal = _container_refusal(definition, target)
    return RolloutPreflight(definition=definition, refusal=refusal, missing=refusal is not None)


def _container_refusal(definition: TaskDefinition, target: ServiceTarget | TaskTarget) -> EcsCdError | None:
    try:
        container_image(definition, target)
    except SettingsError as refusal:
        also = Message(
            "Where Terraform adds or renames it in this very delivery, say so with ",
            SettingRef("allow_missing_service"),
            ".",
        )
        return SettingsError(refusal.message, hint=sentences(refusal.hint, also))
    return None


def _missing(problem: str, setting: str) -> RolloutPreflight:
    hint = Message(
        "Check ",
        SettingRef(setting),
        " and the region; where Terraform creates it in this very delivery, say so with ",
        SettingRef("allow_missing_service"),
        ".",
    )
    return RolloutPreflight(refusal=ServiceMissing(problem, hint=hint), missing=True)
