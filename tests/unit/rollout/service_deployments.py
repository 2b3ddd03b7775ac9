"""Snapshots of a service with ECS's record of its deployment, for the tests of the verdict."""

from __future__ import annotations

from datetime import datetime, timezone

from ecs_cd.model.image import ImageTag
from ecs_cd.model.service import Container, Deployment, ServiceSnapshot, ServiceTarget, TaskDefinition
from ecs_cd.model.service_deployment import RevisionImage, ServiceDeployment, ServiceRevision
from ecs_cd.rollout.wanted import Wanted

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
TARGET = ServiceTarget("dev", "api")
WANTED = Wanted(ImageTag("7"), (ONE,))
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=timezone.utc)


def revision(tag: str, digest: str = "", **more: float) -> ServiceRevision:
    """Return the revision that runs this tag; its number is the tag's."""
    return ServiceRevision(
        f"arn:service-revision/dev/api/{tag}",
        requested=2,
        running=2,
        production_weight=more.get("production"),
        test_weight=more.get("test"),
        task_definition=f"arn:task-definition/api:{tag}",
        images=(RevisionImage("api", f"api:{tag}", digest or (ONE if tag == "7" else TWO)),),
    )


def record(status: str, tag: str = "7", **more: object) -> ServiceDeployment:
    """Return ECS's record of the deployment of this tag."""
    fields: dict[str, object] = {"target": revision(tag), "updated_at": NOON, **more}
    return ServiceDeployment(f"arn:service-deployment/dev/api/of-{tag}", status, **fields)  # type: ignore[arg-type]  # each is what the test says


def deployment(tag: str, status: str = "PRIMARY", state: str = "IN_PROGRESS", **more: int) -> Deployment:
    """Return what DescribeServices lists of the deployment of this tag."""
    definition = TaskDefinition(f"arn:task-definition/api:{tag}", (Container("api", f"api:{tag}"),))
    return Deployment(
        f"ecs-svc/{tag}",
        status,
        definition,
        state,
        desired=more.get("desired", 2),
        running=more.get("running", 2),
        pending=more.get("pending", 0),
    )


def service(of: ServiceDeployment | None, *deployments: Deployment) -> ServiceSnapshot:
    """Return a service that wants two tasks."""
    return ServiceSnapshot(TARGET, "ACTIVE", 2, 2, "ECS", deployments, service_deployment=of)
