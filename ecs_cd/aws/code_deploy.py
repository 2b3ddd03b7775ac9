"""AWS CodeDeploy's deployments of ECS services, as records of the same kind as ECS's own service deployments.

A task set that CodeDeploy made has the deployment's id as `externalId` (ECS API reference, TaskSet). CodeDeploy removes
the task set of a deployment that it rolls back, so the latest one seen is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.errors import AccessDenied, DeliveryFailed
from ecs_cd.model.service import TaskDefinition
from ecs_cd.model.service_deployment import RevisionImage, ServiceDeployment, ServiceRevision
from ecs_cd.sanitize import quoted

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import ServiceTypeDef, TaskSetTypeDef

_STATUSES = {
    "Created": "PENDING",
    "Queued": "PENDING",
    "InProgress": "IN_PROGRESS",
    "Baking": "IN_PROGRESS",
    "Ready": "IN_PROGRESS",
    "Succeeded": "SUCCESSFUL",
    "Failed": "STOPPED",
    "Stopped": "STOPPED",
}
"""CodeDeploy's statuses (API reference, DeploymentInfo) as those of a service deployment."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


class CodeDeployClient(Protocol):
    """The part of boto3's client that is used."""

    def get_deployment(self, *, deploymentId: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        """Return the answer of GetDeployment."""


class CodeDeployments:
    """CodeDeploy's deployments in one account and region. `refusal` says why they cannot be seen; empty if they can."""

    def __init__(
        self, codedeploy: ServiceClient[CodeDeployClient], definition: Callable[[str], TaskDefinition]
    ) -> None:
        """`definition` returns the task definition with an ARN that DescribeServices has shown."""
        self._codedeploy = codedeploy
        self._definition = definition
        self._latest: dict[str, tuple[datetime, str, ServiceRevision]] = {}
        self.refusal = ""

    def current(self, service: ServiceTypeDef) -> ServiceDeployment | None:
        """Return the latest deployment that made a task set of the service; None where CodeDeploy shows none."""
        if self.refusal or service.get("deploymentController", {}).get("type") != "CODE_DEPLOY":
            return None
        seen = [self._latest[service["serviceArn"]]] if service["serviceArn"] in self._latest else []
        seen += [self._of_task_set(item) for item in service.get("taskSets", []) if item.get("externalId")]
        if not seen:
            return None
        latest = max(reversed(seen), key=lambda one: one[0])  # of the same, what is shown now
        self._latest[service["serviceArn"]] = latest
        try:
            return self._describe(latest[1], latest[2])
        except DeliveryFailed as error:  # not allowed, or another tool's id: the task sets are judged then
            if isinstance(error, AccessDenied):
                self.refusal = error.message
            return None

    def _of_task_set(self, item: TaskSetTypeDef) -> tuple[datetime, str, ServiceRevision]:
        definition = self._definition(item["taskDefinition"])
        revision = ServiceRevision(
            arn=item["id"],
            requested=item.get("computedDesiredCount", 0),
            running=item.get("runningCount", 0),
            pending=item.get("pendingCount", 0),
            task_definition=definition.arn,
            images=tuple(RevisionImage(one.name, one.image) for one in definition.containers),
        )
        return item.get("createdAt", _LONG_AGO), item.get("externalId", ""), revision

    def _describe(self, deployment_id: str, target: ServiceRevision) -> ServiceDeployment:
        with self._codedeploy.calling(f"see deployment {quoted(deployment_id)} of CodeDeploy") as codedeploy:
            found = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
            error, rollback = found.get("errorInformation") or {}, found.get("rollbackInfo") or {}
            status = _STATUSES.get(found["status"], found["status"])
            taken_back = status == "STOPPED" and rollback.get("rollbackDeploymentId")
            ending = (found.get("blueGreenDeploymentConfiguration") or {}).get(
                "terminateBlueInstancesOnDeploymentSuccess"
            ) or {}
            return ServiceDeployment(
                arn=deployment_id,
                status="ROLLBACK_IN_PROGRESS" if taken_back else status,
                reason=": ".join(filter(None, (error.get("code", ""), error.get("message", "")))),
                strategy="CODE_DEPLOY",
                stage=_stage(found),
                target=target,
                bake_minutes=ending.get("terminationWaitTimeInMinutes", 0),
                rollback_reason=rollback.get("rollbackMessage", "") if taken_back else "",
                created_at=found.get("createTime"),
                started_at=found.get("startTime"),
                finished_at=found.get("completeTime"),
            )


def _stage(found: Mapping[str, Any]) -> str:
    """Return where a deployment is: it waits for traffic to be moved, or the old tasks wait for their end."""
    if found["status"] == "Ready":
        return "READY"
    return "BAKE_TIME" if found["status"] == "Baking" or found.get("instanceTerminationWaitTimeStarted") else ""
