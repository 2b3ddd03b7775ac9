"""From checked settings, and what a build gave of its image, to what is delivered and where to."""

from __future__ import annotations

from ecs_cd.delivery.origin import Origin
from ecs_cd.delivery.promote import Promotion
from ecs_cd.errors import WrongInput
from ecs_cd.model.delivery import Delivery, DeliveryOptions, Place
from ecs_cd.model.image import ImageRepository, TagEntry
from ecs_cd.sanitize import quoted
from ecs_cd.settings import DeliverySettings


def place(settings: DeliverySettings) -> Place:
    """Return the service and environment that the settings name, and what a tag passes through on its way there."""
    repository = ImageRepository(settings.repository, settings.registry, settings.registry_region)
    return Place(
        service=settings.service,
        environment=settings.environment,
        parameter=settings.parameter,
        pipeline=str(settings.pipeline),
        branch=settings.branch,
        target=settings.target,
        task=settings.task,
        repository=repository if settings.check_image else None,
        template_parameters=settings.template_parameters,
        variables=settings.variables,
        rollout_until=settings.rollout_until,
    )


def options(settings: DeliverySettings, *, dry_run: bool = False) -> DeliveryOptions:
    """Return the conditions of a delivery."""
    return DeliveryOptions(
        order=settings.order,
        create_parameter=settings.create_parameter,
        wait_for_image=settings.wait_for_image,
        allow_missing_service=settings.allow_missing_service,
        rollback_on_failure=settings.rollback == "on-failure",
        dry_run=dry_run,
    )


def delivery(settings: DeliverySettings, entry: TagEntry, *, dry_run: bool = False) -> Delivery:
    """Return what is to be delivered, from the settings and what the build gave of its image.

    Raises:
        WrongInput: the build and the settings name different repositories, or the service's order cannot place the tag.
    """
    settings.order.check(str(entry.tag))
    if settings.check_image and entry.repository and entry.repository != settings.repository:
        raise WrongInput(
            f"The tag file says that the image of {settings.service} is in repository {quoted(entry.repository)}, the "
            f"settings say {quoted(settings.repository)}.",
            hint="Set `repository` of the service to the one the build pushes to.",
        )
    return Delivery(place(settings), entry.tag, entry.digest, options(settings, dry_run=dry_run))


def promotion(settings: DeliverySettings, origin: DeliverySettings, *, dry_run: bool = False) -> Promotion:
    """Return what is promoted to where; `origin` is of `Settings.resolve_origin`."""
    from_place = Origin(place(origin), serving_for=settings.promote_after, order=settings.order)
    return Promotion(from_place, place(settings), options(settings, dry_run=dry_run))
