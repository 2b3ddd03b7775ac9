"""The lately stopped tasks of a service. ECS forgets a stopped task after about an hour."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ecs_cd.aws.log_locations import log_location
from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.aws.service_tasks import describe_tasks
from ecs_cd.aws.task_definitions import TaskDefinitions
from ecs_cd.errors import EcsCdError
from ecs_cd.model.service import ServiceTarget
from ecs_cd.model.stopped_task import StoppedContainer, StoppedTask
from ecs_cd.sanitize import quoted

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient
    from types_boto3_ecs.type_defs import ContainerDefinitionOutputTypeDef, ContainerTypeDef, TaskTypeDef

_LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


def stopped_tasks(
    ecs: ServiceClient[ECSClient], definitions: TaskDefinitions, target: ServiceTarget, task_definition: str
) -> tuple[StoppedTask, ...]:
    """Return the service's lately stopped tasks of one task definition (ARN; empty: of any), newest first.

    ListTasks, DescribeTasks for every hundred; the task definition is known by then.

    Raises:
        AccessDenied: `ecs:ListTasks` or `ecs:DescribeTasks` is not allowed.
    """
    doing = f"see the stopped tasks of ECS service {quoted(target.service)} in cluster {quoted(target.cluster)}"
    with ecs.calling(doing) as client:
        tasks = [
            task
            for task in describe_tasks(client, target.cluster, target.service, "STOPPED")
            if not task_definition or task["taskDefinitionArn"] == task_definition
        ]
        tasks.sort(key=lambda task: task.get("stoppedAt", _LONG_AGO), reverse=True)
        defined = {arn: _containers(definitions, arn) for arn in {task["taskDefinitionArn"] for task in tasks}}
        return tuple(_stopped(task, defined[task["taskDefinitionArn"]]) for task in tasks)


def _containers(definitions: TaskDefinitions, arn: str) -> Mapping[str, ContainerDefinitionOutputTypeDef]:
    with suppress(EcsCdError):  # what is essential and where it logs is worth less than why the task stopped
        return {one["name"]: one for one in definitions.containers(arn)}
    return {}


def _stopped(task: TaskTypeDef, defined: Mapping[str, ContainerDefinitionOutputTypeDef]) -> StoppedTask:
    return StoppedTask(
        task_definition_arn=task["taskDefinitionArn"],
        reason=task.get("stoppedReason") or task.get("stopCode", "no reason given"),
        stopped_at=task.get("stoppedAt"),
        containers=tuple(_container(one, task, defined) for one in task.get("containers", [])),
        arn=task["taskArn"],
        stop_code=task.get("stopCode", ""),
    )


def _container(
    container: ContainerTypeDef, task: TaskTypeDef, defined: Mapping[str, ContainerDefinitionOutputTypeDef]
) -> StoppedContainer:
    definition = defined.get(container["name"])
    return StoppedContainer(
        name=container["name"],
        exit_code=container.get("exitCode"),
        reason=container.get("reason", ""),
        essential=definition.get("essential", True) if definition else True,
        unhealthy=container.get("healthStatus") == "UNHEALTHY",
        log=log_location(definition, task, container) if definition else None,
    )
