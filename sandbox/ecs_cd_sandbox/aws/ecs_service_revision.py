"""A service revision: what a service ran with from one deployment on, its images resolved to digests.

ECS resolves each image's tag once, when a deployment begins, and starts every task of the revision with that digest,
whatever the tag names later (AWS: "Container image resolution"), unless the container's `versionConsistency` is
`disabled`. A forced deployment makes a new revision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from moto.core.utils import utcnow

from ecs_cd_sandbox.aws.ecs_images import image_digest, is_ecr_image, platform_digest, repository_of

if TYPE_CHECKING:
    from moto.ecs.models import TaskDefinition

INDEX, PLATFORM = "index", "platform"
"""Whose digest is shown for an image that is an index: its own, or that of the manifest for the task's platform."""


@dataclass
class DigestsShown:
    """Which of the two the answers show; AWS does not say, so that a test can choose. moto's state is global, too."""

    tasks: str = INDEX
    revisions: str = INDEX

    def choose(self, tasks: str = INDEX, revisions: str = INDEX) -> None:
        """Choose for `DescribeTasks` and `DescribeServiceRevisions`."""
        self.tasks, self.revisions = tasks, revisions


shown = DigestsShown()
"""The choice of this process."""


@dataclass
class RevisionImage:
    """The image of one container, and its digest once ECS has found it; other registries' are never found."""

    container: str
    image: str
    digest: str | None = None
    consistent: bool = True
    """Whether ECS resolves it at all: the container definition's `versionConsistency` can forbid that."""

    def resolve(self) -> None:
        """Look the digest up, unless it is known or not to be known."""
        if self.digest is None and self.consistent:
            self.digest = image_digest(self.image)

    def pulled(self) -> str | None:
        """Return the digest that a task which starts now runs; None if it cannot be pulled, or nobody knows."""
        if not self.consistent:
            return image_digest(self.image)
        return self.digest and image_digest(f"{repository_of(self.image)}@{self.digest}")

    def missing(self) -> bool:
        """Whether it cannot be pulled (any more)."""
        return is_ecr_image(self.image) and self.pulled() is None

    def shown(self, digest: str | None, which: str, architecture: str) -> str | None:
        """Return what an answer shows for its `digest`: `which` is `INDEX` or `PLATFORM`."""
        if digest is None or which == INDEX:
            return digest
        return platform_digest(f"{repository_of(self.image)}@{digest}", architecture) or digest


@dataclass
class ServiceRevision:
    """The API's `ServiceRevision`."""

    arn: str
    service_arn: str
    cluster_arn: str
    task_definition: str
    architecture: str
    images: list[RevisionImage]
    launch_type: str | None
    platform_version: str | None
    network_configuration: dict[str, Any]
    load_balancers: list[dict[str, Any]]
    created_at: datetime = field(default_factory=utcnow)

    def resolve(self) -> None:
        """Look up the digests that are not known yet; a known one stays."""
        for one in self.images:
            one.resolve()

    def missing_images(self) -> list[str]:
        """Return the images that cannot be pulled."""
        return [one.image for one in self.images if one.missing()]

    def task_digests(self, which: str) -> dict[str, str]:
        """Return the digests that a task which starts now shows, by container."""
        found = {one.container: one.shown(one.pulled(), which, self.architecture) for one in self.images}
        return {container: digest for container, digest in found.items() if digest is not None}

    def describe(self, which: str) -> dict[str, Any]:
        """Return it as the API does."""
        images = [
            {"containerName": one.container, "image": one.image}
            | ({"imageDigest": digest} if (digest := one.shown(one.digest, which, self.architecture)) else {})
            for one in self.images
        ]
        found: dict[str, Any] = {
            "serviceRevisionArn": self.arn,
            "serviceArn": self.service_arn,
            "clusterArn": self.cluster_arn,
            "taskDefinition": self.task_definition,
            "containerImages": images,
            "guardDutyEnabled": False,
            "createdAt": self.created_at,
        }
        optional = {
            "launchType": self.launch_type,
            "platformVersion": self.platform_version,
            "networkConfiguration": self.network_configuration,
            "loadBalancers": self.load_balancers,
        }
        return found | {key: value for key, value in optional.items() if value}


class RevisedService(Protocol):
    """moto's `Service` as far as a revision has it."""

    cluster_arn: str
    launch_type: str | None
    platform_version: str | None
    network_configuration: dict[str, Any]
    load_balancers: list[dict[str, Any]]

    @property
    def arn(self) -> str:
        """The service's ARN."""


def new_revision(service: RevisedService, definition: TaskDefinition, number: str) -> ServiceRevision:
    """Make the revision of moto's `service` as it is now, with its images resolved; `number` ends its ARN."""
    containers: list[dict[str, Any]] = definition.container_definitions
    runtime: dict[str, str] = definition.runtime_platform or {}
    revision = ServiceRevision(
        arn=f"{service.arn.replace(':service/', ':service-revision/')}/{number}",
        service_arn=service.arn,
        cluster_arn=service.cluster_arn,
        task_definition=definition.arn,
        architecture=runtime.get("cpuArchitecture", "X86_64"),
        images=[
            RevisionImage(one["name"], one["image"], consistent=one.get("versionConsistency") != "disabled")
            for one in containers
        ],
        launch_type=service.launch_type,
        platform_version=service.platform_version,
        network_configuration=service.network_configuration,
        load_balancers=service.load_balancers,
    )
    revision.resolve()
    return revision
