"""What should serve, and whether a deployment's container has it."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.errors import SettingsError
from ecs_cd.model.image import CheckedImage, ImageTag
from ecs_cd.model.image_name import ImageMatch, container_image, match_image
from ecs_cd.model.order import Order
from ecs_cd.model.service import Deployment, ServiceTarget
from ecs_cd.model.service_deployment import RolloutUntil


@dataclass(frozen=True)
class Wanted:
    """What should serve. `order` decides whether another tag is newer, `until` when it serves enough.

    `digests` are those under which the image may run; empty where they are not known. `index` is the one of them that
    is an image index's, while its platforms' are not among them. `built` is the digest that the build gave, which no
    other may replace.
    """

    tag: ImageTag
    digests: tuple[str, ...] = ()
    order: Order = Order.NUMERIC
    built: str = ""
    index: str = ""
    until: RolloutUntil = RolloutUntil.COMPLETED

    @classmethod
    def of(cls, image: CheckedImage, order: Order, until: RolloutUntil = RolloutUntil.COMPLETED) -> Wanted:
        """Return what is known of an image as what should serve."""
        return cls(image.tag, image.digests, order, image.built, image.digest if image.is_index else "", until)


def runs_wanted(deployment: Deployment, target: ServiceTarget, wanted: Wanted) -> bool:
    """Return whether the deployment's container has the wanted image."""
    try:
        image = container_image(deployment.task_definition, target)
    except SettingsError:  # an old revision may have had other containers
        return False
    return match_image(image, deployment.digests, wanted.tag, wanted.digests) is ImageMatch.SAME
