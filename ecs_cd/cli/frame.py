"""What every command has: where to speak, which settings, how to end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ecs_cd.cli.wording import command_line_wording
from ecs_cd.console import Console, Mode, choose_mode
from ecs_cd.console.console import Output
from ecs_cd.console.mask import secrets_in
from ecs_cd.console.unexpected import unexpected_error
from ecs_cd.errors import EcsCdError, Interrupted
from ecs_cd.settings import BY_NAME, Kind
from ecs_cd.support.clock import SystemClock

if TYPE_CHECKING:
    from ecs_cd.client import Client

F = TypeVar("F", bound=Callable[..., Any])

UNEXPECTED = 1


@dataclass
class Frame:
    """One call of the command line."""

    output: Output = "text"
    quiet: bool = False
    debug: bool = False
    settings_file: Path | None = None
    clock: SystemClock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        """Open the console; the tokens in the environment are hidden before anything is printed."""
        mode = choose_mode(os.environ, terminal=sys.stderr.isatty(), quiet=self.quiet)
        self.console = Console(
            out=sys.stdout,
            err=sys.stderr,
            mode=mode,
            clock=self.clock,
            environ=os.environ,
            output=self.output,
            secrets=secrets_in(os.environ),
            wording=command_line_wording,
        )
        self.live = mode is Mode.LIVE

    def client(self) -> Client:
        """Return the client of this call, for a `with` statement."""
        from ecs_cd.client import Client  # noqa: PLC0415 - what needs no settings starts at once

        return Client(self.settings_file, clock=self.clock)

    def print_result(self, value: object, text: str) -> None:
        """Print a result: `value` for programs, `text` for people."""
        if self.output == "json":
            self.console.json(value)
        else:
            self.console.result(text)


def framed(command: F) -> F:
    """Give a command its frame and the flags that all share; turn what it raises into a sentence and an exit code."""

    @click.option("--settings", "settings_file", type=click.Path(path_type=Path), help=_help("settings"))
    @click.option("--output", type=click.Choice(["text", "json"]), default="text", help="How the result is printed.")
    @click.option("--quiet", is_flag=True, help="No progress; only the result, and errors.")
    @click.option("--debug", is_flag=True, help="With an error, show where in the program it happened.")
    @wraps(command)
    def wrapped(
        *args: Any,  # noqa: ANN401 - the command's own
        settings_file: Path | None,
        output: Output,
        quiet: bool,
        debug: bool,
        **kwargs: Any,  # noqa: ANN401 - likewise
    ) -> int:
        frame = Frame(output, quiet, debug, settings_file)
        return guarded(frame, lambda: command(frame, *args, **kwargs))

    return wrapped  # type: ignore[return-value]  # the flags are click's to fill in


def guarded(frame: Frame, call: Callable[[], int | None]) -> int:
    """Run a command; no traceback reaches a person who did not ask for it."""
    try:
        with _terminated_as_interrupted():
            return call() or 0
    except EcsCdError as error:
        frame.console.error(error, debug=frame.debug)
        return error.exit_code
    except KeyboardInterrupt:
        hint = "Nothing was stopped in the clouds. Run the same command again to take up from here."
        stopped = Interrupted("Interrupted.", hint=hint)
        frame.console.error(stopped)
        return stopped.exit_code
    except Exception as error:  # noqa: BLE001 - the last line of defence, so that a person reads a sentence
        frame.console.error(unexpected_error(error, details="Run again with --debug"), debug=frame.debug)
        return UNEXPECTED


class _terminated_as_interrupted:  # noqa: N801 - reads as a verb where it is used
    """While entered, SIGTERM (the agent's second signal) ends the command as Ctrl-C does."""

    def __enter__(self) -> None:
        self._former = None
        if threading.current_thread() is threading.main_thread():
            self._former = signal.signal(signal.SIGTERM, _interrupt)

    def __exit__(self, *_exception: object) -> None:
        if self._former is not None:
            signal.signal(signal.SIGTERM, self._former)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def place(command: F) -> F:
    """Give a command the arguments SERVICE and ENVIRONMENT, which may be left out where only one can be meant."""
    command = click.argument("environment", default="")(command)
    return click.argument("service", default="")(command)


def flags(*names: str) -> Callable[[F], F]:
    """Give a command the flags of these settings, as the one table of settings has them; collected in `flags`."""

    def decorate(command: F) -> F:
        @wraps(command)
        def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the command's own
            given = {name: kwargs.pop(name) for name in names}
            return command(*args, flags=given, **kwargs)

        decorated: Any = wrapped
        for name in reversed(names):
            decorated = _flag(name)(decorated)
        return decorated  # type: ignore[no-any-return]  # click passes functions through

    return decorate


def _help(name: str) -> str:
    setting = BY_NAME[name]
    return f"{setting.help} [{setting.variable}]"


def _flag(name: str) -> Callable[[Any], Any]:
    setting = BY_NAME[name]
    help_text = _help(name)
    if setting.kind is Kind.SWITCH:
        return click.option(f"{setting.switch}/--no-{setting.switch[2:]}", name, default=None, help=help_text)
    if setting.kind is Kind.MAP:
        return click.option(setting.switch, name, multiple=True, metavar="NAME=VALUE", help=help_text)
    kind = click.Choice(setting.choices) if setting.choices else str
    return click.option(setting.switch, name, type=kind, metavar=setting.metavar or None, help=help_text)
