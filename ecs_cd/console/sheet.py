"""A picture that is shown again and again: redrawn at a terminal; elsewhere what changed in it, a line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Protocol, cast

from ecs_cd.console.printer import Printer
from ecs_cd.support.clock import Clock


class Sheet(Protocol):
    """A place for a picture of text."""

    def show(self, text: str, changes: Sequence[str]) -> None:
        """Show the text, or of it what changed since it was shown last."""

    def trouble(self, text: str) -> None:
        """Tell why there is nothing new to show."""


class Log:
    """A line for every change, with the time in UTC."""

    def __init__(self, printer: Printer, clock: Clock) -> None:
        """Print on `printer`, with times of `clock`."""
        self._printer = printer
        self._clock = clock

    def show(self, text: str, changes: Sequence[str]) -> None:  # noqa: ARG002 - the whole is for a terminal
        """Print what changed."""
        for change in changes:
            self._say(change)

    def trouble(self, text: str) -> None:
        """Print it."""
        self._say(text)

    def _say(self, text: str) -> None:
        self._printer.say(f"{self._clock.utc():%H:%M:%S}  {self._printer.clean_line(text)}")


class Redrawn:
    """The whole picture at a terminal, in place of the last one."""

    def __init__(self, printer: Printer, clock: Clock, draw: Callable[[str], None]) -> None:
        """Draw by `draw`, which takes the text of the whole picture."""
        self._printer = printer
        self._clock = clock
        self._draw = draw
        self._last = ""

    def show(self, text: str, changes: Sequence[str]) -> None:  # noqa: ARG002 - the whole is shown
        """Draw it."""
        self._last = self._printer.clean(text)
        self._draw(f"{self._last}\n{self._clock.utc():%H:%M:%S} UTC, Ctrl-C ends it")

    def trouble(self, text: str) -> None:
        """Draw it below the last picture."""
        self._draw(f"{self._last}\n{self._clock.utc():%H:%M:%S} UTC: {self._printer.clean_line(text)}".lstrip())


@contextmanager
def redrawn(printer: Printer, clock: Clock, environ: Mapping[str, str]) -> Iterator[Sheet]:
    """Give a sheet that rich redraws, and the terminal back at the end."""
    from rich.console import Console as Terminal  # noqa: PLC0415 - rich is imported only at a terminal
    from rich.live import Live  # noqa: PLC0415 - likewise
    from rich.text import Text  # noqa: PLC0415 - likewise

    no_color = bool(environ.get("NO_COLOR"))
    terminal = Terminal(file=cast("IO[str]", printer), force_terminal=True, no_color=no_color, _environ=environ)
    drawing = Live(console=terminal, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
    with drawing:
        yield Redrawn(printer, clock, lambda text: drawing.update(Text(text, overflow="fold"), refresh=True))
