"""Service deployments: ECS's own record of what a service is being moved to, and how that goes.

DescribeServices names the current one; where it does not, ListServiceDeployments does. Neither is needed for a verdict
(DescribeServices alone allows one), so a missing right is remembered and said, and not asked for again.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
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


_MINUTES_ALLOWED = 1440
"""How long ECS waits for a hook without a timeout (API reference, DeploymentLifecycleHookTimeoutConfiguration)."""
MOST_FAILURES = 5
"""So often in a row may an answer fail to come, before the rest is judged without it."""
_MOST = 500
"""So many service deployments are looked through for the latest: ECS keeps those of 90 days, and promises no order."""


class ServiceDeployments:
    """The service deployments of one account and region.

    `refusal` says why they cannot be seen, `trouble` why the latest answers did not come; empty if they can, or did.
    """

    def __init__(self, ecs: ServiceClient[ECSClient]) -> None:
        self._ecs = ecs
        self._over: dict[str, ServiceDeployment] = {}
        self._failures = 0
        self.refusal = self.trouble = ""

    def current(self, service: ServiceTypeDef) -> ServiceDeployment | None:
        """Return the service's current or latest deployment; None where ECS has or shows none.

        Raises:
            TryLater: it may show it soon; not for long.
        """
        if self.refusal:
            return None
        try:
            arn = service.get("currentServiceDeployment") or self._latest(service)
            found = self._describe(arn) if arn else None
        except TryLater as error:
            self._failures += 1
            if self._failures < MOST_FAILURES:
                raise
            self.trouble = error.message
            return None
        except DeliveryFailed as error:  # not allowed, or not to be had in this region: the rest is judged without
            self.refusal = error.message if isinstance(error, AccessDenied) else "ECS shows no service deployments."
            return None
        self._failures, self.trouble = 0, ""
        return found

    def answer_hook(self, record: ServiceDeployment, hook: LifecycleHook, *, rollback: bool) -> None:
        """Let a deployment go on from a hook that waits for it, or have it rolled back (ContinueServiceDeployment).

        Raises:
            AccessDenied: `ecs:ContinueServiceDeployment` is not allowed.
        """
        doing = "roll back" if rollback else "continue"
        with self._ecs.calling(f"{doing} service deployment {quoted(record.id)}") as ecs:
            ecs.continue_service_deployment(
                serviceDeploymentArn=record.arn, hookId=hook.id, action="ROLLBACK" if rollback else "CONTINUE"
            )

    def _latest(self, service: ServiceTypeDef) -> str:
        name = service["serviceName"]
        with (
            suppress(TryLater),
            self._ecs.calling(f"list the service deployments of ECS service {quoted(name)}") as ecs,
        ):
            ask = partial(ecs.list_service_deployments, cluster=service["clusterArn"], service=service["serviceArn"])
            page = ask()
            listed = page["serviceDeployments"]
            while "nextToken" in page and len(listed) < _MOST:
                page = ask(nextToken=page["nextToken"])
                listed += page["serviceDeployments"]
            latest = max(listed, key=lambda one: one["createdAt"], default=None)
            return latest["serviceDeploymentArn"] if latest else ""
        return ""

    def _describe(self, arn: str) -> ServiceDeployment | None:
        """Return the record; one that is over never changes, and is asked for once."""
        if arn in self._over:
            return self._over[arn]
        with self._ecs.calling(f"see service deployment {quoted(arn.rpartition('/')[2])}") as ecs:
            found = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
            record = _service_deployment(found[0]) if found else None
        if record and record.over:
            self._over[arn] = record
        return record


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
        hooks=tuple(
            _hook(hook, item.get("lifecycleStage", ""), configuration) for hook in item.get("lifecycleHookDetails", [])
        ),
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


def _hook(
    item: DeploymentLifecycleHookDetailTypeDef, stage: str, configuration: DeploymentConfigurationOutputTypeDef
) -> LifecycleHook:
    expires_at = item.get("expiresAt")
    allowed = _minutes_allowed(item, stage, configuration)
    return LifecycleHook(
        id=item.get("hookId", ""),
        kind=item.get("targetType", ""),
        status=item.get("status", ""),
        target_arn=item.get("targetArn", ""),
        expires_at=expires_at,
        timeout_action=item.get("timeoutAction", ""),
        since=expires_at - timedelta(minutes=allowed) if expires_at else None,
    )


def _minutes_allowed(
    item: DeploymentLifecycleHookDetailTypeDef, stage: str, configuration: DeploymentConfigurationOutputTypeDef
) -> int:
    """Return how long ECS waits for a hook; the record of a hook has the end of that time, and not its beginning."""
    for hook in configuration.get("lifecycleHooks", []):
        same_kind = hook.get("targetType", "AWS_LAMBDA") == item.get("targetType", "AWS_LAMBDA")
        if same_kind and stage in hook.get("lifecycleStages", []):
            return hook.get("timeoutConfiguration", {}).get("timeoutInMinutes", _MINUTES_ALLOWED)
    return _MINUTES_ALLOWED


def _early_success_percent(configuration: DeploymentConfigurationOutputTypeDef) -> int | None:
    """Return the percentage at which the deployment may end; newer than some botocore, so read where it is there."""
    criteria = configuration.get("earlySuccessCriteria")
    return criteria.get("healthyPercent") if criteria and criteria.get("enable") else None
