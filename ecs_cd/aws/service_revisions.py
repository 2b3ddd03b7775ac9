"""Which image digest each container of a service revision runs.

ECS resolves a tag to a digest when a deployment begins and keeps it for all tasks of that deployment (Amazon ECS
Developer Guide, "Container image resolution"). DescribeServiceRevisions shows it; it does not know revisions made
before 25 October 2024, nor the digests of images that ECS does not resolve. There the tasks' own `imageDigest` is read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.aws.service_deployments import MOST_FAILURES
from ecs_cd.aws.service_tasks import describe_tasks
from ecs_cd.aws.task_definitions import REVISIONS_PER_REQUEST
from ecs_cd.errors import AccessDenied, DeliveryFailed, TryLater
from ecs_cd.model.service_deployment import RevisionImage, ServiceRevision
from ecs_cd.sanitize import quoted
from ecs_cd.support.concurrency import batches

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient
    from types_boto3_ecs.type_defs import ServiceRevisionTypeDef, ServiceTypeDef


class ServiceRevisions:
    """The service revisions of one account and region that were met so far: what a revision runs never changes.

    `refusal` says why they cannot be seen, `tasks_refusal` why running tasks cannot; empty if they can.
    """

    def __init__(self, ecs: ServiceClient[ECSClient]) -> None:
        self._ecs = ecs
        self._known: dict[str, ServiceRevisionTypeDef] = {}
        self._resolved: set[str] = set()
        self._failures = 0
        self.refusal = ""
        self.tasks_refusal = ""

    def learn(self, arns: Sequence[str]) -> None:
        """Get to know revisions; one that is not known to be resolved is asked for again."""
        unknown = [arn for arn in dict.fromkeys(arns) if arn not in self._resolved]
        for batch in batches(unknown, REVISIONS_PER_REQUEST) if not self.refusal else ():
            self._known.update((one.get("serviceRevisionArn", ""), one) for one in self._describe(batch))

    def with_images(self, revision: ServiceRevision) -> ServiceRevision:
        """Return the revision of a deployment with what it runs, as far as it was seen."""
        seen = self._known.get(revision.arn)
        if seen is None:
            return revision
        images = tuple(
            RevisionImage(image["containerName"], image["image"], image.get("imageDigest", ""))
            for image in seen.get("containerImages", [])
            if "containerName" in image and "image" in image
        )
        return replace(revision, task_definition=seen.get("taskDefinition", ""), images=images)

    def digests(
        self, deployment_id: str, task_definition: str, containers: Collection[str], arns: Sequence[str]
    ) -> tuple[str, ...]:
        """Return the digests that containers run in a deployment, by the one of these revisions that it is of.

        A deployment and its revision have the same number at the end of their ids. Where none has it, the revision is
        the only one of that task definition. Empty where one of the containers' is not known (yet): ECS takes it from
        the first task that it starts.
        """
        revisions = [self._known[arn] for arn in arns if arn in self._known]
        number = deployment_id.rpartition("/")[2]
        same_number = [one for one in revisions if one.get("serviceRevisionArn", "").endswith(f"/{number}")]
        same_definition = [one for one in revisions if one.get("taskDefinition") == task_definition]
        candidates = same_number or same_definition
        if len(candidates) != 1:
            return ()
        images = candidates[0].get("containerImages", [])
        found = {one.get("containerName", ""): one.get("imageDigest", "") for one in images}
        digests = [found.get(container, "") for container in containers]
        if not all(digests):
            return ()
        self._resolved.add(candidates[0].get("serviceRevisionArn", ""))
        return tuple(sorted(set(digests)))

    def digests_of_tasks(
        self, service: ServiceTypeDef, deployment_id: str, containers: Collection[str]
    ) -> tuple[str, ...]:
        """Return the digests that the running tasks of a deployment report for containers, sorted.

        Empty where they report none, or may not be seen.
        """
        cluster, name = service["clusterArn"], service["serviceName"]
        if self.tasks_refusal:
            return ()
        try:
            with self._ecs.calling(f"see the running tasks of ECS service {quoted(name)}") as ecs:
                running = describe_tasks(ecs, cluster, name, "RUNNING")
        except AccessDenied as error:
            self.tasks_refusal = error.message
            return ()
        found = {
            one["imageDigest"]
            for task in running
            if task.get("startedBy") == deployment_id
            for one in task.get("containers", [])
            if one.get("name") in containers and "imageDigest" in one
        }
        return tuple(sorted(found))

    def _describe(self, arns: Sequence[str]) -> Sequence[ServiceRevisionTypeDef]:
        try:
            with self._ecs.calling(f"see {len(arns)} service revisions") as ecs:
                found = ecs.describe_service_revisions(serviceRevisionArns=list(arns))["serviceRevisions"]
        except TryLater:
            self._failures += 1
            if self._failures < MOST_FAILURES:
                raise
            return ()  # the tasks are asked instead
        except DeliveryFailed as error:  # not allowed, or not to be had in this region: tasks and tags are judged then
            self.refusal = error.message if isinstance(error, AccessDenied) else "ECS shows no service revisions."
            return ()
        self._failures = 0
        return found
