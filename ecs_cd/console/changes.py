"""What is new in an event, in sentences: each change is told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ecs_cd.console import words
from ecs_cd.model.events import Event, Phase, PhaseEnded, PhaseStarted, RolloutChanged, RunChanged, Warned
from ecs_cd.model.run import RunProgress, RunState, TimelineRecord
from ecs_cd.model.service import ServiceEvent, Serving
from ecs_cd.sanitize import quoted

_MOST_FIRST_EVENTS = 5


@dataclass(frozen=True)
class Change:
    """One thing to say; `about` is a phase, or `warning`."""

    about: str
    said: str


class Changes:
    """What was told so far, so that nothing is told again until it has changed."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._told: dict[tuple[str, ...], str] = {}
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
        elif not isinstance(event, RolloutChanged):
            yield Change(Phase.RUN.value, words.choice(event))
        else:
            yield from self._about(Phase.ROLLOUT, event.verdict.sentence)
            for new in self._events.of(event):
                yield Change(Phase.ROLLOUT.value, f"event: {new.message}")

    def _of_run(self, progress: RunProgress) -> Iterator[Change]:
        run = progress.run
        first = not any(key[:2] == ("run", str(run.id)) for key in self._told)
        link = f"  {run.url}" if first and run.url else ""
        if self._new(f"{run.name} {words.RUN[run.state]}", "run", str(run.id)) and not _ended_well(run.state):
            yield Change(Phase.RUN.value, f"{run.name} {words.RUN[run.state]}{link}")
        for record in _as_it_happened(words.steps(progress)):
            became = words.record(record)
            if became and self._new(became, "run", str(run.id), record.id):
                yield Change(Phase.RUN.value, f"{record.kind.lower()} {quoted(record.name)} {became}")
        for key, waiting in words.waits(progress):
            if self._new(waiting, "run", str(run.id), key):
                yield Change(Phase.RUN.value, waiting)

    def _about(self, phase: Phase, said: str) -> Iterator[Change]:
        if said and self._new(said, phase.value):
            yield Change(phase.value, said)

    def _new(self, said: str, *about: str) -> bool:
        if self._told.get(about) == said:
            return False
        self._told[about] = said
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


def _as_it_happened(steps: tuple[words.Step, ...]) -> Iterator[TimelineRecord]:
    """Yield what goes on before the steps inside it, and what ended after them."""
    ended: list[words.Step] = []
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
    """Tell whether the end of the phase, or a warning, is going to say it better."""
    return state in (RunState.SUCCEEDED, RunState.PARTIALLY_SUCCEEDED)
