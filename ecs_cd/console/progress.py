"""What the live view shows, as one value: each event makes the next one. It draws nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from ecs_cd.console.describe import RUN_STATES, run_change
from ecs_cd.model.events import CallStarted, Event, Phase, PhaseEnded, PhaseStarted, RolloutChanged, RunChanged, Warned
from ecs_cd.model.run import RunProgress
from ecs_cd.model.service import ServiceEvent

MOST_EVENTS = 3
MOST_RUN_CHANGES = 3


class PhaseState(Enum):
    """The state of a phase."""

    PENDING = "pending"
    ACTIVE = "active"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True)
class PhaseRow:
    """A phase: its state, what it does or found, and the moments (seconds on the clock) it began and ended."""

    phase: Phase
    state: PhaseState = PhaseState.PENDING
    text: str = ""
    began: float = 0.0
    ended: float | None = None

    def elapsed(self, now: float) -> float:
        """Return the seconds it took so far."""
        return (now if self.ended is None else self.ended) - self.began


@dataclass(frozen=True)
class Progress:
    """All four phases, the run and the rollout as last seen, the latest ECS events (oldest first) and the warnings.

    `run_changes` describe how the delivery came to follow this run, oldest first.
    """

    rows: tuple[PhaseRow, ...] = tuple(PhaseRow(phase) for phase in Phase)
    run_changes: tuple[str, ...] = ()
    run: RunProgress | None = None
    rollout: RolloutChanged | None = None
    events: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def row(self, phase: Phase) -> PhaseRow:
        """Return the row of a phase."""
        return next(row for row in self.rows if row.phase is phase)

    def after(self, event: Event, now: float, new_events: tuple[ServiceEvent, ...] = ()) -> Progress:
        """Return the progress that the event makes of this one; `new_events` are those of a `RolloutChanged`."""
        if isinstance(event, CallStarted):
            return self
        if isinstance(event, PhaseStarted | PhaseEnded):
            return self._begun(event, now) if isinstance(event, PhaseStarted) else self._ended(event, now)
        if isinstance(event, RunChanged):
            run = event.progress.run
            row = replace(self.row(Phase.RUN), text=f"{run.name} {RUN_STATES[run.state]}")
            return replace(self._with(row), run=event.progress)
        if isinstance(event, RolloutChanged):
            row = replace(self.row(Phase.ROLLOUT), text=event.verdict.sentence)
            events = (*self.events, *(new.message for new in new_events))[-MOST_EVENTS:]
            return replace(self._with(row), rollout=event, events=events)
        if isinstance(event, Warned):
            return replace(self, warnings=(*self.warnings, event.message))
        said = run_change(event)
        row = replace(self.row(Phase.RUN), text=said)
        return replace(self._with(row), run=None, run_changes=(*self.run_changes, said)[-MOST_RUN_CHANGES:])

    def stopped(self, now: float) -> Progress:
        """Return the progress at the end of everything: a phase that was still active did not end well.

        Verdict and events of a rollout are in the report, which is shown below.
        """

        def ended(row: PhaseRow) -> PhaseRow:
            if row.state is not PhaseState.ACTIVE:
                return row
            text = "" if row.phase is Phase.ROLLOUT else row.text
            return replace(row, state=PhaseState.STOPPED, ended=now, text=text)

        return replace(self, rows=tuple(map(ended, self.rows)), events=())

    def _begun(self, event: PhaseStarted, now: float) -> Progress:
        """Begin a phase, perhaps again: then those after it are pending again."""
        order = list(Phase)
        later = order[order.index(event.phase) + 1 :]
        begun = PhaseRow(event.phase, PhaseState.ACTIVE, event.doing, now)
        rows = tuple(
            begun if row.phase is event.phase else PhaseRow(row.phase) if row.phase in later else row
            for row in self.rows
        )
        if event.phase is Phase.ROLLOUT:
            return replace(self, rows=rows)
        return replace(self, rows=rows, run_changes=(), run=None, rollout=None, events=())

    def _ended(self, event: PhaseEnded, now: float) -> Progress:
        row = self.row(event.phase)
        return self._with(replace(row, state=PhaseState.DONE, text=event.found or row.text, ended=now))

    def _with(self, row: PhaseRow) -> Progress:
        return replace(self, rows=tuple(row if old.phase is row.phase else old for old in self.rows))
