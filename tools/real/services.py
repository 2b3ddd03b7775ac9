"""Facts of ECS, from a cluster with one service that wants no tasks."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tools.real.facts import Found, Need, NotSettled, fact
from tools.real.world import World

_IMAGE = "public.ecr.aws/docker/library/busybox:latest"


def _definition(world: World, ecs: Any, family: str) -> str:  # noqa: ANN401 - a boto3 client has no type here
    """Register a revision whose image is public; nothing ever runs it."""
    container = {"name": "main", "image": _IMAGE, "memory": 16, "essential": True}
    registered = ecs.register_task_definition(family=family, networkMode="bridge", containerDefinitions=[container])
    arn = str(registered["taskDefinition"]["taskDefinitionArn"])
    world.remove_later(f"task definition {arn}", lambda: _remove_definition(ecs, arn))
    return arn


def _remove_definition(ecs: Any, arn: str) -> None:  # noqa: ANN401 - likewise
    """Deregister a revision and delete it; one that a service still has stays, inactive."""
    ecs.deregister_task_definition(taskDefinition=arn)
    ecs.delete_task_definitions(taskDefinitions=[arn])  # failures are listed in the answer


def _service(world: World, name: str) -> tuple[Any, str]:
    """Create a cluster and a service in it that wants no tasks; both have the same name."""
    ecs, full = world.client("ecs"), f"{world.name}-{name}"
    world.remove_later(f"cluster {full}", lambda: ecs.delete_cluster(cluster=full))
    ecs.create_cluster(clusterName=full)
    definition = _definition(world, ecs, full)
    world.remove_later(f"service {full}", lambda: ecs.delete_service(cluster=full, service=full, force=True))
    ecs.create_service(cluster=full, serviceName=full, taskDefinition=definition, desiredCount=0, launchType="EC2")
    return ecs, full


def _described(ecs: Any, name: str) -> dict[str, Any]:  # noqa: ANN401 - likewise
    found: dict[str, Any] = ecs.describe_services(cluster=name, services=[name])["services"][0]
    return found


@fact(
    "describe-after-update", "DescribeServices may show the former task definition right after UpdateService", Need.AWS
)
def describe_after_update(world: World) -> Found:
    """Update a service and describe it until it shows the update."""
    ecs, name = _service(world, "describe-after-update")
    newer = _definition(world, ecs, name)
    ecs.update_service(cluster=name, service=name, taskDefinition=newer)
    looks = world.looks_until(lambda: bool(_described(ecs, name)["taskDefinition"] == newer))
    if not looks:
        raise NotSettled("DescribeServices never showed the update")
    return Found(f"seen at look {looks}")


@fact("missing-service", "DescribeServices lists a service that is not there among the failures, as MISSING", Need.AWS)
def missing_service(world: World) -> Found:
    """Describe a service of another name."""
    ecs, name = _service(world, "missing-service")
    failures = ecs.describe_services(cluster=name, services=[f"{name}-other"])["failures"]
    reasons = ", ".join(str(each.get("reason")) for each in failures)
    return Found(reasons or "no failure", reasons == "MISSING")


@fact("revision-digest", "DescribeServiceRevisions has a digest for each image once ECS has resolved it", Need.AWS)
def revision_digest(world: World) -> Found:
    """Describe the revision of a service that runs no task."""
    ecs, name = _service(world, "revision-digest")
    try:
        deployments = ecs.list_service_deployments(cluster=name, service=name)["serviceDeployments"]
        arns = [each["targetServiceRevisionArn"] for each in deployments if each.get("targetServiceRevisionArn")]
        if not arns:
            return Found(f"{len(deployments)} service deployments, none with a revision")
        revisions = ecs.describe_service_revisions(serviceRevisionArns=arns[:1])["serviceRevisions"]
    except ClientError as error:
        raise NotSettled(f"refused: {error}") from None
    images = [image for revision in revisions for image in revision.get("containerImages", [])]
    shown = "; ".join(f"{each.get('containerName')}: {each.get('imageDigest', 'no digest')}" for each in images)
    return Found(shown or "no image is listed")
