"""Progress for a log file: one line per change."""

from __future__ import annotations

from ecs_cd.console.changes import Change, Changes
from ecs_cd.console.printer import Printer
from ecs_cd.model.events import Event
from ecs_cd.support.clock import Clock


class Lines:
    """One line per change: the time in UTC, what it is about, what changed."""

    def __init__(self, printer: Printer, clock: Clock, service: str = "") -> None:
        """Print on `printer`, with times of `clock`; `service`: the service, where there are several."""
        self._service = service
        self._printer = printer
        self._clock = clock
        self._changes = Changes()

    def show(self, event: Event) -> None:
        """Print what the event changes."""
        for change in self._changes.of(event):
            self._printer.print(timestamped(self._printer, self._clock, change, self._service))


def timestamped(printer: Printer, clock: Clock, change: Change, service: str = "") -> str:
    """Return a change as a line of a log."""
    whose = f"{printer.clean_line(service):<12}  " if service else ""
    return f"{clock.utc():%H:%M:%S}  {whose}{change.about:<9}  {printer.clean_line(change.text)}"
