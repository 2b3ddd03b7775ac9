"""Several services of one environment in one call (rule 14), each through the same steps, in three rounds.

    check       all images, at once; if one cannot be delivered, nothing is changed
    record      all parameters, at once; the round is over when the last write has returned
    complete    each on its own: a run that carries it, then its own verdict, whatever becomes of the others

A run is joined or queued once for each distinct pipeline, branch, template parameters and variables: looked for after
every write, it carries all of them. A service that needs another run after that looks for one alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from ecs_cd.delivery.context import Clouds, DeliveryContext
from ecs_cd.delivery.deploy import complete
from ecs_cd.delivery.on_failure import roll_back_failed
from ecs_cd.delivery.preflight import CheckRun, check_place_run
from ecs_cd.delivery.report_builder import ReportBuilder
from ecs_cd.delivery.single_flight import SingleFlight
from ecs_cd.delivery.steps import Carry, Checked, carry_for_place, check, record
from ecs_cd.errors import EcsCdError, Interrupted, NotAttempted, SettingsError
from ecs_cd.model.delivery import Delivery, Place
from ecs_cd.model.events import Event, Watch, WatchRaised, ignore_events
from ecs_cd.model.parameter import ParameterChange
from ecs_cd.model.run import FinishedRun, Pipeline
from ecs_cd.report.combined import Reports
from ecs_cd.report.report import Report
from ecs_cd.run.pipelines import full_ref
from ecs_cd.run.preflight import RunPreflight
from ecs_cd.support.clock import Clock
from ecs_cd.support.concurrency import Once, run_all
from ecs_cd.support.deadline import Deadline

WatchOf = Callable[[str], Watch]
"""Gives the watch of a service, or, for a run that several share, of its pipeline's path; called from any thread."""


def watch_nothing(name: str) -> Watch:  # noqa: ARG001 - it is the same for all
    """Show nothing of anybody."""
    return ignore_events


def deploy_several(
    deliveries: Sequence[Delivery], clouds: Clouds, *, deadline: Deadline, watch: WatchOf = watch_nothing
) -> Reports:
    """Deliver all of them, of one environment, and return what happened to each.

    Raises:
        SettingsError: there is none, or two have the same service or parameter.
    """
    _refuse_duplicates(deliveries)
    interrupted = threading.Event()
    limit = replace(deadline, clock=_InterruptibleClock(deadline.clock, interrupted))
    watches = _Watches(watch, interrupted)
    services = [_Service.of(delivery, clouds, limit, watches) for delivery in deliveries]
    began = deadline.clock.now()
    try:
        _in_rounds(services, SingleFlight(), watches)
    except KeyboardInterrupt:
        interrupted.set()
    reports = [service.report or service.context.report.interrupted() for service in services]
    return Reports.of(reports, seconds=round(deadline.clock.now() - began, 3))


def _refuse_duplicates(deliveries: Sequence[Delivery]) -> None:
    if not deliveries:
        raise SettingsError("There is no service to deliver.", hint="Name one, or give a tag file that does.")
    parameters: dict[str, str] = {}
    for place in (delivery.place for delivery in deliveries):
        other = parameters.setdefault(place.parameter, place.service)
        if other != place.service:
            raise SettingsError(
                f"{other} and {place.service} are recorded in the same parameter, {place.parameter}.",
                hint="Give each a parameter of its own, as with /{service}/{environment}/docker-image-tag.",
            )
    if len(parameters) < len(deliveries):
        raise SettingsError("A service is named twice.", hint="Name each once.")


def _in_rounds(services: Sequence[_Service], runs: SingleFlight, watches: _Watches) -> None:
    ask_run = _asked_once()
    _each(services, lambda service: service.check(ask_run))
    if any(service.report for service in services):
        _attempt_nothing(services)
        return
    _each(services, _Service.record)
    written = [service.change for service in services if service.change]
    shared = _Shared(runs, watches, written)
    _each(services, lambda service: service.complete(shared))


def _each(services: Sequence[_Service], do: Callable[[_Service], None]) -> None:
    run_all([partial(do, service) for service in services], most=len(services))


