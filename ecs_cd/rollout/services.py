"""What the steps need of ECS."""

from __future__ import annotations

from typing import Protocol

from ecs_cd.model.service import ServiceSnapshot, ServiceTarget, TaskDefinition
from ecs_cd.model.stopped_task import StoppedTask


class Services(Protocol):
    """The ECS services of one account and region."""

    def snapshot(self, target: ServiceTarget) -> ServiceSnapshot | None:
        """Return the service as it is now; None when the cluster has no such service."""

    def brief(self, target: ServiceTarget) -> ServiceSnapshot | None:
        """Return the service as `snapshot` does, in two requests: without digests and service deployment."""

    def task_definition(self, family: str) -> TaskDefinition | None:
        """Return the latest active revision of a task definition; None when there is none."""

    def stopped_tasks(self, target: ServiceTarget, task_definition: str) -> tuple[StoppedTask, ...]:
        """Return the service's lately stopped tasks of one task definition (ARN; empty: of any), newest first."""
