"""From checked settings to the other sides of a delivery. Nothing is imported or sent before it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ecs_cd.aws import Aws, AwsSettings
from ecs_cd.aws import connect as connect_aws
from ecs_cd.azure_devops import AzureDevOps, AzureDevOpsSettings
from ecs_cd.azure_devops import connect as connect_azure_devops
from ecs_cd.delivery.deploy import Clouds, Delivery
from ecs_cd.delivery.promote import Origin, Source, Wish
from ecs_cd.errors import SettingsError, WrongInput
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.image import ImageRef, ImageTag, TagEntry
from ecs_cd.sanitize import quoted
from ecs_cd.settings import DeliverySettings
from ecs_cd.support.clock import Clock
from ecs_cd.support.rate_limit import RateLimit


@contextmanager
def clouds(settings: DeliverySettings, clock: Clock) -> Iterator[Clouds]:
    """Give all that a delivery talks to; the connections are closed at the end."""
    with aws(settings) as amazon, azure_devops(settings, clock) as azure:
        yield Clouds(amazon.images, amazon.parameters, azure, amazon.services)


@contextmanager
def aws(settings: DeliverySettings, rates: Mapping[str, RateLimit] | None = None) -> Iterator[Aws]:
    """Give the AWS account and region of an environment."""
    connected = connect_aws(
        AwsSettings(
            region=settings.region,
            profile=settings.profile,
            role_arn=settings.role_arn,
            external_id=settings.external_id,
        ),
        rates=rates,
    )
    try:
        yield connected
    finally:
        connected.close()


def azure_devops(settings: DeliverySettings, clock: Clock) -> AzureDevOps:
    """Return the Azure DevOps project; a context manager.

    Raises:
        SettingsError: there is no token to ask with.
    """
    if settings.token is None:
        raise SettingsError(
            "There is no token for Azure DevOps.",
            hint=Message(
                "Give a personal access token with ",
                SettingRef("azure_devops_pat"),
                ", or, in a pipeline, pass the job's own token as SYSTEM_ACCESSTOKEN.",
            ),
        )
    secret = {"token" if settings.token.bearer else "pat": settings.token.value}
    return connect_azure_devops(AzureDevOpsSettings(settings.organization, settings.project, **secret), clock)


def delivery(settings: DeliverySettings, entry: TagEntry, *, dry_run: bool = False) -> Delivery:
    """Return what is to be delivered, from the settings and what the build said of its image.

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
        image=image(settings, entry),
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
    """Return where and through what is rolled back, held or released; its tag means nothing."""
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


def source(amazon: Aws) -> Source:
    """Return an origin's side of AWS."""
    return Source(amazon.images, amazon.parameters, amazon.services)


def image(settings: DeliverySettings, entry: TagEntry) -> ImageRef | None:
    """Return where the image must be, or None where it is not to be looked for.

    Raises:
        WrongInput: the build and the settings name different repositories.
    """
    if not settings.check_image:
        return None
    if entry.repository and entry.repository != settings.repository:
        raise WrongInput(
            f"The tag file says that the image of {settings.service} is in repository {quoted(entry.repository)}, the "
            f"settings say {quoted(settings.repository)}.",
            hint="Set `repository` of the service to the one the build pushes to.",
        )
    return ImageRef(settings.repository, entry.tag, settings.registry, settings.registry_region, entry.digest)
