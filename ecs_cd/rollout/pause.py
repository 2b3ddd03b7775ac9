"""A deployment that waits at a PAUSE hook: who may answer it, and how (ContinueServiceDeployment)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ecs_cd.errors import EcsCdError, NothingWaits
from ecs_cd.messages import CommandRef, Message, Right
from ecs_cd.model.service import ServiceSnapshot, ServiceTarget
from ecs_cd.model.service_deployment import LifecycleHook, ServiceDeployment
from ecs_cd.rollout.follow import find_service
from ecs_cd.rollout.services import Services
from ecs_cd.sanitize import quoted


class PausedServices(Services, Protocol):
    """The ECS services of one account and region, whose deployments can be answered where they wait."""

    def answer_hook(self, record: ServiceDeployment, hook: LifecycleHook, *, rollback: bool) -> None:
        """Let a deployment go on from a hook that waits for it, or have it rolled back.

        Raises:
            AccessDenied: `ecs:ContinueServiceDeployment` is not allowed.
        """


@dataclass(frozen=True)
class Pause:
    """What was answered: the deployment, and the hooks that waited."""

    record: ServiceDeployment
    hooks: tuple[LifecycleHook, ...]


def answer_pause(services: PausedServices, target: ServiceTarget, *, rollback: bool, dry_run: bool = False) -> Pause:
    """Let the service's deployment go on from where it waits for somebody, or have it rolled back.

    Raises:
        NothingWaits: it waits for nobody, or that cannot be seen.
        RolloutFailed: there is no such service.
        EcsCdError: AWS refused, or could not be reached.
    """
    snapshot = find_service(services, target)
    record = snapshot.service_deployment
    if record is None or not record.waiting:
        raise _nothing_waits(snapshot)
    # One answer rolls the whole deployment back, and no hook of it waits any more.
    hooks = record.waiting[:1] if rollback else record.waiting
    answered: list[str] = []
    try:
        for hook in hooks if not dry_run else ():
            services.answer_hook(record, hook, rollback=rollback)
            answered.append(f"hook {quoted(hook.id)} was answered before")
    except EcsCdError as error:
        error.add(tuple(answered))
        raise
    return Pause(record, hooks)


def _nothing_waits(snapshot: ServiceSnapshot) -> NothingWaits:
    record, name = snapshot.service_deployment, quoted(snapshot.target.service)
    where = f"ECS service {name} in cluster {quoted(snapshot.target.cluster)}"
    if record is None:
        why = " ".join(snapshot.unseen) or "It has no deployment that ECS keeps a record of."
        return NothingWaits(
            f"Nothing is known to wait in {where}. {why}",
            hint=Message(
                "Only a service whose deployment controller is ECS can wait. Seeing it needs ",
                Right("ecs:ListServiceDeployments"),
                " and ",
                Right("ecs:DescribeServiceDeployments"),
                ".",
            ),
        )
    stage = f" at {record.stage}" if record.stage and not record.over else ""
    return NothingWaits(
        f"No deployment of {where} waits for somebody: its latest one is {record.status}{stage}.",
        hint=Message(CommandRef("status"), " shows what serves. Somebody may have answered, or the time was over."),
    )
