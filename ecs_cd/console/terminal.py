"""How rich is set up to draw on a terminal. Imported only where there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import IO, cast

from rich.console import Console as Terminal
from rich.console import RenderableType
from rich.live import Live

from ecs_cd.console.printer import Printer


def open_terminal(printer: Printer, environ: Mapping[str, str]) -> Terminal:
    """Return the terminal behind `printer`; nothing in a text is markup, and NO_COLOR is obeyed."""
    return Terminal(
        file=cast("IO[str]", printer),
        force_terminal=True,
        highlight=False,
        markup=False,
        emoji=False,
        no_color=bool(environ.get("NO_COLOR")),
        _environ=environ,
    )


def redraw_in_place(terminal: Terminal, draw: Callable[[], RenderableType], *, per_second: int, redraw: bool) -> Live:
    """Return what draws again and again in place; `redraw`: by a thread of its own, else when it is refreshed."""
    return Live(
        console=terminal,
        get_renderable=draw,
        auto_refresh=redraw,
        refresh_per_second=per_second,
        redirect_stdout=False,
        redirect_stderr=False,
    )
