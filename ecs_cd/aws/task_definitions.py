"""Which containers the task definitions of services have, in as few requests as ECS allows.

DescribeTaskDefinition describes one definition. DescribeServiceRevisions shows for twenty services at once which
definition each runs and which image each of its containers has, by the name that the definition gives it (ECS API
reference, ServiceRevision and ContainerImage; "no longer modified" to a digest since 12 September 2024, says AWS's
containers blog on version consistency). It does not know revisions made before 25 October 2024. So it is asked first
where many definitions are unknown, and what it leaves open is asked for one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.errors import DeliveryFailed
from ecs_cd.model.image_name import repository_of
from ecs_cd.model.service import Container, ServiceTarget, TaskDefinition
from ecs_cd.sanitize import quoted
from ecs_cd.support.concurrency import batches, run_all

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient
    from types_boto3_ecs.type_defs import (
        ContainerDefinitionOutputTypeDef,
        ServiceRevisionTypeDef,
        ServiceTypeDef,
        TaskDefinitionTypeDef,
    )

MAX_SINGLE_REQUESTS = 20
"""So many unknown definitions are asked for one by one: that takes no more right than a delivery needs."""

REVISIONS_PER_REQUEST = 20
"""The most that DescribeServiceRevisions takes (its API reference)."""


@dataclass(frozen=True)
class DescribedService:
    """A service as DescribeServices shows it, and the containers of it that somebody asks for."""

    service: ServiceTypeDef
    targets: Sequence[ServiceTarget]


class TaskDefinitions:
    """The task definitions of one account and region that were met so far; asked for once, as none ever changes."""

    def __init__(self, ecs: ServiceClient[ECSClient]) -> None:
        self._ecs = ecs
        self._known: dict[str, TaskDefinition] = {}
        self._described: dict[str, Sequence[ContainerDefinitionOutputTypeDef]] = {}

    def __getitem__(self, arn: str) -> TaskDefinition:
        """Return one that was learned."""
        return self._known[arn]

    def learn(self, shown: Sequence[DescribedService]) -> None:
        """Get to know the definitions that the deployments or task sets of these services run."""
        if len(self._unknown(shown)) > MAX_SINGLE_REQUESTS:
            self._learn_from_revisions(shown)
        for definition in run_all([partial(self._describe, arn) for arn in self._unknown(shown)]):
            self._known[definition.arn] = definition

    def containers(self, arn: str) -> Sequence[ContainerDefinitionOutputTypeDef]:
        """Return all that a definition says of its containers; it is described only if it was not before."""
        if arn not in self._described:
            self._describe(arn)
        return self._described[arn]

    def _unknown(self, shown: Sequence[DescribedService]) -> list[str]:
        arns = dict.fromkeys(arn for one in shown for arn in task_definitions_of(one.service))
        return [arn for arn in arns if arn not in self._known]

    def _learn_from_revisions(self, shown: Sequence[DescribedService]) -> None:
        unknown = set(self._unknown(shown))
        targets: dict[str, list[ServiceTarget]] = {}
        asked: dict[str, None] = {}
        for one in shown:
            running = unknown.intersection(task_definitions_of(one.service))
            for arn in running:
                targets.setdefault(arn, []).extend(one.targets)
            if running:
                asked |= dict.fromkeys(item["arn"] for item in one.service.get("currentServiceRevisions", []))
        groups = batches(list(asked), REVISIONS_PER_REQUEST)
        for revisions in run_all([partial(self._describe_revisions, group) for group in groups]):
            for definition in _definitions(revisions):
                # Images that ECS does not resolve may be missing from the list; it is as good as the definition
                # only where the containers that matter are in it for certain.
                if all(_is_certain(definition, target) for target in targets.get(definition.arn, ())):
                    self._known[definition.arn] = definition

    def _describe_revisions(self, arns: Sequence[str]) -> Sequence[ServiceRevisionTypeDef]:
        try:
            with self._ecs.calling(f"see {len(arns)} service revisions") as ecs:
                return ecs.describe_service_revisions(serviceRevisionArns=list(arns))["serviceRevisions"]
        except DeliveryFailed:  # not allowed, or not to be had in this region: it is faster, and not needed
            return ()

    def latest(self, family: str) -> TaskDefinition | None:
        """Return the latest active revision of a family; None when it has none.

        ECS answers `ClientException` for a family that it does not know (seen in hashicorp/terraform-provider-aws,
        `internal/service/ecs/task_definition.go`).
        """
        with self._ecs.calling(f"see task definition {quoted(family)}") as ecs:
            try:
                item = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
            except ecs.exceptions.ClientException:
                return None
            return _task_definition(item["taskDefinitionArn"], item)

    def _describe(self, arn: str) -> TaskDefinition:
        with self._ecs.calling(f"see task definition {quoted(arn.rpartition('/')[2])}") as ecs:
            item = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
            self._described[arn] = item["containerDefinitions"]
            return _task_definition(arn, item)


def _task_definition(arn: str, item: TaskDefinitionTypeDef) -> TaskDefinition:
    return TaskDefinition(arn, tuple(Container(c["name"], c["image"]) for c in item["containerDefinitions"]))


def task_definitions_of(service: ServiceTypeDef) -> list[str]:
    """Return the ARNs of the task definitions that the service's deployments or task sets run."""
    if uses_task_sets(service):
        return [item["taskDefinition"] for item in service.get("taskSets", [])]
    return [item["taskDefinition"] for item in service.get("deployments", [])]


def uses_task_sets(service: ServiceTypeDef) -> bool:
    """Return whether CODE_DEPLOY or an external controller moves the tasks, by task sets instead of deployments."""
    return service.get("deploymentController", {}).get("type", "ECS") != "ECS"


def _definitions(revisions: Sequence[ServiceRevisionTypeDef]) -> Iterator[TaskDefinition]:
    for revision in revisions:
        images = revision.get("containerImages", [])
        containers = [Container(item.get("containerName", ""), item.get("image", "")) for item in images]
        yield TaskDefinition(revision.get("taskDefinition", ""), tuple(containers))


def _is_certain(definition: TaskDefinition, target: ServiceTarget) -> bool:
    """Return whether the container that is meant is among these, whichever others there may be."""
    if target.container:
        found = [one for one in definition.containers if one.name == target.container]
    else:
        found = [one for one in definition.containers if repository_of(one.image) == target.repository]
    return len(found) == 1 and bool(found[0].image)
