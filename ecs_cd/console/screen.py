"""A text that is shown again and again: redrawn at a terminal; elsewhere a line for each change in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Protocol, cast

from ecs_cd.console.printer import Printer
from ecs_cd.support.clock import Clock


class Screen(Protocol):
    """Where a text is shown that changes."""

    def show(self, text: str, changes: Sequence[str]) -> None:
        """Show the text, or of it what changed since it was shown last."""

    def problem(self, text: str) -> None:
        """Show why there is nothing new."""


class ScreenLog:
    """A line for every change, with the time in UTC."""

    def __init__(self, printer: Printer, clock: Clock) -> None:
        """Print on `printer`, with times of `clock`."""
        self._printer = printer
        self._clock = clock

    def show(self, text: str, changes: Sequence[str]) -> None:  # noqa: ARG002 - the whole is for a terminal
        """Print what changed."""
        for change in changes:
            self._print(change)

    def problem(self, text: str) -> None:
        """Print it."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._printer.print(f"{self._clock.utc():%H:%M:%S}  {self._printer.clean_line(text)}")


class LiveScreen:
    """The whole text at a terminal, in place of the last one."""

    def __init__(self, printer: Printer, clock: Clock, draw: Callable[[str], None]) -> None:
        """Draw by `draw`, which takes the whole text."""
        self._printer = printer
        self._clock = clock
        self._draw = draw
        self._last = ""

    def show(self, text: str, changes: Sequence[str]) -> None:  # noqa: ARG002 - the whole is shown
        """Draw it."""
        self._last = self._printer.clean(text)
        self._draw(f"{self._last}\n{self._clock.utc():%H:%M:%S} UTC, Ctrl-C ends it")

    def problem(self, text: str) -> None:
        """Draw it below the last text."""
        self._draw(f"{self._last}\n{self._clock.utc():%H:%M:%S} UTC: {self._printer.clean_line(text)}".lstrip())


@contextmanager
def live_screen(printer: Printer, clock: Clock, environ: Mapping[str, str]) -> Iterator[Screen]:
    """Give a screen that rich redraws; the terminal is restored at the end."""
    from rich.console import Console as Terminal  # noqa: PLC0415 - rich is imported only at a terminal
    from rich.live import Live  # noqa: PLC0415 - likewise
    from rich.text import Text  # noqa: PLC0415 - likewise

    no_color = bool(environ.get("NO_COLOR"))
    terminal = Terminal(file=cast("IO[str]", printer), force_terminal=True, no_color=no_color, _environ=environ)
    drawing = Live(console=terminal, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
    with drawing:
        yield LiveScreen(printer, clock, lambda text: drawing.update(Text(text, overflow="fold"), refresh=True))
