"""Services in Amazon ECS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ecs_cd.aws.code_deploy import CodeDeployClient, CodeDeployments
from ecs_cd.aws.console_links import service_url
from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.aws.service_deployments import ServiceDeployments
from ecs_cd.aws.service_revisions import ServiceRevisions
from ecs_cd.aws.stopped_tasks import stopped_tasks
from ecs_cd.aws.task_definitions import DescribedService, TaskDefinitions, uses_task_sets
from ecs_cd.model.image_name import containers_of
from ecs_cd.model.service import Deployment, ServiceEvent, ServiceSnapshot, ServiceTarget, TaskDefinition
from ecs_cd.model.service_deployment import LifecycleHook, ServiceDeployment
from ecs_cd.model.stopped_task import StoppedTask
from ecs_cd.sanitize import quoted
from ecs_cd.support.concurrency import batches, run_all, run_together

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient
    from types_boto3_ecs.type_defs import (
        DeploymentTypeDef,
        ServiceTypeDef,
        TaskSetTypeDef,
    )

_SERVICES_PER_REQUEST = 10
"""The most that DescribeServices takes (its API reference)."""


class EcsServices:
    """The ECS services of one account and region."""

    def __init__(
        self, ecs: ServiceClient[ECSClient], codedeploy: ServiceClient[CodeDeployClient] | None = None
    ) -> None:
        """Use these clients; without one of CodeDeploy, its deployments are judged by their task sets."""
        self._ecs = ecs
        self._definitions = TaskDefinitions(ecs)
        self._code_deploy = CodeDeployments(codedeploy, self._definitions.__getitem__) if codedeploy else None
        self._revisions = ServiceRevisions(ecs)
        self._deployments = ServiceDeployments(ecs)

    def snapshot(self, target: ServiceTarget) -> ServiceSnapshot | None:
        """Return the service as it is now, with its service deployment; None when the cluster has no such service.

        DescribeServices; then at the same time DescribeServiceDeployments, DescribeTaskDefinition for each task
        definition and DescribeServiceRevisions for the revisions not seen before. Where no revision shows the digest of
        the primary deployment once it is over, its tasks are read.

        Raises:
            RolloutFailed: there is no such cluster.
            AccessDenied: `ecs:DescribeServices` or `ecs:DescribeTaskDefinition` is not allowed.
        """
        found = self._describe(target.cluster, [target.service])
        if not found:
            return None
        with self._ecs.calling(f"see ECS service {quoted(target.service)}"):
            return self._detailed_snapshot(target, found[0])

    def brief(self, target: ServiceTarget) -> ServiceSnapshot | None:
        """Return the service as it is now, without what takes more than DescribeServices and DescribeTaskDefinition.

        Raises as `snapshot` does.
        """
        return self.snapshots([target]).get(target)

    def _detailed_snapshot(self, target: ServiceTarget, service: ServiceTypeDef) -> ServiceSnapshot:
        shown = [DescribedService(service, [target])]
        if uses_task_sets(service):
            self._definitions.learn(shown)
            return self._with_digests(self._with_code_deploy(self._snapshot(target, service), service), service, ())
        revisions = [one["arn"] for one in service.get("currentServiceRevisions", [])]
        deployment, _, _ = run_together(
            partial(self._deployments.current, service),
            partial(self._definitions.learn, shown),
            partial(self._revisions.learn, revisions),
        )
        if deployment and deployment.target and deployment.target.arn not in revisions:
            revisions.append(deployment.target.arn)
            self._revisions.learn(revisions)
            deployment = replace(deployment, target=self._revisions.with_images(deployment.target))
        refusals = tuple(filter(None, [self._deployments.refusal or self._deployments.trouble]))
        snapshot = replace(self._snapshot(target, service), service_deployment=deployment, unseen=refusals)
        return self._with_digests(snapshot, service, revisions)

    def _with_code_deploy(self, snapshot: ServiceSnapshot, service: ServiceTypeDef) -> ServiceSnapshot:
        """Return the snapshot with CodeDeploy's record of the latest deployment, where it can be seen."""
        if self._code_deploy is None:
            return snapshot
        record = self._code_deploy.current(service)
        unseen = (self._code_deploy.refusal,) if self._code_deploy.refusal else ()
        return replace(snapshot, service_deployment=record, unseen=unseen)

    def snapshots(self, targets: Sequence[ServiceTarget]) -> dict[ServiceTarget, ServiceSnapshot]:
        """Return those services that there are.

        One DescribeServices for every ten of one cluster; their task definitions as `TaskDefinitions` learns them.
        """
        by_cluster: dict[str, list[ServiceTarget]] = {}
        for target in targets:
            by_cluster.setdefault(target.cluster, []).append(target)
        groups = [
            (cluster, batch)
            for cluster, members in by_cluster.items()
            for batch in batches(list(dict.fromkeys(t.service for t in members)), _SERVICES_PER_REQUEST)
        ]
        answers = run_all([partial(self._describe, cluster, names) for cluster, names in groups])
        with self._ecs.calling("see ECS services"):
            found: dict[tuple[str, str], ServiceTypeDef] = {}
            for (cluster, _), services in zip(groups, answers, strict=True):
                for service in services:
                    found[cluster, service["serviceName"]] = found[cluster, service.get("serviceArn", "")] = service
            there = [target for target in targets if (target.cluster, target.service) in found]
            self._definitions.learn(
                [DescribedService(found[target.cluster, target.service], [target]) for target in there]
            )
            return {target: self._snapshot(target, found[target.cluster, target.service]) for target in there}

    def _with_digests(
        self, snapshot: ServiceSnapshot, service: ServiceTypeDef, revisions: Sequence[str]
    ) -> ServiceSnapshot:
        """Return the snapshot with the digests of the target's containers, where they can be known.

        The tasks are read only where it matters: for the primary deployment, once it is over. What stays unknown there
        for lack of a right is `unseen`.
        """
        deployments = [self._resolved(one, snapshot.target, revisions) for one in snapshot.deployments]
        primary = next((one for one in deployments if one.status == "PRIMARY"), None)
        containers = containers_of(primary.task_definition, snapshot.target) if primary else ()
        if primary is None or not containers or primary.digests or not primary.running or _is_rolling(primary):
            return replace(snapshot, deployments=tuple(deployments))
        names = {container.name for container in containers}
        digests = self._revisions.digests_of_tasks(service, primary.id, names)
        refusals = (self._revisions.refusal, self._revisions.tasks_refusal) if not digests else ()
        return replace(
            snapshot,
            deployments=tuple(replace(one, digests=digests) if one is primary else one for one in deployments),
            unseen=(*snapshot.unseen, *filter(None, refusals)),
        )

    def _resolved(self, deployment: Deployment, target: ServiceTarget, revisions: Sequence[str]) -> Deployment:
        """Return the deployment with the digests that its service revision has."""
        names = {container.name for container in containers_of(deployment.task_definition, target)}
        arn = deployment.task_definition.arn
        digests = self._revisions.digests(deployment.id, arn, names, revisions) if names else ()
        return replace(deployment, digests=digests)

    def answer_hook(self, record: ServiceDeployment, hook: LifecycleHook, *, rollback: bool) -> None:
        """Let a deployment go on from a hook that waits for it, or have it rolled back.

        Raises:
            AccessDenied: `ecs:ContinueServiceDeployment` is not allowed.
        """
        self._deployments.answer_hook(record, hook, rollback=rollback)

    def task_definition(self, family: str) -> TaskDefinition | None:
        """Return the latest active revision of a task definition; None when there is none: one DescribeTaskDefinition.

        Raises:
            AccessDenied: `ecs:DescribeTaskDefinition` is not allowed.
        """
        return self._definitions.latest(family)

    def stopped_tasks(self, target: ServiceTarget, task_definition: str) -> tuple[StoppedTask, ...]:
        """Return the service's lately stopped tasks of one task definition (ARN; empty: of any), newest first.

        ECS forgets a stopped task after about an hour.
        """
        return stopped_tasks(self._ecs, self._definitions, target, task_definition)

    def _describe(self, cluster: str, names: Sequence[str]) -> list[ServiceTypeDef]:
        shown = quoted(names[0]) if len(names) == 1 else f"{len(names)} services"
        with self._ecs.calling(f"see ECS service {shown} in cluster {quoted(cluster)}") as ecs:
            # A service that is not there is among the answer's failures, for which there is no other reason.
            return ecs.describe_services(cluster=cluster, services=names)["services"]

    def _snapshot(self, target: ServiceTarget, service: ServiceTypeDef) -> ServiceSnapshot:
        if uses_task_sets(service):
            deployments = [self._task_set(item) for item in service.get("taskSets", [])]
        else:
            deployments = [self._deployment(item) for item in service.get("deployments", [])]
        return ServiceSnapshot(
            target=target,
            status=service["status"],
            desired=service["desiredCount"],
            running=service["runningCount"],
            controller=service.get("deploymentController", {}).get("type", "ECS"),
            url=service_url(service.get("serviceArn", ""), service.get("clusterArn", "")),
            deployments=tuple(deployments),
            events=tuple(
                ServiceEvent(event["id"], event.get("createdAt"), event.get("message", ""))
                for event in service.get("events", [])
            ),
        )

    def _deployment(self, item: DeploymentTypeDef) -> Deployment:
        return Deployment(
            id=item["id"],
            status=item["status"],
            task_definition=self._definitions[item["taskDefinition"]],
            rollout_state=item.get("rolloutState", ""),
            rollout_reason=item.get("rolloutStateReason", ""),
            desired=item.get("desiredCount", 0),
            running=item.get("runningCount", 0),
            pending=item.get("pendingCount", 0),
            failed_tasks=item.get("failedTasks", 0),
            created_at=item.get("createdAt"),
            updated_at=item.get("updatedAt"),
        )

    def _task_set(self, item: TaskSetTypeDef) -> Deployment:
        return Deployment(
            id=item["id"],
            status=item["status"],
            task_definition=self._definitions[item["taskDefinition"]],
            desired=item.get("computedDesiredCount", 0),
            running=item.get("runningCount", 0),
            pending=item.get("pendingCount", 0),
            steady=item.get("stabilityStatus") == "STEADY_STATE",
            created_at=item.get("createdAt"),
            updated_at=item.get("stabilityStatusAt"),
        )


def _is_rolling(primary: Deployment) -> bool:
    """Return whether there is more to come, so that another look will see its tasks."""
    if primary.rollout_state:
        return primary.rollout_state == "IN_PROGRESS"
    return not primary.steady and (primary.running < primary.desired or primary.pending > 0)
