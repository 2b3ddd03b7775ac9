"""What the live view shows, as one value: each event makes the next one. It draws nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from ecs_cd.console import words
from ecs_cd.model.events import Event, Phase, PhaseEnded, PhaseStarted, RolloutChanged, RunChanged, Warned
from ecs_cd.model.run import RunProgress
from ecs_cd.model.service import ServiceEvent

MOST_EVENTS = 3
MOST_CHOICES = 3


class Standing(Enum):
    """How a phase stands."""

    AHEAD = "ahead"
    ACTIVE = "active"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Row:
    """A phase: what it does or found, and the moments (seconds on the clock) it began and ended."""

    phase: Phase
    standing: Standing = Standing.AHEAD
    said: str = ""
    began: float = 0.0
    ended: float | None = None

    def elapsed(self, now: float) -> float:
        """Return the seconds it took so far."""
        return (now if self.ended is None else self.ended) - self.began


@dataclass(frozen=True)
class Board:
    """All four phases, the run and the rollout as last seen, the latest ECS events (oldest first) and the warnings.

    `choices` tell how the delivery came to follow this run, oldest first.
    """

    rows: tuple[Row, ...] = tuple(Row(phase) for phase in Phase)
    choices: tuple[str, ...] = ()
    run: RunProgress | None = None
    rollout: RolloutChanged | None = None
    events: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def row(self, phase: Phase) -> Row:
        """Return the row of a phase."""
        return next(row for row in self.rows if row.phase is phase)

    def after(self, event: Event, now: float, new_events: tuple[ServiceEvent, ...] = ()) -> Board:
        """Return the board that the event makes of this one; `new_events` are those of a `RolloutChanged`."""
        if isinstance(event, PhaseStarted):
            return self._begun(event, now)
        if isinstance(event, PhaseEnded):
            row = self.row(event.phase)
            return self._with(replace(row, standing=Standing.DONE, said=event.found or row.said, ended=now))
        if isinstance(event, RunChanged):
            run = event.progress.run
            row = replace(self.row(Phase.RUN), said=f"{run.name} {words.RUN[run.state]}")
            return replace(self._with(row), run=event.progress)
        if isinstance(event, RolloutChanged):
            row = replace(self.row(Phase.ROLLOUT), said=event.verdict.sentence)
            events = (*self.events, *(new.message for new in new_events))[-MOST_EVENTS:]
            return replace(self._with(row), rollout=event, events=events)
        if isinstance(event, Warned):
            return replace(self, warnings=(*self.warnings, event.message))
        said = words.choice(event)
        row = replace(self.row(Phase.RUN), said=said)
        return replace(self._with(row), run=None, choices=(*self.choices, said)[-MOST_CHOICES:])

    def stopped(self, now: float) -> Board:
        """Return the board at the end of everything: a phase that was still active did not end well."""
        rows = (
            replace(row, standing=Standing.STOPPED, ended=now) if row.standing is Standing.ACTIVE else row
            for row in self.rows
        )
        return replace(self, rows=tuple(rows))

    def _begun(self, event: PhaseStarted, now: float) -> Board:
        """Begin a phase, perhaps again: then those behind it are ahead again."""
        order = list(Phase)
        later = order[order.index(event.phase) + 1 :]
        begun = Row(event.phase, Standing.ACTIVE, event.doing, now)
        rows = tuple(
            begun if row.phase is event.phase else Row(row.phase) if row.phase in later else row for row in self.rows
        )
        if event.phase is Phase.ROLLOUT:
            return replace(self, rows=rows)
        return replace(self, rows=rows, choices=(), run=None, rollout=None, events=())

    def _with(self, row: Row) -> Board:
        return replace(self, rows=tuple(row if old.phase is row.phase else old for old in self.rows))
