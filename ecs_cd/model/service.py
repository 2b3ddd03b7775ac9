"""The ECS service: what it is meant to run, what it runs, and what that means for a tag."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ecs_cd.model.service_deployment import ServiceDeployment


@dataclass(frozen=True)
class ServiceTarget:
    """One container of one ECS service. `container` may be empty where only one can be meant.

    `repository` (an ECR name) helps to find the application's container among its sidecars.
    """

    cluster: str
    service: str
    container: str = ""
    repository: str = ""


@dataclass(frozen=True)
class TaskTarget:
    """One container of a task definition that no service runs: of a scheduled task, or one that is started by hand.

    `family` names the task definition; its latest revision counts. The other fields are as in `ServiceTarget`.
    """

    family: str
    container: str = ""
    repository: str = ""


@dataclass(frozen=True)
class Container:
    """A container of a task definition and the image it names."""

    name: str
    image: str


@dataclass(frozen=True)
class TaskDefinition:
    """A revision of a task definition, which never changes."""

    arn: str
    containers: tuple[Container, ...]

    @property
    def name(self) -> str:
        """Return `family:revision`."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class Deployment:
    """A deployment of an ECS service, or, where another controller moves the tasks, one of its task sets.

    `status`: PRIMARY, ACTIVE, INACTIVE (task sets: PRIMARY, ACTIVE, DRAINING). `rollout_state`: IN_PROGRESS, COMPLETED,
    FAILED, or empty where ECS does not say. `steady` is a task set's stability. `updated_at`: when it changed last (a
    task set: when it became stable). `digests`: which images the target's container runs in it, as ECS resolved them or
    its tasks report; normally one, empty where it is not known.
    """

    id: str
    status: str
    task_definition: TaskDefinition
    rollout_state: str = ""
    rollout_reason: str = ""
    desired: int = 0
    running: int = 0
    pending: int = 0
    failed_tasks: int = 0
    steady: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    digests: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceEvent:
    """A line of an ECS service's event list."""

    id: str
    at: datetime | None
    message: str


@dataclass(frozen=True)
class ServiceSnapshot:
    """An ECS service as it was at one moment. `controller` is ECS, CODE_DEPLOY or EXTERNAL; events newest first.

    `service_deployment` is ECS's record of the current or latest deployment; None where ECS has or shows none.
    `unseen`: what of it could not be seen for lack of a right, in sentences. `url` shows it in the AWS console; empty
    where that is not known.
    """

    target: ServiceTarget
    status: str
    desired: int
    running: int
    controller: str = "ECS"
    deployments: tuple[Deployment, ...] = ()
    events: tuple[ServiceEvent, ...] = ()
    service_deployment: ServiceDeployment | None = None
    unseen: tuple[str, ...] = ()
    url: str = ""

    @property
    def primary(self) -> Deployment | None:
        """Return the deployment (or task set) that serves or is meant to."""
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)


class Serving(str, Enum):
    """A verdict's kind: what ECS makes of the tag."""

    DEPLOYED = "deployed"
    ROLLING = "rolling"
    SUPERSEDED = "superseded"
    REVERTED = "reverted"
    OTHER_IMAGE = "other-image"
    FAILED = "failed"
    NOT_APPLIED = "not-applied"
    NOT_JUDGED = "not-judged"


@dataclass(frozen=True)
class Verdict:
    """What one snapshot says of one tag, in a sentence a person reads."""

    serving: Serving
    sentence: str
    image: str = ""
    deployment: Deployment | None = None


@dataclass(frozen=True)
class Rollout:
    """The end of a rollout: the verdict, the snapshot it was drawn from, and sentences on how it was reached."""

    verdict: Verdict
    snapshot: ServiceSnapshot
    notes: tuple[str, ...] = ()
