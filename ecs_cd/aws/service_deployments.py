"""Service deployments: ECS's own record of what a service is being moved to, and how that goes.

DescribeServices names the current one; where it does not, ListServiceDeployments does. Neither is needed for a verdict
(DescribeServices alone allows one), so a missing right is remembered and said, and not asked for again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.errors import AccessDenied, DeliveryFailed, TryLater
from ecs_cd.model.service_deployment import DeploymentMonitor, LifecycleHook, ServiceDeployment, ServiceRevision
from ecs_cd.sanitize import quoted

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient
    from types_boto3_ecs.type_defs import (
        DeploymentConfigurationOutputTypeDef,
        DeploymentLifecycleHookDetailTypeDef,
        ServiceDeploymentTypeDef,
        ServiceRevisionSummaryTypeDef,
        ServiceTypeDef,
    )


class ServiceDeployments:
    """The service deployments of one account and region. `refusal` says why they cannot be seen; empty if they can."""

    def __init__(self, ecs: ServiceClient[ECSClient]) -> None:
        self._ecs = ecs
        self.refusal = ""

    def current(self, service: ServiceTypeDef) -> ServiceDeployment | None:
        """Return the service's current or latest deployment; None where ECS has or shows none."""
        if self.refusal:
            return None
        try:
            arn = service.get("currentServiceDeployment") or self._latest(service)
            return self._describe(arn) if arn else None
        except DeliveryFailed as error:  # not allowed, or not to be had in this region: the rest is judged without
            self.refusal = error.message if isinstance(error, AccessDenied) else "ECS shows no service deployments."
            return None

    def _latest(self, service: ServiceTypeDef) -> str:
        name = service["serviceName"]
        with (
            suppress(TryLater),
            self._ecs.calling(f"list the service deployments of ECS service {quoted(name)}") as ecs,
        ):
            listed = ecs.list_service_deployments(cluster=service["clusterArn"], service=service["serviceArn"])
            latest = max(listed["serviceDeployments"], key=lambda one: one["createdAt"], default=None)
            return latest["serviceDeploymentArn"] if latest else ""
        return ""

    def _describe(self, arn: str) -> ServiceDeployment | None:
        with self._ecs.calling(f"see service deployment {quoted(arn.rpartition('/')[2])}") as ecs:
            found = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
            return _service_deployment(found[0]) if found else None


def _service_deployment(item: ServiceDeploymentTypeDef) -> ServiceDeployment:
    configuration = item.get("deploymentConfiguration", {})
    breaker, alarms, rollback = item.get("deploymentCircuitBreaker"), item.get("alarms"), item.get("rollback", {})
    target = item.get("targetServiceRevision")
    return ServiceDeployment(
        arn=item["serviceDeploymentArn"],
        status=item["status"],
        reason=item.get("statusReason", ""),
        strategy=configuration.get("strategy", "ROLLING"),
        stage=item.get("lifecycleStage", ""),
        target=_revision(target) if target else None,
        sources=tuple(map(_revision, item.get("sourceServiceRevisions", []))),
        hooks=tuple(map(_hook, item.get("lifecycleHookDetails", []))),
        bake_minutes=configuration.get("bakeTimeInMinutes", 0),
        breaker=DeploymentMonitor(
            breaker.get("status", ""), breaker.get("failureCount", 0), breaker.get("threshold", 0)
        )
        if breaker
        else None,
        alarms=DeploymentMonitor(
            alarms.get("status", ""),
            names=tuple(alarms.get("alarmNames", [])),
            triggered=tuple(alarms.get("triggeredAlarmNames", [])),
        )
        if alarms
        else None,
        rollback_reason=rollback.get("reason", ""),
        rollback_to=rollback.get("serviceRevisionArn", ""),
        early_success_percent=_early_success_percent(configuration),
        created_at=item.get("createdAt"),
        started_at=item.get("startedAt"),
        finished_at=item.get("finishedAt"),
        updated_at=item.get("updatedAt"),
    )


def _revision(item: ServiceRevisionSummaryTypeDef) -> ServiceRevision:
    return ServiceRevision(
        arn=item.get("arn", ""),
        requested=item.get("requestedTaskCount", 0),
        running=item.get("runningTaskCount", 0),
        pending=item.get("pendingTaskCount", 0),
        production_weight=item.get("requestedProductionTrafficWeight"),
        test_weight=item.get("requestedTestTrafficWeight"),
    )


def _hook(item: DeploymentLifecycleHookDetailTypeDef) -> LifecycleHook:
    return LifecycleHook(
        id=item.get("hookId", ""),
        kind=item.get("targetType", ""),
        status=item.get("status", ""),
        target_arn=item.get("targetArn", ""),
        expires_at=item.get("expiresAt"),
        timeout_action=item.get("timeoutAction", ""),
    )


def _early_success_percent(configuration: DeploymentConfigurationOutputTypeDef) -> int | None:
    """Return the percentage at which the deployment may end; newer than some botocore, so read where it is there."""
    criteria = configuration.get("earlySuccessCriteria")
    return criteria.get("healthyPercent") if criteria and criteria.get("enable") else None
