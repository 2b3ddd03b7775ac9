"""Service deployments: the record that ECS keeps of each deployment of a service, and of how it ended.

A deployment (`ecs-svc/N`) and the service revision that it begins with have the same number; a service deployment has
an id of its own and names that revision as its target. A rollback is part of the service deployment that failed: it
stays the newest one, and its target stays the revision that failed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow

from ecs_cd_sandbox.aws.ecs_service_revision import ServiceRevision

PENDING, IN_PROGRESS, SUCCESSFUL = "PENDING", "IN_PROGRESS", "SUCCESSFUL"
STOP_REQUESTED, STOPPED = "STOP_REQUESTED", "STOPPED"
ROLLBACK_REQUESTED, ROLLBACK_IN_PROGRESS = "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"
ROLLBACK_SUCCESSFUL, ROLLBACK_FAILED = "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"
FINISHED = (SUCCESSFUL, STOPPED, ROLLBACK_SUCCESSFUL, ROLLBACK_FAILED)

NO_CANDIDATE = "No rollback candidate was found to run the rollback."
"""ECS's words where there is no earlier revision to return to."""


@dataclass
class Monitor:
    """What ECS shows of the circuit breaker or of the alarms while it watches a deployment."""

    enabled: bool = False
    triggered: bool = False

    def status(self, *, finished: bool) -> str:
        """Return the API's `ServiceDeploymentRollbackMonitorsStatus`."""
        if not self.enabled:
            return "DISABLED"
        if self.triggered:
            return "TRIGGERED"
        return "MONITORING_COMPLETE" if finished else "MONITORING"


@dataclass
class Counts:
    """Tasks of one service revision, and the percentages of the traffic that ECS has asked for it."""

    requested: int = 0
    running: int = 0
    pending: int = 0
    test_weight: float | None = None
    production_weight: float | None = None

    def describe(self, arn: str) -> dict[str, Any]:
        """Return the API's `ServiceRevisionSummary`."""
        found: dict[str, Any] = {
            "arn": arn,
            "requestedTaskCount": self.requested,
            "runningTaskCount": self.running,
            "pendingTaskCount": self.pending,
        }
        if self.test_weight is not None:
            found["requestedTestTrafficWeight"] = self.test_weight
        if self.production_weight is not None:
            found["requestedProductionTrafficWeight"] = self.production_weight
        return found


@dataclass
class ServiceDeployment:
    """One service deployment (the API's `ServiceDeployment`); `count` tells of a revision's tasks while it goes on."""

    target: ServiceRevision
    sources: list[ServiceRevision]
    configuration: dict[str, Any]
    count: Callable[[ServiceRevision], Counts]
    threshold: int
    status: str = PENDING
    status_reason: str | None = None
    lifecycle_stage: str | None = None
    hooks: list[dict[str, Any]] = field(default_factory=list)
    rollback: dict[str, Any] | None = None
    breaker: Monitor = field(default_factory=Monitor)
    alarms: Monitor = field(default_factory=Monitor)
    triggered_alarms: list[str] = field(default_factory=list)
    failure_count: int = 0
    created_at: datetime = field(default_factory=utcnow)
    updated_at: datetime = field(default_factory=utcnow)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    arn: str = ""
    _final: dict[str, Counts] = field(default_factory=dict)
    """The counts as they were when it finished: ECS shows these from then on."""

    def __post_init__(self) -> None:
        base = self.target.service_arn.replace(":service/", ":service-deployment/")
        self.arn = f"{base}/{secrets.token_urlsafe(16)[:21]}"

    @property
    def finished(self) -> bool:
        """Whether its status changes no more."""
        return self.status in FINISHED

    @property
    def rolling_back(self) -> bool:
        """Whether it is on its way back to an earlier revision."""
        return self.status == ROLLBACK_IN_PROGRESS

    def start(self) -> None:
        """Begin, unless it has."""
        if self.status == PENDING:
            self.turn(IN_PROGRESS)
            self.started_at = self.updated_at

    def turn(self, status: str, reason: str | None = None) -> None:
        """Change the status; a reason that was given before stays where there is no new one."""
        if status in FINISHED:  # what was asked for to the last, which depends on the former status
            self._final = {one.arn: self.count(one) for one in (self.target, *self.sources)}
        self.status, self.status_reason = status, reason or self.status_reason
        self.updated_at = utcnow()
        if status in FINISHED:
            self.finished_at = self.updated_at
        if status == STOPPED:
            self.stopped_at = self.updated_at

    def roll_back(self, reason: str, revision: ServiceRevision | None) -> None:
        """Return to `revision`; without one the rollback has failed."""
        if revision is None:
            self.turn(ROLLBACK_FAILED, NO_CANDIDATE)
            return
        self.turn(ROLLBACK_IN_PROGRESS, reason)
        self.rollback = {"reason": reason, "startedAt": self.updated_at, "serviceRevisionArn": revision.arn}

    def complete(self) -> None:
        """End well, or end the rollback well."""
        self.turn(ROLLBACK_SUCCESSFUL if self.rolling_back else SUCCESSFUL)

    def describe_briefly(self) -> dict[str, Any]:
        """Return the API's `ServiceDeploymentBrief`."""
        found: dict[str, Any] = {
            "serviceDeploymentArn": self.arn,
            "serviceArn": self.target.service_arn,
            "clusterArn": self.target.cluster_arn,
            "createdAt": self.created_at,
            "targetServiceRevisionArn": self.target.arn,
            "status": self.status,
        }
        optional = {"startedAt": self.started_at, "finishedAt": self.finished_at, "statusReason": self.status_reason}
        return found | {key: value for key, value in optional.items() if value is not None}

    def describe(self) -> dict[str, Any]:
        """Return it as the API does."""
        found = self.describe_briefly()
        del found["targetServiceRevisionArn"]
        breaker: dict[str, Any] = {"status": self.breaker.status(finished=self.finished)}
        if self.breaker.enabled:
            breaker |= {"failureCount": self.failure_count, "threshold": self.threshold}
        alarms: dict[str, Any] = {"status": self.alarms.status(finished=self.finished)}
        if self.alarms.enabled:
            names: list[str] = self.configuration["alarms"]["alarmNames"]
            alarms |= {"alarmNames": names, "triggeredAlarmNames": self.triggered_alarms}
        found |= {
            "updatedAt": self.updated_at,
            "sourceServiceRevisions": [self._counts(one).describe(one.arn) for one in self.sources],
            "targetServiceRevision": self._counts(self.target).describe(self.target.arn),
            "deploymentConfiguration": self.configuration,
            "deploymentCircuitBreaker": breaker,
            "alarms": alarms,
        }
        optional = {
            "stoppedAt": self.stopped_at,
            "lifecycleStage": self.lifecycle_stage,
            "lifecycleHookDetails": self.hooks,
            "rollback": self.rollback,
        }
        return found | {key: value for key, value in optional.items() if value}

    def _counts(self, revision: ServiceRevision) -> Counts:
        return self._final[revision.arn] if self.finished else self.count(revision)
