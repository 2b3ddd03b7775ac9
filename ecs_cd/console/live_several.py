"""Progress of several deliveries for a person at a terminal: a row for each, redrawn. Imported only at a terminal."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ecs_cd.console.printer import Printer
from ecs_cd.console.progress import PhaseRow, PhaseState, Progress
from ecs_cd.console.terminal import open_terminal, redraw_in_place
from ecs_cd.model.events import CallStarted, Event
from ecs_cd.support.clock import Clock
from ecs_cd.support.deadline import Deadline, format_duration

_PER_SECOND = 4
_STYLES = {PhaseState.PENDING: "dim", PhaseState.ACTIVE: "cyan", PhaseState.DONE: "green", PhaseState.STOPPED: "red"}


class LiveSeveral:
    """The live view of several deliveries, and of the runs they share; each has its row."""

    def __init__(
        self,
        printer: Printer,
        clock: Clock,
        environ: Mapping[str, str],
        *,
        title: str,
        names: Sequence[str],
        deadline: Deadline,
        redraw: bool = True,
    ) -> None:
        """Draw on `printer`'s terminal, the rows of these names first."""
        self._printer = printer
        self._clock = clock
        self._title = title
        self._deadline = deadline
        self._began = clock.now()
        self._rows = {name: Progress() for name in names}
        self._lock = threading.Lock()
        terminal = open_terminal(printer, environ)
        self._drawing = redraw_in_place(terminal, self._draw, per_second=_PER_SECOND, redraw=redraw)

    def start(self) -> None:
        """Begin to draw."""
        self._drawing.start()

    def stop(self) -> None:
        """Draw the last state and give the terminal back."""
        self._drawing.stop()

    def show(self, event: Event) -> None:
        """Take the event up in its row; from any thread."""
        if isinstance(event, CallStarted):
            return
        name = event.service or event.pipeline
        with self._lock:
            progress = self._rows.get(name, Progress())
            self._rows[name] = progress.after(event, self._clock.now())
        if not self._drawing.auto_refresh:
            self._drawing.refresh()

    def _draw(self) -> RenderableType:
        with self._lock:
            rows = dict(self._rows)
        grid = Table.grid(padding=(0, 2, 0, 0))
        for name, progress in rows.items():
            row = _latest(progress)
            style = _STYLES[row.state]
            grid.add_row(self._text(name, "bold"), Text(row.phase.value, style=style), self._text(row.text))
        warnings = dict.fromkeys(
            f"{name}: {warning}" for name, progress in rows.items() for warning in progress.warnings
        )
        below = [self._text(f"warning: {warning}", "yellow") for warning in warnings]
        spent = f"{format_duration(self._clock.now() - self._began)} of {format_duration(self._deadline.seconds)}"
        return Group(self._text(self._title, "bold"), grid, *below, Text(spent, style="dim"))

    def _text(self, text: str, style: str = "") -> Text:
        return Text(self._printer.clean_line(text), style=style, overflow="fold")


def _latest(progress: Progress) -> PhaseRow:
    """Return the phase that goes on, else the one that ended last, else the first."""
    active = [row for row in progress.rows if row.state is PhaseState.ACTIVE]
    over = [row for row in progress.rows if row.state in (PhaseState.DONE, PhaseState.STOPPED)]
    with_text = [row for row in progress.rows if row.text]
    return (active or over[-1:] or with_text or list(progress.rows))[-1]
