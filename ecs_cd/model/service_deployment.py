"""ECS's own record of one deployment of a service: the API's `ServiceDeployment`, as far as a verdict needs it.

ECS has such records for services whose controller is ECS, since 25 October 2024 (ListServiceDeployments).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

_SHIFTED = ("BAKE_TIME", "CLEAN_UP")
"""The stages after the production traffic, and the hooks of its shift, are over (API reference, `lifecycleStage`)."""
_ALL = 100.0


class RolloutUntil(str, Enum):
    """When a delivery stops following: when the deployment is over, or once all production traffic has moved."""

    COMPLETED = "completed"
    PRODUCTION_TRAFFIC = "production-traffic"


@dataclass(frozen=True)
class RevisionImage:
    """The image of one container of a service revision; `digest` is empty where ECS has not resolved it."""

    container: str
    image: str
    digest: str = ""


@dataclass(frozen=True)
class ServiceRevision:
    """A version of a service in one deployment: `requested`, `running` and `pending` count its tasks.

    The counts of a deployment that is over are those at its end. The weights are the percentages of traffic that ECS
    has asked the load balancer for; None where ECS moves none. `task_definition` (an ARN) and `images` are empty where
    the revision itself could not be seen.
    """

    arn: str
    requested: int = 0
    running: int = 0
    pending: int = 0
    production_weight: float | None = None
    test_weight: float | None = None
    task_definition: str = ""
    images: tuple[RevisionImage, ...] = ()

    @property
    def number(self) -> str:
        """Return the last part of the ARN, which the id of its deployment in DescribeServices ends with, too."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class LifecycleHook:
    """A hook of the current lifecycle stage. `kind` is AWS_LAMBDA or PAUSE.

    `status`: AWAITING_ACTION (a PAUSE hook that somebody must answer), IN_PROGRESS, SUCCEEDED, FAILED or TIMED_OUT. At
    `expires_at` ECS does by itself what `timeout_action` says: ROLLBACK or CONTINUE. `since`: when it began, None where
    ECS does not say.
    """

    id: str
    kind: str
    status: str
    target_arn: str = ""
    expires_at: datetime | None = None
    timeout_action: str = ""
    since: datetime | None = None

    @property
    def name(self) -> str:
        """Return what a person calls it: the Lambda function's name, or the hook's id."""
        return self.target_arn.partition(":function:")[2] or self.target_arn or self.id


@dataclass(frozen=True)
class DeploymentMonitor:
    """What may end a deployment early: its circuit breaker, or its alarms.

    `status`: TRIGGERED, MONITORING, MONITORING_COMPLETE or DISABLED. The breaker has `failures` and their `threshold`;
    alarms have `names`, and `triggered` those that ended it.
    """

    status: str
    failures: int = 0
    threshold: int = 0
    names: tuple[str, ...] = ()
    triggered: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceDeployment:
    """One deployment of an ECS service.

    `status`: PENDING, IN_PROGRESS, STOP_REQUESTED, STOPPED, SUCCESSFUL, ROLLBACK_REQUESTED, ROLLBACK_IN_PROGRESS,
    ROLLBACK_SUCCESSFUL or ROLLBACK_FAILED; `reason` is ECS's word for it. `strategy`: ROLLING, BLUE_GREEN, LINEAR or
    CANARY, or CODE_DEPLOY for a deployment of AWS CodeDeploy. `stage` is the lifecycle stage, such as BAKE_TIME; empty
    where ECS says none. `stage_since`: when it was first seen there, None where it is not followed.
    `early_success_percent`: the deployment may end when so many percent of the tasks are healthy; None where it may
    not.
    """

    arn: str
    status: str
    reason: str = ""
    strategy: str = "ROLLING"
    stage: str = ""
    target: ServiceRevision | None = None
    sources: tuple[ServiceRevision, ...] = ()
    hooks: tuple[LifecycleHook, ...] = ()
    bake_minutes: int = 0
    breaker: DeploymentMonitor | None = None
    alarms: DeploymentMonitor | None = None
    rollback_reason: str = ""
    rollback_to: str = ""
    early_success_percent: int | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime | None = None
    stage_since: datetime | None = None

    @property
    def waiting(self) -> tuple[LifecycleHook, ...]:
        """Return the hooks that wait for somebody."""
        return tuple(hook for hook in self.hooks if hook.status == "AWAITING_ACTION") if self.goes_on else ()

    @property
    def goes_on(self) -> bool:
        """Return whether it is under way, and not being taken back."""
        return self.status in ("PENDING", "IN_PROGRESS")

    @property
    def over(self) -> bool:
        """Return whether its status is final."""
        return self.status in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")

    @property
    def has_production_traffic(self) -> bool:
        """Return whether all production traffic has moved to its revision, and nothing of the shift is left to do."""
        weight = self.target.production_weight if self.target else None
        return self.stage in _SHIFTED and (weight is None or weight >= _ALL)

    @property
    def bake_ends_at(self) -> datetime | None:
        """Return when the bake time ends, by ECS's clock; None while it has not begun, or is not known."""
        began = self.stage_since or self.updated_at
        return began + timedelta(minutes=self.bake_minutes) if self.stage == "BAKE_TIME" and began else None

    @property
    def id(self) -> str:
        """Return the last part of the ARN."""
        return self.arn.rpartition("/")[2]
