"""Progress of several deliveries for a person at a terminal: a row for each, redrawn. Imported only at a terminal."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import IO, cast

from rich.console import Console as Terminal
from rich.console import Group, RenderableType
from rich.live import Live as Drawing
from rich.table import Table
from rich.text import Text

from ecs_cd.console.board import Board, Row, Standing
from ecs_cd.console.printer import Printer
from ecs_cd.model.events import Event, Watch
from ecs_cd.support.clock import Clock
from ecs_cd.support.deadline import Deadline, format_duration

_PER_SECOND = 4
_STYLES = {Standing.AHEAD: "dim", Standing.ACTIVE: "cyan", Standing.DONE: "green", Standing.STOPPED: "red"}


class Crowd:
    """The live view of several deliveries, and of the runs they share; each event comes with the name of its row."""

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
        self._boards = {name: Board() for name in names}
        self._lock = threading.Lock()
        self._drawing = Drawing(
            console=Terminal(
                file=cast("IO[str]", printer),
                force_terminal=True,
                highlight=False,
                markup=False,
                emoji=False,
                no_color=bool(environ.get("NO_COLOR")),
                _environ=environ,
            ),
            get_renderable=self._draw,
            auto_refresh=redraw,
            refresh_per_second=_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def start(self) -> None:
        """Begin to draw."""
        self._drawing.start()

    def stop(self) -> None:
        """Draw the last state and give the terminal back."""
        self._drawing.stop()

    def of(self, name: str) -> Watch:
        """Return the watch of a row; it may be called from any thread."""

        def show(event: Event) -> None:
            with self._lock:
                board = self._boards.get(name, Board())
                self._boards[name] = board.after(event, self._clock.now())
            if not self._drawing.auto_refresh:
                self._drawing.refresh()

        return show

    def _draw(self) -> RenderableType:
        with self._lock:
            boards = dict(self._boards)
        grid = Table.grid(padding=(0, 2, 0, 0))
        for name, board in boards.items():
            row = _latest(board)
            style = _STYLES[row.standing]
            grid.add_row(self._text(name, "bold"), Text(row.phase.value, style=style), self._text(row.said))
        warnings = dict.fromkeys(f"{name}: {told}" for name, board in boards.items() for told in board.warnings)
        below = [self._text(f"warning: {warning}", "yellow") for warning in warnings]
        spent = f"{format_duration(self._clock.now() - self._began)} of {format_duration(self._deadline.seconds)}"
        return Group(self._text(self._title, "bold"), grid, *below, Text(spent, style="dim"))

    def _text(self, text: str, style: str = "") -> Text:
        return Text(self._printer.clean_line(text), style=style, overflow="fold")


def _latest(board: Board) -> Row:
    """Return the phase that goes on, else the one that ended last, else the first."""
    active = [row for row in board.rows if row.standing is Standing.ACTIVE]
    over = [row for row in board.rows if row.standing in (Standing.DONE, Standing.STOPPED)]
    said = [row for row in board.rows if row.said]
    return (active or over[-1:] or said or list(board.rows))[-1]
