"""What is delivered and where to: the place, the tag, and the conditions of the delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecs_cd.errors import SettingsError
from ecs_cd.model.image import ImageRef, ImageRepository, ImageTag
from ecs_cd.model.order import Order
from ecs_cd.model.service import ServiceTarget, TaskTarget
from ecs_cd.model.service_deployment import RolloutUntil
from ecs_cd.sanitize import quoted


@dataclass(frozen=True)
class Place:
    """One service in one environment, and everything a tag passes through on its way there.

    `parameter` is the SSM parameter's name; `pipeline` the infrastructure pipeline's id, name or folder path; `branch`
    a branch or full ref. `target` is the container in ECS, None where ECS is not asked; `task` is a task definition
    that is looked at instead. `repository` is where the images are, None where the image is not checked in ECR. What an
    operation does not need may be empty: `status` needs no pipeline, for example. `template_parameters` and `variables`
    are given to the run. `rollout_until`: when the rollout counts as over.
    """

    service: str
    environment: str
    parameter: str
    pipeline: str = ""
    branch: str = ""
    target: ServiceTarget | None = None
    task: TaskTarget | None = None
    repository: ImageRepository | None = None
    template_parameters: Mapping[str, str] = field(default_factory=dict, hash=False)
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)
    rollout_until: RolloutUntil = RolloutUntil.COMPLETED

    def image(self, tag: ImageTag, digest: str = "") -> ImageRef | None:
        """Return where the image of a tag must be; None where it is not checked."""
        return self.repository.image(tag, digest) if self.repository else None

    def require_service(self) -> ServiceTarget:
        """Return the container in ECS.

        Raises:
            SettingsError: no ECS service is named.
        """
        if self.target:
            return self.target
        where = f"{self.service} in {self.environment}"
        if self.task:
            raise SettingsError(
                f"{where} has no ECS service: it is verified by its task definition, {quoted(self.task.family)}.",
                hint="This takes an ECS service, with deployments of its own.",
            )
        raise SettingsError(f"There is no ECS service named for {where}.", hint="Name it in the settings under `ecs:`.")


@dataclass(frozen=True)
class DeliveryOptions:
    """The conditions of a delivery.

    `order`: how tags are compared. `create_parameter`: create the parameter where it does not exist. `wait_for_image`:
    seconds to wait for an image that is not in ECR yet. `allow_missing_service`: the run may create cluster, service or
    container, so that a missing one is no reason to refuse. `rollback_on_failure`: where ECS does not serve the tag, go
    back to what was verified last. `dry_run`: check everything, change nothing.
    """

    order: Order = Order.NUMERIC
    create_parameter: bool = False
    wait_for_image: float = 0.0
    allow_missing_service: bool = False
    rollback_on_failure: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Delivery:
    """A tag to be delivered to a place.

    `digest` is the one the build gave (`sha256:...`), which ECR's must match; empty where the build gave none.
    """

    place: Place
    tag: ImageTag
    digest: str = ""
    options: DeliveryOptions = field(default_factory=DeliveryOptions)

    @property
    def image(self) -> ImageRef | None:
        """Return where the image must be; None where it is not checked."""
        return self.place.image(self.tag, self.digest)
