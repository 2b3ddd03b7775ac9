"""The functions of `import ecs_cd`: each is one call of a `Client` made for it.

All take what a `Client` takes as keywords (`settings`, `session`, `connection`, `environ`, `clock`), and settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecs_cd.arguments import Names, Services, SettingsSource, Tag, TagSource, describe_settings
from ecs_cd.client import Client
from ecs_cd.delivery.hold import HoldResult
from ecs_cd.model.events import Watch, ignore_events
from ecs_cd.overview.history import HistoryEntry
from ecs_cd.overview.matrix import PlaceStatus
from ecs_cd.report.combined import Reports
from ecs_cd.report.report import Report
from ecs_cd.support.clock import Clock

if TYPE_CHECKING:
    import boto3
    from azure.devops.connection import Connection
    from typing_extensions import Unpack

    from ecs_cd.settings.keywords import SettingKeywords


@describe_settings
def deploy(
    service: str = "",
    environment: str = "",
    *,
    tag: Tag | None = None,
    tag_file: TagSource = "",
    dry_run: bool = False,
    watch: Watch = ignore_events,
    settings: SettingsSource = None,
    session: boto3.Session | None = None,
    connection: Connection | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **keywords: Unpack[SettingKeywords],
) -> Report:
    """Deliver a tag of a service to an environment, and return a report; see `Client.deploy`.

    Raises:
        WrongInput: settings, tag or tag file are wrong; nothing was sent anywhere.
    """
    with Client(settings, session=session, connection=connection, environ=environ, clock=clock) as client:
        return client.deploy(service, environment, tag=tag, tag_file=tag_file, dry_run=dry_run, watch=watch, **keywords)


@describe_settings
def deploy_many(
    environment: str = "",
    services: Services = (),
    *,
    tag_file: TagSource = "",
    dry_run: bool = False,
    watch: Watch = ignore_events,
    settings: SettingsSource = None,
    session: boto3.Session | None = None,
    connection: Connection | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **keywords: Unpack[SettingKeywords],
) -> Reports:
    """Deliver several services to an environment, with one run for all that have the same pipeline.

    See `Client.deploy_many`.

    Raises:
        WrongInput: settings, tags or tag file are wrong; nothing was sent anywhere.
    """
    with Client(settings, session=session, connection=connection, environ=environ, clock=clock) as client:
        return client.deploy_many(environment, services, tag_file=tag_file, dry_run=dry_run, watch=watch, **keywords)


@describe_settings
def promote(
    service: str = "",
    environment: str = "",
    *,
    dry_run: bool = False,
    watch: Watch = ignore_events,
    settings: SettingsSource = None,
    session: boto3.Session | None = None,
    connection: Connection | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **keywords: Unpack[SettingKeywords],
) -> Report:
    """Deliver to an environment what the one it is promoted from serves; see `Client.promote`.

    Raises:
        WrongInput: a name or a setting is wrong; nothing was sent anywhere.
    """
    with Client(settings, session=session, connection=connection, environ=environ, clock=clock) as client:
        return client.promote(service, environment, dry_run=dry_run, watch=watch, **keywords)


@describe_settings
def rollback(
    service: str = "",
    environment: str = "",
    *,
    to: Tag | None = None,
    dry_run: bool = False,
    watch: Watch = ignore_events,
    settings: SettingsSource = None,
    session: boto3.Session | None = None,
    connection: Connection | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **keywords: Unpack[SettingKeywords],
) -> Report:
    """Step back to the version verified last, or to the tag `to`, and hold it there; see `Client.rollback`.

    Raises:
        WrongInput: a name, a setting or the tag is wrong; nothing was sent anywhere.
    """
    with Client(settings, session=session, connection=connection, environ=environ, clock=clock) as client:
        return client.rollback(service, environment, to=to, dry_run=dry_run, watch=watch, **keywords)


@describe_settings
def hold(
    service: str = "",
    environment: str = "",
    *,
    dry_run: bool = False,
    settings: SettingsSource = None,
    session: boto3.Session | None = None,
    connection: Connection | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **keywords: Unpack[SettingKeywords],
) -> HoldResult:
    """Hold a service in an environment at the tag it has; see `Client.hold`.

    Raises:
        WrongInput: a name or a setting is wrong.
        EcsCdError: AWS refused, or could not be reached.
    """
    with Client(settings, session=session, connection=connection, environ=environ, clock=clock) as client:
        return client.hold(service, environment, dry_run=dry_run, **keywords)


@describe_settings
def unhold(
    service: str = "",
    environment: str = "",
    *,
    dry_run: bool = False,
    settings: SettingsSource = None,
    session: boto3.Session | None = None,
    connection: Connection | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **keywords: Unpack[SettingKeywords],
) -> HoldResult:
    """Lift the hold of a service in an environment; see `Client.unhold`.

    Raises:
        WrongInput: a name or a setting is wrong.
        EcsCdError: AWS refused, or could not be reached.
    """
    with Client(settings, session=session, connection=connection, environ=environ, clock=clock) as client:
        return client.unhold(service, environment, dry_run=dry_run, **keywords)


@describe_settings
def verify(
    service: str = "",
    environment: str = "",
    *,
    tag: Tag | None = None,
    tag_file: TagSource = "",
    or_newer: bool = False,
    watch: Watch = ignore_events,
    settings: SettingsSource = None,
    session: boto3.Session | None = None,
    connection: Connection | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **keywords: Unpack[SettingKeywords],
) -> Report:
    """Watch until ECS serves this very tag, or is known not to; change nothing. See `Client.verify`.

    Raises:
        WrongInput: settings, tag or tag file are wrong; nothing was sent anywhere.
    """
    with Client(settings, session=session, connection=connection, environ=environ, clock=clock) as client:
        return client.verify(
            service, environment, tag=tag, tag_file=tag_file, or_newer=or_newer, watch=watch, **keywords
        )


@describe_settings
def status(
    services: Names = (),
    environments: Names = (),
    *,
    marks: bool | None = None,
    settings: SettingsSource = None,
    session: boto3.Session | None = None,
    connection: Connection | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **keywords: Unpack[SettingKeywords],
) -> tuple[PlaceStatus, ...]:
    """Return what is recorded and what serves, for services in environments; see `Client.status`.

    Raises:
        WrongInput: a name or a setting is wrong.
        EcsCdError: no environment could be read; the error is that of the first.
    """
    with Client(settings, session=session, connection=connection, environ=environ, clock=clock) as client:
        return client.status(services, environments, marks=marks, **keywords)


@describe_settings
def history(
    service: str = "",
    environment: str = "",
    *,
    most: int = 20,
    settings: SettingsSource = None,
    session: boto3.Session | None = None,
    connection: Connection | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **keywords: Unpack[SettingKeywords],
) -> tuple[HistoryEntry, ...]:
    """Return the last versions of a service's parameter, newest first; see `Client.history`.

    Raises:
        WrongInput: a name or a setting is wrong.
        EcsCdError: AWS refused, or could not be reached.
    """
    with Client(settings, session=session, connection=connection, environ=environ, clock=clock) as client:
        return client.history(service, environment, most=most, **keywords)
