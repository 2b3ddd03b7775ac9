"""Progress for a log file: one line per change."""

from __future__ import annotations

from ecs_cd.console.changes import Change, Changes
from ecs_cd.console.printer import Printer
from ecs_cd.model.events import Event
from ecs_cd.support.clock import Clock


class Lines:
    """One line per change: the time in UTC, what it is about, what changed."""

    def __init__(self, printer: Printer, clock: Clock, of: str = "") -> None:
        """Print on `printer`, with times of `clock`; `of`: whose changes, where there are several."""
        self._of = of
        self._printer = printer
        self._clock = clock
        self._changes = Changes()

    def show(self, event: Event) -> None:
        """Print what the event changes."""
        for change in self._changes.of(event):
            self._printer.say(stamped(self._printer, self._clock, change, self._of))


def stamped(printer: Printer, clock: Clock, change: Change, of: str = "") -> str:
    """Return a change as a line of a log."""
    whose = f"{printer.clean_line(of):<12}  " if of else ""
    return f"{clock.utc():%H:%M:%S}  {whose}{change.about:<9}  {printer.clean_line(change.said)}"
