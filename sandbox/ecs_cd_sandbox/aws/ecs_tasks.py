"""Tasks and deployments of an ECS service, as moto's serializer reads them.

moto's own `Task` stops by being described, and knows one container; a service's task needs its own life.
Attribute names are the API's in snake case: that is how moto's serializer finds them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from moto.core.utils import utcnow

from ecs_cd_sandbox.aws.ecs_service_revision import ServiceRevision, shown

if TYPE_CHECKING:
    from moto.ecs.models import TaskDefinition

STOPPED = "STOPPED"


@dataclass
class TaskContainer:
    """One container of a task (the API's `Container`)."""

    name: str
    image: str
    task_arn: str
    container_arn: str
    essential: bool
    image_digest: str | None = None
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None
    killed: bool = False
    """It ended because another container of its task did."""


@dataclass
class ServiceTask:
    """One task of a service (the API's `Task`), in one of the states PENDING, RUNNING, STOPPED."""

    id: str
    task_arn: str
    cluster_name: str
    cluster_arn: str
    task_definition_arn: str
    group: str
    started_by: str
    launch_type: str
    containers: list[TaskContainer]
    last_status: str = "PENDING"
    desired_status: str = "RUNNING"
    created_at: datetime = field(default_factory=utcnow)
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    container_instance_arn: str | None = None
    tags: list[dict[str, str]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    ticks: int = 0
    """How many ticks of the scheduler it has been in its present state."""

    def advance(self) -> None:
        """Do nothing: moto calls this whenever a task is described, and this one moves by the scheduler alone."""

    @property
    def live(self) -> bool:
        """Whether it holds a place in its deployment. `StopTask` ends it from outside, which is why this is asked."""
        return self.last_status != STOPPED

    def run(self) -> None:
        """All containers are up."""
        self.last_status, self.ticks = "RUNNING", 0
        self.started_at = utcnow()
        for container in self.containers:
            container.last_status = "RUNNING"

    def stop(self, code: str, reason: str) -> None:
        """End it from outside, as the service scheduler does when it scales in."""
        self.last_status = self.desired_status = STOPPED
        self.stop_code, self.stopped_reason = code, reason
        self.stopping_at = self.stopped_at = utcnow()
        for container in self.containers:
            container.last_status = STOPPED

    def crash(self, culprit: str = "", exit_code: int = 1) -> None:
        """Let the container `culprit` exit (else the first essential one), and ECS kill the rest (143: SIGTERM)."""
        self.stop("EssentialContainerExited", "Essential container in task exited")
        essential = [container for container in self.containers if container.essential] or self.containers
        exited = next((container for container in self.containers if container.name == culprit), essential[0])
        for container in self.containers:
            container.killed = container is not exited
            container.exit_code = 143 if container.killed else exit_code

    def fail_to_pull(self, image: str) -> None:
        """Stop before it started, because `image` is not in its registry."""
        reason = pull_error(image)
        self.stop("TaskFailedToStart", reason)
        for container in self.containers:
            if container.image == image:
                container.reason = reason


@dataclass
class Deployment:
    """One deployment of a service (the API's `Deployment`) with the tasks it started."""

    id: str
    revision: ServiceRevision
    task_definition: str
    desired_count: int
    launch_type: str | None
    platform_version: str | None
    network_configuration: dict[str, Any]
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    rollout_state_reason: str = ""
    failed_tasks: int = 0
    created_at: datetime = field(default_factory=utcnow)
    updated_at: datetime = field(default_factory=utcnow)
    tasks: list[ServiceTask] = field(default_factory=list)
    proved: bool = False
    """It completed once: a rollback can return to it."""
    steady: bool = False
    """It had all its tasks once it had completed: they stay healthy from then on."""
    linger: int = 0
    """Ticks for which it is still listed after its last task has stopped."""
    warned: bool = False
    """Its failure was reported in an event; ECS does not repeat the same one at every attempt."""

    @property
    def running_count(self) -> int:
        """Tasks that run."""
        return sum(task.last_status == "RUNNING" for task in self.tasks)

    @property
    def pending_count(self) -> int:
        """Tasks that are starting."""
        return sum(task.last_status == "PENDING" for task in self.tasks)

    @property
    def healthy_count(self) -> int:
        """Tasks that have run for a tick: one that crashes at once never counts."""
        return sum(task.last_status == "RUNNING" and task.ticks > 0 for task in self.tasks)

    @property
    def settled(self) -> bool:
        """Whether the desired tasks run, and no others."""
        return self.healthy_count == len(self.live_tasks) == self.desired_count

    @property
    def live_tasks(self) -> list[ServiceTask]:
        """Tasks that run or are starting, oldest first."""
        return [task for task in self.tasks if task.live]

    def turn(self, state: str, reason: str) -> None:
        """Change the rollout's state."""
        self.rollout_state, self.rollout_state_reason = state, reason
        self.updated_at = utcnow()


class DeployingService(Protocol):
    """moto's `Service` as far as a rollout reads and writes it; `deployments` hold ours instead of moto's dicts."""

    name: str
    cluster_name: str
    cluster_arn: str
    task_definition: str
    desired_count: int
    running_count: int
    pending_count: int
    launch_type: str | None
    platform_version: str | None
    network_configuration: dict[str, Any]
    deployment_configuration: dict[str, Any]
    load_balancers: list[dict[str, Any]]
    deployments: list[Deployment]
    current_service_deployment: str | None
    current_service_revisions: list[dict[str, Any]]
    events: list[dict[str, Any]]

    @property
    def arn(self) -> str:
        """The service's ARN."""


def pull_error(image: str) -> str:
    """ECS's words for an image that its registry does not have."""
    return (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image}: {image}: not found"
    )


def new_task(service: DeployingService, deployment: Deployment, definition: TaskDefinition) -> ServiceTask:
    """Make a PENDING task of moto's `service`; `definition` is moto's task definition."""
    digests = deployment.revision.task_digests(shown.tasks)
    task_id = uuid.uuid4().hex
    arn = service.arn.replace(":service/", ":task/").rpartition("/")[0] + f"/{task_id}"
    described: list[dict[str, Any]] = definition.container_definitions
    containers = [
        TaskContainer(
            name=container["name"],
            image=container["image"],
            task_arn=arn,
            container_arn=f"{arn.replace(':task/', ':container/')}/{uuid.uuid4()}",
            essential=container.get("essential", True),
            image_digest=digests.get(container["name"]),
        )
        for container in described
    ]
    return ServiceTask(
        id=task_id,
        task_arn=arn,
        cluster_name=service.cluster_name,
        cluster_arn=service.cluster_arn,
        task_definition_arn=definition.arn,
        group=f"service:{service.name}",
        started_by=deployment.id,
        launch_type=service.launch_type or "EC2",
        containers=containers,
    )
