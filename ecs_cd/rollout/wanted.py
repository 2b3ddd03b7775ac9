"""What should serve, and whether a deployment's container has it."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.errors import SettingsError
from ecs_cd.model.image import ImageTag
from ecs_cd.model.image_name import ImageMatch, container_image, match_image
from ecs_cd.model.order import Order
from ecs_cd.model.service import Deployment, ServiceTarget
from ecs_cd.model.service_deployment import RolloutUntil


@dataclass(frozen=True)
class Wanted:
    """What should serve. `order` decides whether another tag is newer, `until` when it serves enough.

    `digests` are those under which the image may run: the tag's in ECR and, where that is a manifest list, its
    platforms'; empty where they are not known.
    """

    tag: ImageTag
    digests: tuple[str, ...] = ()
    order: Order = Order.NUMERIC
    until: RolloutUntil = RolloutUntil.COMPLETED


def runs_wanted(deployment: Deployment, target: ServiceTarget, wanted: Wanted) -> bool:
    """Return whether the deployment's container has the wanted image."""
    try:
        image = container_image(deployment.task_definition, target)
    except SettingsError:  # an old revision may have had other containers
        return False
    return match_image(image, deployment.digests, wanted.tag, wanted.digests) is ImageMatch.SAME
