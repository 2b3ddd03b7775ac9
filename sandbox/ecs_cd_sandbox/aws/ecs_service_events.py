"""The events of a service, in ECS's words; `DescribeServices` returns a hundred at most, newest first."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from moto.core.utils import utcnow

if TYPE_CHECKING:
    from ecs_cd_sandbox.aws.ecs_tasks import DeployingService, ServiceTask

_MOST_EVENTS = 100


class ServiceEvents:
    """Writes the events of moto's `service`."""

    def __init__(self, service: DeployingService) -> None:
        self._service = service
        self._steady = False

    def add(self, message: str) -> None:
        """Add an event."""
        text = f"(service {self._service.name}) {message}"
        self._service.events.insert(0, {"id": str(uuid.uuid4()), "createdAt": utcnow(), "message": text})
        del self._service.events[_MOST_EVENTS:]

    def started(self, tasks: list[ServiceTask]) -> None:
        """Tell of new tasks."""
        self.add(f"has started {len(tasks)} tasks: {_names(tasks)}.")

    def stopped(self, tasks: list[ServiceTask]) -> None:
        """Tell of tasks that the scheduler stopped."""
        if tasks:
            self.add(f"has stopped {len(tasks)} running tasks: {_names(tasks)}.")

    def unsteady(self) -> None:
        """Have the next steady state told again."""
        self._steady = False

    def steady(self) -> None:
        """Tell of a steady state, once."""
        if not self._steady:
            self._steady = True
            self.add("has reached a steady state.")


def _names(tasks: list[ServiceTask]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
