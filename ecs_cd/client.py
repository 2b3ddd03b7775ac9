"""What a script calls. Settings come from `ecs-cd.yml`, the environment, and keyword arguments over both.

The keyword arguments `**overrides` are the settings' names, as `ecs-cd deploy --help` lists them with dashes:
`parameter`, `repository`, `pipeline`, `branch`, `region`, `cluster`, `container`, `timeout` ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecs_cd import wiring
from ecs_cd.delivery.deploy import deploy_service
from ecs_cd.delivery.hold import HoldResult, hold_now, unhold_now
from ecs_cd.delivery.promote import promote_served
from ecs_cd.delivery.rollback import roll_back
from ecs_cd.delivery.several import WatchOf, deploy_several, watch_nothing
from ecs_cd.delivery.single_steps import verify_rollout
from ecs_cd.errors import WrongInput
from ecs_cd.model.events import Watch, ignore_events
from ecs_cd.model.image import ImageTag, TagEntry
from ecs_cd.overview.history import HistoryEntry, parameter_history
from ecs_cd.overview.matrix import PlaceStatus
from ecs_cd.overview.watch import Overview, opened
from ecs_cd.report.combined import Reports
from ecs_cd.report.report import Report
from ecs_cd.settings import PROMOTED, DeliverySettings, load
from ecs_cd.support.clock import Clock, SystemClock
from ecs_cd.support.deadline import Deadline
from ecs_cd.tag.tag_file import entries_for, read_tag, read_tag_file


def deploy(
    service: str = "",
    environment: str = "",
    *,
    tag: str = "",
    tag_file: str | Path = "",
    dry_run: bool = False,
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    watch: Watch = ignore_events,
    clock: Clock | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> Report:
    """Deliver a tag (or the one in a tag file) of a service to an environment, and return what was proved.

    A failed delivery is a report too: look at `report.outcome`, `report.succeeded` and `report.failure`. `watch` is
    told what happens meanwhile (`ecs_cd.model.events`).

    Raises:
        WrongInput: settings, tag or tag file are wrong; nothing was sent anywhere.
    """
    resolved = load(settings, environ).resolve(service, environment, **overrides)
    return deploy_resolved(
        resolved, find_tag(resolved.service, tag, tag_file), dry_run=dry_run, watch=watch, clock=clock or SystemClock()
    )


def deploy_resolved(
    settings: DeliverySettings, entry: TagEntry, *, dry_run: bool, watch: Watch, clock: Clock
) -> Report:
    """Deliver what the settings and the build say."""
    wanted = wiring.delivery(settings, entry, dry_run=dry_run)
    with wiring.clouds(settings, clock) as clouds:
        return deploy_service(wanted, clouds, deadline=Deadline.after(settings.timeout, clock), watch=watch)


def deploy_many(
    environment: str = "",
    tags: Mapping[str, str] | None = None,
    *,
    tag_file: str | Path = "",
    dry_run: bool = False,
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    watch: WatchOf = watch_nothing,
    clock: Clock | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> Reports:
    """Deliver several services to an environment: one run for all that have the same pipeline, a verdict for each.

    `tags` are the tags by service; an empty one is read from the tag file, as are all images of it where `tags` is
    empty. Failed deliveries are reports too: look at `reports.succeeded` and `reports.deliveries`. `watch` gives what
    is told of each service, from any thread.

    Raises:
        WrongInput: settings, tags or tag file are wrong; nothing was sent anywhere.
    """
    loaded = load(settings, environ)
    entries = find_tags(tags or {}, tag_file)
    resolved = [loaded.resolve(entry.service, environment, **overrides) for entry in entries]
    return deploy_all_resolved(resolved, entries, dry_run=dry_run, watch=watch, clock=clock or SystemClock())


def deploy_all_resolved(
    settings: Sequence[DeliverySettings], entries: Sequence[TagEntry], *, dry_run: bool, watch: WatchOf, clock: Clock
) -> Reports:
    """Deliver the services of one environment; their deadline is the longest that one of them has."""
    wanted = [wiring.delivery(one, entry, dry_run=dry_run) for one, entry in zip(settings, entries, strict=True)]
    deadline = Deadline.after(longest(settings), clock)
    with wiring.clouds(settings[0], clock) as clouds:
        return deploy_several(wanted, clouds, deadline=deadline, watch=watch)


def longest(settings: Sequence[DeliverySettings]) -> float:
    """Return the deadline of a call for several services, in seconds."""
    return max(one.timeout for one in settings)


def find_tags(tags: Mapping[str, str], tag_file: str | Path = "") -> tuple[TagEntry, ...]:
    """Return the tags as given by service; those that are empty, or all where none is named, from a tag file.

    Raises:
        WrongInput: one is no tag, there is not exactly one tag file, or it is not needed.
    """
    unsaid = [service for service, tag in tags.items() if not tag]
    if tags and not unsaid and tag_file:
        raise WrongInput("Every tag is given, and a tag file too.", hint="Leave one of them out.")
    read = {}
    if unsaid or not tags:
        found = entries_for(read_tag_file(str(tag_file) or "."), unsaid)
        read = {entry.service: entry for entry in found}
    return tuple(
        read[service] if service in read else TagEntry(ImageTag(tags[service]), service) for service in tags or read
    )


def rollback(
    service: str = "",
    environment: str = "",
    *,
    to: str = "",
    dry_run: bool = False,
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    watch: Watch = ignore_events,
    clock: Clock | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> Report:
    """Step back to the version verified last, or to the tag `to`, hold it there, and return what was proved.

    No delivery writes over it until it is released. A rollback that fails is a report too, as with `deploy`.

    Raises:
        WrongInput: settings or tag are wrong; nothing was sent anywhere.
    """
    resolved = load(settings, environ).resolve(service, environment, **overrides)
    tag = ImageTag(to) if to else None
    return rollback_resolved(resolved, tag, dry_run=dry_run, watch=watch, clock=clock or SystemClock())


def rollback_resolved(
    settings: DeliverySettings, to: ImageTag | None, *, dry_run: bool, watch: Watch, clock: Clock
) -> Report:
    """Roll back what the settings name."""
    with wiring.clouds(settings, clock) as clouds:
        deadline = Deadline.after(settings.timeout, clock)
        return roll_back(wiring.place(settings), clouds, to=to, dry_run=dry_run, deadline=deadline, watch=watch)


def hold(
    service: str = "",
    environment: str = "",
    *,
    dry_run: bool = False,
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> HoldResult:
    """Hold a service in an environment at the tag it has: no delivery writes over it until it is released.

    Raises:
        WrongInput: a name or a setting is wrong.
        EcsCdError: AWS did not answer as needed.
    """
    resolved = load(settings, environ).resolve(service, environment, steps=["parameter"], **overrides)
    return hold_resolved(hold_now, resolved, dry_run=dry_run)


def release(
    service: str = "",
    environment: str = "",
    *,
    dry_run: bool = False,
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> HoldResult:
    """Lift the hold of a service in an environment, or what a rollback that died has left of one.

    Raises:
        WrongInput: a name or a setting is wrong.
        EcsCdError: AWS did not answer as needed.
    """
    resolved = load(settings, environ).resolve(service, environment, steps=["parameter"], **overrides)
    return hold_resolved(unhold_now, resolved, dry_run=dry_run)


def hold_resolved(do: Callable[..., HoldResult], settings: DeliverySettings, *, dry_run: bool) -> HoldResult:
    """Hold or release (`do`) what the settings name."""
    deadline = Deadline.after(settings.timeout, SystemClock())
    with wiring.aws(settings) as aws:
        return do(wiring.place(settings), aws.parameters, deadline=deadline, dry_run=dry_run)


def promote(
    service: str = "",
    environment: str = "",
    *,
    dry_run: bool = False,
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    watch: Watch = ignore_events,
    clock: Clock | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> Report:
    """Deliver to an environment what the one it is promoted from serves (`promote_from`, `promote_after`).

    A promotion that fails is a report too, as with `deploy`.

    Raises:
        WrongInput: a setting is wrong; nothing was sent anywhere.
    """
    loaded = load(settings, environ)
    resolved = loaded.resolve(service, environment, steps=PROMOTED, **overrides)
    origin = loaded.resolve_origin(resolved, **overrides)
    return promote_resolved(resolved, origin, dry_run=dry_run, watch=watch, clock=clock or SystemClock())


def promote_resolved(
    settings: DeliverySettings, origin: DeliverySettings, *, dry_run: bool, watch: Watch, clock: Clock
) -> Report:
    """Promote what the settings name."""
    deadline = Deadline.after(settings.timeout, clock)
    with wiring.clouds(settings, clock) as clouds, wiring.aws(origin) as aws:
        return promote_served(
            wiring.promotion(settings, origin, dry_run=dry_run),
            wiring.source(aws),
            clouds,
            deadline=deadline,
            watch=watch,
        )


def verify(
    service: str = "",
    environment: str = "",
    *,
    tag: str = "",
    tag_file: str | Path = "",
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    watch: Watch = ignore_events,
    clock: Clock | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> Report:
    """Watch until ECS serves the tag, or is known not to; change nothing.

    Raises:
        WrongInput: settings, tag or tag file are wrong; nothing was sent anywhere.
    """
    resolved = load(settings, environ).resolve(service, environment, steps=["rollout"], **overrides)
    entry = find_tag(resolved.service, tag, tag_file)
    return verify_resolved(resolved, entry, watch=watch, clock=clock or SystemClock())


def verify_resolved(settings: DeliverySettings, entry: TagEntry, *, watch: Watch, clock: Clock) -> Report:
    """Watch the service that the settings name."""
    deadline = Deadline.after(settings.timeout, clock)
    with wiring.aws(settings) as aws:
        return verify_rollout(wiring.delivery(settings, entry), aws.services, deadline=deadline, watch=watch)


def status(
    services: Sequence[str] = (),
    environments: Sequence[str] = (),
    *,
    marks: bool | None = None,
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> tuple[PlaceStatus, ...]:
    """Return what is recorded and what serves, for these services in these environments (all, where none is named).

    `marks`: read which tags are verified or held, a request for each place; None: if there are at most 30. Runs are
    looked at where there is a token for Azure DevOps.

    Raises:
        WrongInput: a name or a setting is wrong.
        EcsCdError: AWS did not answer as needed, of no environment.
    """
    with overview(services, environments, marks=marks, settings=settings, environ=environ, **overrides) as seen:
        return seen.look()


@contextmanager
def overview(
    services: Sequence[str] = (),
    environments: Sequence[str] = (),
    *,
    marks: bool | None = None,
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> Iterator[Overview]:
    """Give what `status` looks through, to look again and again over the same connections.

    Raises:
        WrongInput: a name or a setting is wrong.
    """
    loaded = load(settings, environ)
    with opened(loaded, services, environments, marks=marks, clock=clock or SystemClock(), **overrides) as seen:
        yield seen


def history(
    service: str = "",
    environment: str = "",
    *,
    most: int = 20,
    settings: Path | None = None,
    environ: Mapping[str, str] | None = None,
    **overrides: Any,  # noqa: ANN401 - text, number, switch or map, as the setting has it
) -> tuple[HistoryEntry, ...]:
    """Return the last versions of a service's parameter, newest first.

    Raises:
        WrongInput: a name or a setting is wrong.
        EcsCdError: AWS did not answer as needed.
    """
    resolved = load(settings, environ).resolve(service, environment, steps=["parameter"], **overrides)
    with wiring.aws(resolved) as aws:
        return parameter_history(aws.parameters, resolved.parameter, most=most)


def find_tag(service: str, tag: str = "", tag_file: str | Path = "") -> TagEntry:
    """Return the tag as given, or what a tag file (path, folder or glob; the working folder if empty) says.

    Raises:
        WrongInput: it is no tag, or there is not exactly one tag file.
    """
    if tag and tag_file:
        raise WrongInput("Both a tag and a tag file are given.", hint="Give one of them.")
    if tag:
        return TagEntry(ImageTag(tag), service)
    return read_tag(str(tag_file) or ".", service)
