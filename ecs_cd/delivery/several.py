"""Several services of one environment in one call (rule 14).

All images are checked first: if one is missing, nothing is changed. Then all parameters are written, and only when the
last write has returned is a run joined or queued, one for each distinct pipeline, branch, template parameters and
variables: queued, or seen waiting, after every write, it carries all of them. Then each service has its own verdict,
whatever becomes of the others. A service that needs another run after that goes its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ecs_cd.delivery.barrier import Barrier
from ecs_cd.delivery.deploy import Clouds, Delivering, Delivery, interrupted_error
from ecs_cd.delivery.journal import Journal
from ecs_cd.delivery.rollback import after_deploy
from ecs_cd.delivery.single_flight import SingleFlight
from ecs_cd.errors import EcsCdError, Interrupted, NotAttempted, SettingsError
from ecs_cd.model.events import Event, Watch, ignore_events
from ecs_cd.model.image import CheckedImage
from ecs_cd.model.parameter import ParameterChange
from ecs_cd.model.run import FinishedRun, Pipeline
from ecs_cd.parameter.record import Seen
from ecs_cd.report.combined import Reports
from ecs_cd.report.report import Report
from ecs_cd.run.pipelines import full_ref
from ecs_cd.support.clock import Clock
from ecs_cd.support.concurrency import run_all
from ecs_cd.support.deadline import Deadline

WatchOf = Callable[[str], Watch]
"""Gives the watch of a service, or, for a run that several share, of its pipeline's path; from any thread."""


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
    _distinct(deliveries)
    meeting = _Meeting(len(deliveries), watch)
    limit = replace(deadline, clock=_Clock(deadline.clock, meeting))
    members = [_member(delivery, clouds, limit, meeting) for delivery in deliveries]
    began = deadline.clock.now()
    try:
        reports = run_all([member.report for member in members], most=len(members))
    except KeyboardInterrupt:
        meeting.close()
        reports = [member.ended() for member in members]
    return Reports.of(reports, seconds=round(deadline.clock.now() - began, 3))


def _distinct(deliveries: Sequence[Delivery]) -> None:
    if not deliveries:
        raise SettingsError("There is no service to deliver.", hint="Name one, or give a tag file that does.")
    parameters: dict[str, str] = {}
    for delivery in deliveries:
        other = parameters.setdefault(delivery.parameter, delivery.service)
        if other != delivery.service:
            raise SettingsError(
                f"{other} and {delivery.service} are recorded in the same parameter, {delivery.parameter}.",
                hint="Give each a parameter of its own, as with /{service}/{environment}/docker-image-tag.",
            )
    if len(parameters) < len(deliveries):
        raise SettingsError("A service is named twice.", hint="Name each once.")


@dataclass
class _Meeting:
    """What the deliveries of one call share. `over`: Ctrl-C has ended it; nobody goes on, and nothing is told."""

    members: int
    watch: WatchOf
    over: bool = False
    runs: SingleFlight = field(default_factory=SingleFlight)

    def __post_init__(self) -> None:
        """Set up the two gates: nothing is written before all are checked, no run taken before all are written."""
        self.checked = Barrier(self.members)
        self.recorded = Barrier(self.members)

    def close(self) -> None:
        """End it."""
        self.over = True
        for gate in (self.checked, self.recorded):
            gate.refuse(Interrupted("Interrupted."))

    def tell(self, name: str, event: Event) -> None:
        if not self.over:
            self.watch(name)(event)


@dataclass(frozen=True)
class _Clock:
    """The clock of a meeting: once it is over, whoever would wait any further is ended."""

    real: Clock
    meeting: _Meeting

    def now(self) -> float:
        return self.real.now()

    def utc(self) -> datetime:
        return self.real.utc()

    def sleep(self, seconds: float) -> None:
        self.real.sleep(seconds)
        if self.meeting.over:
            raise Interrupted("Interrupted.")


@dataclass
class _Part:
    """How far a member has come: past which gate, and whether it has had its share of the common run."""

    recorded: bool = False
    shared: bool = False
    overhears: bool = False
    report: Report | None = None


def _member(delivery: Delivery, clouds: Clouds, deadline: Deadline, meeting: _Meeting) -> _Member:
    part = _Part()

    def tell(event: Event) -> None:
        if not part.overhears:  # what is told of a common run is told once, and not by each who shares it
            meeting.tell(delivery.service, event)

    journal = Journal(delivery.service, delivery.environment, delivery.tag, deadline, tell, dry_run=delivery.dry_run)
    return _Member(delivery, clouds, deadline, journal, meeting, part)


@dataclass(frozen=True)
class _Member(Delivering):
    meeting: _Meeting
    part: _Part

    def report(self) -> Report:
        """Deliver, and return what happened."""
        try:
            report = self.journal.ended(self.run())
        except EcsCdError as error:
            report = self.journal.failed(error)
        finally:
            if not self.part.recorded:
                self.meeting.recorded.leave()
        self.part.report = after_deploy(
            report, self.delivery, self.clouds, deadline=self.deadline, watch=self.journal.watch
        )
        return self.part.report

    def ended(self) -> Report:
        """Return the report, if need be of what was interrupted."""
        return self.part.report or self.journal.failed(interrupted_error(self.journal))

    def _check(self) -> tuple[CheckedImage, Seen, Pipeline]:
        try:
            found = super()._check()
        except EcsCdError as error:
            self.meeting.checked.refuse(_spared(self.delivery.service, error))
            raise
        self.meeting.checked.arrive()
        return found

    def _record(self, checked: CheckedImage, seen: Seen | None) -> ParameterChange:
        change = super()._record(checked, seen)
        if not self.part.recorded:
            self.part.recorded = True
            self.meeting.recorded.arrive()
        return change

    def _carry(self, change: ParameterChange, infrastructure: Pipeline, watch: Watch) -> FinishedRun:
        if self.part.shared:
            return super()._carry(change, infrastructure, watch)
        self.part.shared = True

        def begin(tell: Watch) -> FinishedRun:
            def told(event: Event) -> None:
                self.meeting.tell(infrastructure.path, event)
                tell(event)

            return super(_Member, self)._carry(change, infrastructure, told)

        return self.meeting.runs.carry(self._kind_of_run(infrastructure), begin, self._overhearing(watch))

    def _kind_of_run(self, infrastructure: Pipeline) -> Hashable:
        """Return what must be the same for one run to do for several services; names have no letter case."""
        delivery = self.delivery
        asked = (
            frozenset((name.casefold(), value) for name, value in given.items())
            for given in (delivery.template_parameters, delivery.variables)
        )
        return infrastructure.id, full_ref(delivery.branch), *asked

    def _overhearing(self, watch: Watch) -> Watch:
        def hear(event: Event) -> None:
            self.part.overhears = True
            try:
                watch(event)
            finally:
                self.part.overhears = False

        return hear


def _spared(culprit: str, error: EcsCdError) -> NotAttempted:
    return NotAttempted(
        f"Nothing was changed, because {culprit} cannot be delivered with it: {error.message}",
        hint=f"See to {culprit}, or deliver without it.",
    )
