"""From checked settings to the other sides of a delivery. Nothing is imported or sent before it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ecs_cd.aws import Aws, AwsSettings
from ecs_cd.aws import connect as connect_aws
from ecs_cd.azure_devops import AzureDevOps, AzureDevOpsSettings
from ecs_cd.azure_devops import connect as connect_azure_devops
from ecs_cd.delivery.context import Clouds
from ecs_cd.delivery.origin import Origin, Source
from ecs_cd.delivery.promote import Promotion
from ecs_cd.errors import SettingsError, WrongInput
from ecs_cd.messages import Message, SettingRef
from ecs_cd.model.delivery import Delivery, DeliveryOptions, Place
from ecs_cd.model.image import ImageRepository, TagEntry
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
        repository=repository if settings.check_image else None,
        template_parameters=settings.template_parameters,
        variables=settings.variables,
    )


def options(settings: DeliverySettings, *, dry_run: bool = False) -> DeliveryOptions:
    """Return the conditions of a delivery."""
    return DeliveryOptions(
        order=settings.order,
        create_parameter=settings.create_parameter,
        wait_for_image=settings.wait_for_image,
        rollback_on_failure=settings.rollback == "on-failure",
        dry_run=dry_run,
    )


def delivery(settings: DeliverySettings, entry: TagEntry, *, dry_run: bool = False) -> Delivery:
    """Return what is to be delivered, from the settings and what the build said of its image.

    Raises:
        WrongInput: the build and the settings name different repositories.
    """
    if settings.check_image and entry.repository and entry.repository != settings.repository:
        raise WrongInput(
            f"The tag file says that the image of {settings.service} is in repository {quoted(entry.repository)}, the "
            f"settings say {quoted(settings.repository)}.",
            hint="Set `repository` of the service to the one the build pushes to.",
        )
    return Delivery(place(settings), entry.tag, entry.digest, options(settings, dry_run=dry_run))


def promotion(settings: DeliverySettings, origin: DeliverySettings, *, dry_run: bool = False) -> Promotion:
    """Return what is promoted to where; `origin` is of `Settings.resolve_origin`."""
    from_place = Origin(place(origin), serving_for=settings.promote_after)
    return Promotion(from_place, place(settings), options(settings, dry_run=dry_run))


def source(amazon: Aws) -> Source:
    """Return an origin's side of AWS."""
    return Source(amazon.images, amazon.parameters, amazon.services)
