"""Step 5, beforehand: the cluster, the service and the container are there to be verified later (rule 1)."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.errors import EcsCdError, RolloutFailed, ServiceMissing, SettingsError, TryLater
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.image_name import container_image
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget
from ecs_cd.rollout.services import Services
from ecs_cd.sanitize import quoted


@dataclass(frozen=True)
class ServicePreflight:
    """The service as it is before anything is changed; None where there is none or none is named.

    `refusal`: why no rollout could be verified. `missing`: it is only that something is not there, which the run may be
    about to create.
    """

    snapshot: ServiceSnapshot | None = None
    refusal: EcsCdError | None = None
    missing: bool = False


def check_service(services: Services, target: ServiceTarget | None) -> ServicePreflight:
    """Look at the service and its container: two requests, one after the other. Errors are part of what is returned."""
    if target is None:
        return ServicePreflight()
    try:
        snapshot = services.brief(target)
    except RolloutFailed:
        return _missing(f"There is no ECS cluster {quoted(target.cluster)} in this account and region.", "cluster")
    except TryLater:  # the rollout phase asks again
        return ServicePreflight()
    except EcsCdError as error:
        return ServicePreflight(refusal=error)
    return _of_snapshot(snapshot, target)


def _of_snapshot(snapshot: ServiceSnapshot | None, target: ServiceTarget) -> ServicePreflight:
    name = f"service {quoted(target.service)}"
    if snapshot is None or snapshot.status == "INACTIVE":
        return _missing(f"ECS cluster {quoted(target.cluster)} has no {name}.", "ecs_service")
    if snapshot.status != "ACTIVE":
        problem = f"ECS {name} in cluster {quoted(target.cluster)} is {snapshot.status}: it is being deleted."
        return _missing(problem, "ecs_service")
    try:
        if snapshot.primary:
            container_image(snapshot.primary.task_definition, target)
    except SettingsError as error:
        return ServicePreflight(snapshot, error, missing=True)
    return ServicePreflight(snapshot)


def _missing(problem: str, setting: str) -> ServicePreflight:
    hint = Message(
        "Check ",
        SettingRef(setting),
        " and the region; where Terraform creates it in this very delivery, say so with ",
        SettingRef("allow_missing_service"),
        ".",
    )
    return ServicePreflight(refusal=ServiceMissing(problem, hint=hint), missing=True)
