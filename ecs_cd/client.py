"""The one front door: settings, the connections to both clouds, and what can be done with them.

The command, the Azure Pipelines task and the functions of `import ecs_cd` all call a `Client`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ecs_cd import arguments, from_settings
from ecs_cd.arguments import Names, Services, SettingsSource, Tag, TagSource, describe_settings
from ecs_cd.calls import Calls, begun, watch_of_several
from ecs_cd.connections import Access, Connections, FromSettings
from ecs_cd.delivery.deploy import deploy_service
from ecs_cd.delivery.hold import HoldResult, hold_now, unhold_now
from ecs_cd.delivery.origin import Source
from ecs_cd.delivery.promote import promote_served
from ecs_cd.delivery.rollback import roll_back
from ecs_cd.delivery.several import deploy_several
from ecs_cd.delivery.single_steps import verify_rollout
from ecs_cd.errors import EcsCdError
from ecs_cd.messages import sentences
from ecs_cd.model.events import CallStarted, Watch, ignore_events
from ecs_cd.overview.history import HistoryEntry, parameter_history
from ecs_cd.overview.matrix import PlaceStatus
from ecs_cd.overview.overview import Environment, overview
from ecs_cd.report.combined import Reports
from ecs_cd.report.report import Report
from ecs_cd.settings import PROMOTED, DeliverySettings, Settings
from ecs_cd.single_steps import SingleSteps
from ecs_cd.support.clock import Clock, SystemClock
from ecs_cd.support.deadline import Deadline

if TYPE_CHECKING:
    import boto3
    from azure.devops.connection import Connection
    from typing_extensions import Never, Unpack

    from ecs_cd.run.pipelines import Pipelines
    from ecs_cd.settings.keywords import SettingKeywords


class Client:
    """Deliveries with one set of settings, over connections that are kept until `close`.

        with ecs_cd.Client("ecs-cd.yml", session=boto3.Session(profile_name="build")) as client:
            report = client.deploy("my-api", "development", tag=12345)

    Every method takes settings as keywords, which take precedence over variables and the file. Methods that deliver
    return a report, of a failure too; they raise only `WrongInput` (nothing was sent anywhere), and `TypeError` where
    a keyword is unknown. Methods may be called from several threads.
    """

    def __init__(
        self,
        settings: SettingsSource = None,
        *,
        session: boto3.Session | None = None,
        connection: Connection | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        access: Access | None = None,
        **unknown: Never,
    ) -> None:
        """Load the settings; nothing is sent before the first call.

        `settings`: the path of a settings file, settings that were loaded, or None for the file found upwards from the
        working folder. `session`: AWS is reached with its credentials, and in its region where no setting names one;
        a role in the settings is assumed with them, a profile is not looked at. `connection`: the organization and
        the credentials of Azure DevOps; no token is needed then. `environ`: variables instead of `os.environ`.
        `clock`: what every wait uses. `access`: decides whose credentials are used (see
        `ecs_cd.connections.Access`).

        Raises:
            WrongInput: the settings are wrong, or `connection` is one to another organization than they name.
            TypeError: a keyword is unknown.
        """
        arguments.check_client_keywords(unknown)
        arguments.check_credentials(session, connection)
        loaded = arguments.load_settings(settings, environ)
        if connection is not None:
            loaded = arguments.with_connection(loaded, connection.base_url)
        arguments.check_clock(clock)
        clock = SystemClock() if clock is None else clock
        connections = Connections(access or FromSettings(), clock, session=session, connection=connection)
        self._calls = Calls(loaded, connections, clock)
        self.steps = SingleSteps(self._calls)

    @property
    def settings(self) -> Settings:
        """Return the settings as loaded."""
        return self._calls.settings

    def __enter__(self) -> Client:  # noqa: PYI034 - `Self` is not in Python 3.10
        """Return itself."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; a later call raises `WrongInput`."""
        self._calls.connections.close()

    @describe_settings
    def deploy(
        self,
        service: str = "",
        environment: str = "",
        *,
        tag: Tag | None = None,
        tag_file: TagSource = "",
        dry_run: bool = False,
        watch: Watch = ignore_events,
        **settings: Unpack[SettingKeywords],
    ) -> Report:
        """Deliver a tag of a service to an environment, and return a report.

        A name may be left out where only one can be meant. `tag`: a text, a number or an `ImageTag`; where it is left
        out, the tag file has it (`tag_file`: a file, a folder to look in, or a glob; the working folder if left out).
        `dry_run`: check everything, change nothing. `watch` is called with every event.

        Raises:
            WrongInput: settings, tag or tag file are wrong; nothing was sent anywhere.
        """
        arguments.check_switches(dry_run=dry_run)
        arguments.check_watch(watch)
        resolved = self._calls.resolve("deploy", service, environment, settings)
        entry = arguments.tag_entry(resolved.service, tag, tag_file)
        wanted = from_settings.delivery(resolved, entry, dry_run=dry_run)
        clouds = self._calls.prepared(resolved).clouds(resolved, str(entry.tag))
        title = f"{resolved.service} {entry.tag} to {resolved.environment}"
        deadline, watch = self._calls.begin_report(title, resolved, watch)
        return deploy_service(wanted, clouds, deadline=deadline, watch=watch)

    @describe_settings
    def deploy_many(
        self,
        environment: str = "",
        services: Services = (),
        *,
        tag_file: TagSource = "",
        dry_run: bool = False,
        watch: Watch = ignore_events,
        **settings: Unpack[SettingKeywords],
    ) -> Reports:
        """Deliver several services to an environment: one run for all that have the same pipeline, a verdict for each.

        `services`: the tags by service, `{"my-api": 101}`; or only the names, one or several, whose tags the tag file
        has. Where none is named, all images of the tag file. `watch` is called from several threads; each event has the
        service it is about. The deadline is the longest that one of the services has.

        Raises:
            WrongInput: settings, tags or tag file are wrong; nothing was sent anywhere.
        """
        arguments.check_switches(dry_run=dry_run)
        arguments.check_watch(watch)
        arguments.check_keywords("deploy_many", settings)
        arguments.check_order_of_several(environment, services, self.settings)
        entries = arguments.tag_entries(services, tag_file)
        resolved = [self._calls.resolve("deploy_many", entry.service, environment, settings) for entry in entries]
        wanted = [
            from_settings.delivery(one, entry, dry_run=dry_run) for one, entry in zip(resolved, entries, strict=True)
        ]
        clouds = self._calls.prepared(*resolved).clouds(resolved[0], f"{len(resolved)}-services")
        names = tuple(one.service for one in resolved)
        seconds = max(one.timeout for one in resolved)
        watch = begun(CallStarted(f"{len(names)} services to {resolved[0].environment}", seconds, names), watch)
        with watch_of_several(watch, names) as watch_of:
            return deploy_several(wanted, clouds, deadline=Deadline.after(seconds, self._calls.clock), watch=watch_of)

    @describe_settings
    def promote(
        self,
        service: str = "",
        environment: str = "",
        *,
        dry_run: bool = False,
        watch: Watch = ignore_events,
        **settings: Unpack[SettingKeywords],
    ) -> Report:
        """Deliver to an environment what the one it is promoted from serves (`promote_from`, `promote_after`).

        Raises:
            WrongInput: a name or a setting is wrong; nothing was sent anywhere.
        """
        arguments.check_switches(dry_run=dry_run)
        arguments.check_watch(watch)
        resolved = self._calls.resolve("promote", service, environment, settings, PROMOTED)
        origin = self.settings.resolve_origin(resolved, **settings)
        clouds = self._calls.prepared(resolved, origin).clouds(resolved, "promote")
        there = self._calls.connections.aws(origin, "promote")
        title = f"{resolved.service} from {origin.environment} to {resolved.environment}"
        deadline, watch = self._calls.begin_report(title, resolved, watch)
        return promote_served(
            from_settings.promotion(resolved, origin, dry_run=dry_run),
            Source(there.images, there.parameters, there.services),
            clouds,
            deadline=deadline,
            watch=watch,
        )

    @describe_settings
    def rollback(
        self,
        service: str = "",
        environment: str = "",
        *,
        to: Tag | None = None,
        dry_run: bool = False,
        watch: Watch = ignore_events,
        **settings: Unpack[SettingKeywords],
    ) -> Report:
        """Step back to the version verified last, or to the tag `to`, hold it there, and return a report.

        No delivery writes over it until `unhold`.

        Raises:
            WrongInput: a name, a setting or the tag is wrong; nothing was sent anywhere.
        """
        arguments.check_switches(dry_run=dry_run)
        arguments.check_watch(watch)
        resolved = self._calls.resolve("rollback", service, environment, settings)
        tag = None if to is None else arguments.image_tag(to, left_out="go back to the version verified last")
        place = from_settings.place(resolved)
        clouds = self._calls.prepared(resolved).clouds(resolved, str(tag or "rollback"))
        title = f"{resolved.service} in {resolved.environment} back{f' to {tag}' if tag else ''}"
        deadline, watch = self._calls.begin_report(title, resolved, watch)
        return roll_back(place, clouds, to=tag, dry_run=dry_run, deadline=deadline, watch=watch)

    @describe_settings
    def hold(
        self,
        service: str = "",
        environment: str = "",
        *,
        dry_run: bool = False,
        **settings: Unpack[SettingKeywords],
    ) -> HoldResult:
        """Hold a service in an environment at the tag it has: no delivery writes over it until `unhold`.

        Raises:
            WrongInput: a name or a setting is wrong.
            EcsCdError: AWS refused, or could not be reached.
        """
        arguments.check_switches(dry_run=dry_run)
        resolved = self._calls.resolve("hold", service, environment, settings, ["parameter"])
        parameters = self._calls.prepared(resolved).aws(resolved, "hold").parameters
        deadline = Deadline.after(resolved.timeout, self._calls.clock)
        return hold_now(from_settings.place(resolved), parameters, deadline=deadline, dry_run=dry_run)

    @describe_settings
    def unhold(
        self,
        service: str = "",
        environment: str = "",
        *,
        dry_run: bool = False,
        **settings: Unpack[SettingKeywords],
    ) -> HoldResult:
        """Lift the hold of a service in an environment, or what a rollback that died has left of one.

        Raises:
            WrongInput: a name or a setting is wrong.
            EcsCdError: AWS refused, or could not be reached.
        """
        arguments.check_switches(dry_run=dry_run)
        resolved = self._calls.resolve("unhold", service, environment, settings, ["parameter"])
        parameters = self._calls.prepared(resolved).aws(resolved, "unhold").parameters
        deadline = Deadline.after(resolved.timeout, self._calls.clock)
        return unhold_now(from_settings.place(resolved), parameters, deadline=deadline, dry_run=dry_run)

    @describe_settings
    def verify(
        self,
        service: str = "",
        environment: str = "",
        *,
        tag: Tag | None = None,
        tag_file: TagSource = "",
        or_newer: bool = False,
        watch: Watch = ignore_events,
        **settings: Unpack[SettingKeywords],
    ) -> Report:
        """Watch until ECS serves this very tag, or is known not to; change nothing.

        The tag or a tag file must be given. `or_newer`: a newer tag will do as well (outcome `superseded`).

        Raises:
            WrongInput: settings, tag or tag file are wrong; nothing was sent anywhere.
        """
        arguments.check_switches(or_newer=or_newer)
        arguments.check_watch(watch)
        arguments.check_tag_given("verify", tag, tag_file)
        resolved = self._calls.resolve("verify", service, environment, settings, ["rollout"])
        entry = arguments.tag_entry(resolved.service, tag, tag_file)
        wanted = from_settings.delivery(resolved, entry)
        aws = self._calls.prepared(resolved).aws(resolved, str(entry.tag))
        title = f"{resolved.service} {entry.tag} in {resolved.environment}"
        deadline, watch = self._calls.begin_report(title, resolved, watch)
        return verify_rollout(
            wanted, aws.images, aws.services, aws.logs, or_newer=or_newer, deadline=deadline, watch=watch
        )

    @describe_settings
    def status(
        self,
        services: Names = (),
        environments: Names = (),
        *,
        marks: bool | None = None,
        **settings: Unpack[SettingKeywords],
    ) -> tuple[PlaceStatus, ...]:
        """Return what is recorded and what serves, for services in environments; for all, where none is named.

        `marks`: read which tags are verified or held, a request for each place; None: if there are at most 30. Runs are
        looked at where there is a token for Azure DevOps. What could not be read of one place is its `problem`.

        Raises:
            WrongInput: a name or a setting is wrong.
            EcsCdError: no environment could be read; the error is that of the first.
        """
        if marks is not None:
            arguments.check_switches(marks=marks)
        arguments.check_keywords("status", settings)
        rows = dict.fromkeys(arguments.names_of("services", services) or self.settings.services or ("",))
        columns = dict.fromkeys(arguments.names_of("environments", environments) or self.settings.environments or ("",))
        resolved = [
            [self._calls.resolve("status", service, environment, settings, ["parameter"]) for service in rows]
            for environment in columns
        ]
        self._calls.prepared(*(one for here in resolved for one in here))
        looks = [self._environment(here) for here in resolved]
        try:
            project = self.settings.resolve_project(
                organization=settings.get("organization"), project=settings.get("project")
            )
            pipelines: Pipelines | None = self._calls.connections.azure_devops(project)
        except EcsCdError as error:  # what AWS has can be shown all the same
            return overview(looks, None, marks=marks, unseen=sentences(error.message, *error.details))
        return overview(looks, pipelines, marks=marks)

    @describe_settings
    def history(
        self,
        service: str = "",
        environment: str = "",
        *,
        most: int = 20,
        **settings: Unpack[SettingKeywords],
    ) -> tuple[HistoryEntry, ...]:
        """Return the last versions of a service's parameter, newest first; at most `most`.

        Raises:
            WrongInput: a name or a setting is wrong.
            EcsCdError: AWS refused, or could not be reached.
        """
        arguments.check_count("most", most)
        resolved = self._calls.resolve("history", service, environment, settings, ["parameter"])
        aws = self._calls.prepared(resolved).aws(resolved, "history")
        return parameter_history(aws.parameters, resolved.parameter, most=most)

    def _environment(self, here: Sequence[DeliverySettings]) -> Environment:
        aws = self._calls.connections.aws(here[0], "status", within_quotas=True)
        return Environment([from_settings.place(one) for one in here], aws.parameters, aws.services)
