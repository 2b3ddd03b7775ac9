"""The tasks of an ECS service: ListTasks, and DescribeTasks for every hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecs_cd.support.concurrency import batches

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient
    from types_boto3_ecs.type_defs import TaskTypeDef

_TASKS_PER_REQUEST = 100
"""The most that DescribeTasks takes (its API reference)."""


def describe_tasks(
    client: ECSClient, cluster: str, service: str, status: Literal["RUNNING", "STOPPED"]
) -> list[TaskTypeDef]:
    """Return the tasks of a service that are meant to be in this status. Raises what boto3 raises."""
    pages = client.get_paginator("list_tasks").paginate(cluster=cluster, serviceName=service, desiredStatus=status)
    arns = [arn for page in pages for arn in page["taskArns"]]
    return [
        task
        for batch in batches(arns, _TASKS_PER_REQUEST)
        for task in client.describe_tasks(cluster=cluster, tasks=batch)["tasks"]
    ]