def _attempt_nothing(services: Sequence[_Service]) -> None:
    """Report for those that could be delivered that they were not, because of the first one that cannot be."""
    name, why = next(
        (service.delivery.place.service, service.report.failure.message)
        for service in services
        if service.report and service.report.failure
    )
    error = NotAttempted(
        f"Nothing was changed, because {name} cannot be delivered with it: {why}",
        hint=f"See to {name}, or deliver without it.",
    )
    for service in services:
        service.report = service.report or service.context.report.failed(error)


@dataclass(frozen=True)
class _Watches:
    """The watches of one call. When Ctrl-C has ended it, nothing more is shown."""

    watch: WatchOf
    interrupted: threading.Event

    def of(self, name: str) -> Watch:
        def show(event: Event) -> None:
            if not self.interrupted.is_set():
                self.watch(name)(event)

        return show


@dataclass(frozen=True)
class _Shared:
    """What the services of one call share while they are completed: the runs, the watches, and all that was written."""

    runs: SingleFlight
    watches: _Watches
    written: Sequence[ParameterChange]


@dataclass(frozen=True)
class _InterruptibleClock:
    """The clock of one call: when Ctrl-C has ended it, whoever would wait any further is ended."""

    real: Clock
    interrupted: threading.Event

    def now(self) -> float:
        return self.real.now()

    def utc(self) -> datetime:
        return self.real.utc()

    def sleep(self, seconds: float) -> None:
        self.real.sleep(seconds)
        if self.interrupted.is_set():
            raise Interrupted("Interrupted.")


@dataclass
class _Service:
    """One service of the call, and what each round has found; `report` once it has ended."""

    delivery: Delivery
    context: DeliveryContext
    checked: Checked | None = None
    change: ParameterChange | None = None
    report: Report | None = None

    @classmethod
    def of(cls, delivery: Delivery, clouds: Clouds, deadline: Deadline, watches: _Watches) -> _Service:
        place, dry_run = delivery.place, delivery.options.dry_run
        report = ReportBuilder(place, deadline, watches.of(place.service), delivery.tag, dry_run=dry_run)
        return cls(delivery, DeliveryContext(clouds, report))

    def check(self, ask_run: CheckRun) -> None:
        """Check, changing nothing."""
        try:
            self.checked = check(self.delivery, self.context, ask_run)
        except (EcsCdError, WatchRaised) as error:
            self.report = self.context.report.failed(error)

    def record(self) -> None:
        """Record the tag."""
        if self.checked is None:
            return
        try:
            self.change = record(self.delivery, self.checked.image, self.context, self.checked.parameter)
        except (EcsCdError, WatchRaised) as error:
            self.report = self.context.report.failed(error)

    def complete(self, shared: _Shared) -> None:
        """Do what is left, sharing the first run with the others that need the same."""
        if self.checked is None or self.change is None:
            return
        carry = _carry_together(self.delivery.place, self.checked.pipeline, self.context, shared)
        try:
            outcome = complete(self.delivery, self.checked, self.change, self.context, carry)
            report = self.context.report.succeeded(outcome)
        except (EcsCdError, WatchRaised) as error:
            report = self.context.report.failed(error)
        self.report = roll_back_failed(report, self.delivery, self.context)


def _carry_together(
    place: Place,
    pipeline: Pipeline,
    context: DeliveryContext,
    shared: _Shared,
) -> Carry:
    """Return a carrier that shares its run with all deliveries for which it does the same."""

    def carry(change: ParameterChange, note: Watch) -> FinishedRun:
        def begin(watch: Watch) -> FinishedRun:
            return carry_for_place(place, pipeline, [change, *shared.written], context, watch)

        return shared.runs.carry(_run_key(place, pipeline), begin, watch=shared.watches.of(pipeline.path), note=note)

    return carry


def _run_key(place: Place, pipeline: Pipeline) -> Hashable:
    """Return what must be the same for one run to do for several services."""
    return pipeline.id, *_run_inputs(place)


def _run_inputs(place: Place) -> tuple[Hashable, ...]:
    """Return what a run is given; names have no letter case."""
    given = (
        frozenset((name.casefold(), value) for name, value in values.items())
        for values in (place.template_parameters, place.variables)
    )
    return full_ref(place.branch), *given


def _asked_once() -> CheckRun:
    """Return a check of a run that asks once for all services that want the same run of the same pipeline."""
    known = Once[RunPreflight]()

    def ask(place: Place, clouds: Clouds) -> RunPreflight:
        return known.get((place.pipeline, *_run_inputs(place)), lambda: check_place_run(place, clouds))

    return ask
