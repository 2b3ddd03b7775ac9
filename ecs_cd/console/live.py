"""Progress for a person at a terminal: the four phases, redrawn in place. Imported only where there is a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, cast

from rich.console import Console as Terminal
from rich.console import RenderableType
from rich.live import Live as Drawing

from ecs_cd.console.board import Board
from ecs_cd.console.changes import NewEvents
from ecs_cd.console.picture import Picture
from ecs_cd.console.printer import Printer
from ecs_cd.model.events import Event, RolloutChanged
from ecs_cd.support.clock import Clock
from ecs_cd.support.deadline import Deadline

_PER_SECOND = 8


class Live:
    """The live view; its last state stays on the screen. Between `start` and `stop` the cursor is hidden."""

    def __init__(
        self,
        printer: Printer,
        clock: Clock,
        environ: Mapping[str, str],
        *,
        title: str = "",
        deadline: Deadline | None = None,
        redraw: bool = True,
    ) -> None:
        """Draw on `printer`'s terminal. `redraw`: again and again by a thread, so that the times go on."""
        self._clock = clock
        self._events = NewEvents()
        self._board = Board()
        self._terminal = Terminal(
            file=cast("IO[str]", printer),
            force_terminal=True,
            highlight=False,
            markup=False,
            emoji=False,
            no_color=bool(environ.get("NO_COLOR")),
            _environ=environ,
        )
        self._picture = Picture(printer, title, clock.now(), deadline)
        self._drawing = Drawing(
            console=self._terminal,
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
        self._board = self._board.stopped(self._clock.now())
        self._drawing.stop()

    def show(self, event: Event) -> None:
        """Take the event up; the drawing thread sees the old board or the new one, never half of it."""
        new = self._events.of(event) if isinstance(event, RolloutChanged) else ()
        self._board = self._board.after(event, self._clock.now(), new)
        if not self._drawing.auto_refresh:
            self._drawing.refresh()

    def _draw(self) -> RenderableType:
        size = self._terminal.size
        return self._picture.of(self._board, self._clock.now(), size.width, size.height)
