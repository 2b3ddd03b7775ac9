"""From checked settings, and what a build said of its image, to what is delivered and where to."""

from __future__ import annotations

from ecs_cd.delivery.deploy import Delivery
from ecs_cd.delivery.promote import Origin, Wish
from ecs_cd.errors import WrongInput
from ecs_cd.model.image import ImageRef, ImageTag, TagEntry
from ecs_cd.overview.matrix import Place
from ecs_cd.sanitize import quoted
from ecs_cd.settings import DeliverySettings


def delivery(settings: DeliverySettings, entry: TagEntry, *, dry_run: bool = False) -> Delivery:
    """Return what is to be delivered.

    Raises:
        WrongInput: the build and the settings name different repositories.
    """
    return Delivery(
        service=settings.service,
        environment=settings.environment,
        tag=entry.tag,
        parameter=settings.parameter,
        pipeline=str(settings.pipeline),
        branch=settings.branch,
        image=_image(settings, entry),
        target=settings.target,
        order=settings.order,
        create_parameter=settings.create_parameter,
        wait_for_image=settings.wait_for_image,
        template_parameters=settings.template_parameters,
        variables=settings.variables,
        dry_run=dry_run,
        rollback_on_failure=settings.rollback == "on-failure",
    )


def place_of_rollback(settings: DeliverySettings, *, dry_run: bool = False) -> Delivery:
    """Return where and through what is rolled back, held or unheld; its tag means nothing."""
    return delivery(settings, TagEntry(ImageTag("any")), dry_run=dry_run)


def wish(settings: DeliverySettings, *, dry_run: bool = False) -> Wish:
    """Return what is promoted to where."""
    return Wish(
        settings.service, settings.environment, lambda entry: delivery(settings, entry, dry_run=dry_run), dry_run
    )


def origin(settings: DeliverySettings, to: DeliverySettings) -> Origin:
    """Return what a promotion copies from, and on what condition; `settings` are of `Settings.resolve_origin`."""
    if settings.target is None:
        raise ValueError(f"{settings.environment} names no ECS service")
    return Origin(
        settings.environment,
        settings.target,
        parameter=settings.parameter,
        check_image=settings.check_image,
        repository=settings.repository,
        registry=settings.registry,
        region=settings.registry_region,
        serving_for=to.promote_after,
    )


def place(settings: DeliverySettings) -> Place:
    """Return a place to look at."""
    return Place(
        settings.service,
        settings.environment,
        settings.parameter,
        pipeline=str(settings.pipeline),
        branch=settings.branch,
        target=settings.target,
    )


def _image(settings: DeliverySettings, entry: TagEntry) -> ImageRef | None:
    """Return where the image must be, or None where it is not to be looked for."""
    if not settings.check_image:
        return None
    if entry.repository and entry.repository != settings.repository:
        raise WrongInput(
            f"The tag file says that the image of {settings.service} is in repository {quoted(entry.repository)}, the "
            f"settings say {quoted(settings.repository)}.",
            hint="Set `repository` of the service to the one the build pushes to.",
        )
    return ImageRef(settings.repository, entry.tag, settings.registry, settings.registry_region, entry.digest)
