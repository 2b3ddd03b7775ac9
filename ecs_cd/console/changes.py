"""What is new in an event, in sentences: each change once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ecs_cd.console.describe import RUN_STATES, Step, record_result, run_change, shown_steps, waits
from ecs_cd.model.events import (
    Event,
    LockMet,
    Phase,
    PhaseEnded,
    PhaseStarted,
    RolloutChanged,
    RunChanged,
    RunChosen,
    RunGivenUp,
    RunLeft,
    Warned,
)
from ecs_cd.model.run import RunProgress, RunState, TimelineRecord
from ecs_cd.model.service import ServiceEvent, Serving
from ecs_cd.sanitize import quoted

_MOST_FIRST_EVENTS = 5


@dataclass(frozen=True)
class Change:
    """One line to print; `about` is a phase, or `warning`."""

    about: str
    text: str


class Changes:
    """What was printed so far, so that nothing is printed again until it has changed."""

    def __init__(self) -> None:
        """Begin with nothing printed."""
        self._printed: dict[tuple[str, ...], str] = {}
        self._events = NewEvents()

    def of(self, event: Event) -> Iterator[Change]:
        """Yield what the event changes."""
        if isinstance(event, Warned):
            yield Change("warning", event.message)
        elif isinstance(event, PhaseStarted):
            yield from self._about(event.phase, event.doing)
        elif isinstance(event, PhaseEnded):
            yield from self._about(event.phase, event.found)
        elif isinstance(event, RunChanged):
            yield from self._of_run(event.progress)
        elif isinstance(event, RunChosen | RunGivenUp | RunLeft | LockMet):
            yield Change(Phase.RUN.value, run_change(event))
        elif isinstance(event, RolloutChanged):
            yield from self._about(Phase.ROLLOUT, event.verdict.sentence)
            for new in self._events.of(event):
                yield Change(Phase.ROLLOUT.value, f"event: {new.message}")

    def _of_run(self, progress: RunProgress) -> Iterator[Change]:
        run = progress.run
        first = not any(key[:2] == ("run", str(run.id)) for key in self._printed)
        link = f"  {run.url}" if first and run.url else ""
        if self._new(f"{run.name} {RUN_STATES[run.state]}", "run", str(run.id)) and not _ended_well(run.state):
            yield Change(Phase.RUN.value, f"{run.name} {RUN_STATES[run.state]}{link}")
        for record in _in_order_of_events(shown_steps(progress)):
            result = record_result(record)
            if result and self._new(result, "run", str(run.id), record.id):
                yield Change(Phase.RUN.value, f"{record.kind.lower()} {quoted(record.name)} {result}")
        for key, waiting in waits(progress):
            if self._new(waiting, "run", str(run.id), key):
                yield Change(Phase.RUN.value, waiting)

    def _about(self, phase: Phase, text: str) -> Iterator[Change]:
        if text and self._new(text, phase.value):
            yield Change(phase.value, text)

    def _new(self, text: str, *about: str) -> bool:
        if self._printed.get(about) == text:
            return False
        self._printed[about] = text
        return True


class NewEvents:
    """Which of a service's events belong to what is being watched, and were not given before."""

    def __init__(self) -> None:
        """Begin with none given."""
        self._known: set[str] | None = None

    def of(self, changed: RolloutChanged) -> tuple[ServiceEvent, ...]:
        """Return the new events, oldest first.

        Of those in the first snapshot, the few since the deployment was made: both times are from ECS's clock.
        """
        events = changed.snapshot.events
        known, self._known = self._known, {event.id for event in events} | (self._known or set())
        if known is None:
            return tuple(reversed(_since_deployment(changed)))[-_MOST_FIRST_EVENTS:]
        return tuple(event for event in reversed(events) if event.id not in known)


def _in_order_of_events(steps: tuple[Step, ...]) -> Iterator[TimelineRecord]:
    """Yield what goes on before the steps inside it, and what ended after them."""
    ended: list[Step] = []
    for step in steps:
        while ended and ended[-1].depth >= step.depth:
            yield ended.pop().record
        if step.record.state == "completed":
            ended.append(step)
        else:
            yield step.record
    yield from (step.record for step in reversed(ended))


def _since_deployment(changed: RolloutChanged) -> list[ServiceEvent]:
    deployment = changed.verdict.deployment
    made = deployment.created_at if deployment else None
    if made is None or changed.verdict.serving is Serving.NOT_APPLIED:
        return []
    return [event for event in changed.snapshot.events if event.at and event.at >= made]


def _ended_well(state: RunState) -> bool:
    """Return whether the end of the phase, or a warning, says it in more detail."""
    return state in (RunState.SUCCEEDED, RunState.PARTIALLY_SUCCEEDED)
