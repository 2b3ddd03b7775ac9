"""ECS's own record of one deployment of a service: the API's `ServiceDeployment`, as far as a verdict needs it.

ECS has such records for services whose controller is ECS, since 25 October 2024 (ListServiceDeployments).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ServiceRevision:
    """A version of a service in one deployment: `requested`, `running` and `pending` count its tasks.

    The weights are the percentages of traffic that ECS has asked the load balancer for; None where ECS moves none.
    """

    arn: str
    requested: int = 0
    running: int = 0
    pending: int = 0
    production_weight: float | None = None
    test_weight: float | None = None


@dataclass(frozen=True)
class LifecycleHook:
    """A hook of the current lifecycle stage. `kind` is AWS_LAMBDA or PAUSE.

    `status`: AWAITING_ACTION (a PAUSE hook that somebody must answer), IN_PROGRESS, SUCCEEDED, FAILED or TIMED_OUT. At
    `expires_at` ECS does by itself what `timeout_action` says: ROLLBACK or CONTINUE.
    """

    id: str
    kind: str
    status: str
    target_arn: str = ""
    expires_at: datetime | None = None
    timeout_action: str = ""


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
    CANARY. `stage` is the lifecycle stage, such as BAKE_TIME; empty where ECS says none. `early_success_percent`: the
    deployment may end when so many percent of the tasks are healthy; None where it may not.
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

    @property
    def id(self) -> str:
        """Return the last part of the ARN."""
        return self.arn.rpartition("/")[2]
