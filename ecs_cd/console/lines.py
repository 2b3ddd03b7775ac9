"""Progress for a log file: one line per change."""

from __future__ import annotations

from ecs_cd.console.changes import Change, Changes
from ecs_cd.console.printer import Printer
from ecs_cd.progress import Event
from ecs_cd.waiting import Clock


class Lines:
    """One line per change: the time in UTC, what it is about, what changed."""

    def __init__(self, printer: Printer, clock: Clock) -> None:
        """Print on `printer`, with times of `clock`."""
        self._printer = printer
        self._clock = clock
        self._changes = Changes()

    def show(self, event: Event) -> None:
        """Print what the event changes."""
        for change in self._changes.of(event):
            self._printer.say(stamped(self._printer, self._clock, change))


def stamped(printer: Printer, clock: Clock, change: Change) -> str:
    """Return a change as a line of a log."""
    return f"{clock.utc():%H:%M:%S}  {change.about:<9}  {printer.clean_line(change.said)}"
