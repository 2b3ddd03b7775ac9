"""Progress for a person at a terminal: the four phases, redrawn in place. Imported only where there is a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import RenderableType

from ecs_cd.console.changes import NewEvents
from ecs_cd.console.printer import Printer
from ecs_cd.console.progress import Progress
from ecs_cd.console.render import Renderer
from ecs_cd.console.terminal import open_terminal, redraw_in_place
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
        self._progress = Progress()
        self._terminal = open_terminal(printer, environ)
        self._renderer = Renderer(printer, title, clock.now(), deadline)
        self._drawing = redraw_in_place(self._terminal, self._draw, per_second=_PER_SECOND, redraw=redraw)

    def start(self) -> None:
        """Begin to draw."""
        self._drawing.start()

    def stop(self) -> None:
        """Draw the last state and give the terminal back."""
        self._progress = self._progress.stopped(self._clock.now())
        self._drawing.stop()

    def show(self, event: Event) -> None:
        """Take the event up; the drawing thread sees the old progress or the new one, never half of it."""
        new = self._events.of(event) if isinstance(event, RolloutChanged) else ()
        self._progress = self._progress.after(event, self._clock.now(), new)
        if not self._drawing.auto_refresh:
            self._drawing.refresh()

    def _draw(self) -> RenderableType:
        size = self._terminal.size
        return self._renderer.of(self._progress, self._clock.now(), size.width, size.height)
