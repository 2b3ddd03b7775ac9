"""A step action that runs a program the way the agent does: output to the log, logging commands, orderly cancel."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ecs_cd.sandbox.azure_devops.context import StepContext

_COMMAND = re.compile(r"##vso\[(?P<name>[^\s\]]+)(?P<properties>[^\]]*)\](?P<data>.*)", re.DOTALL)
_ESCAPES = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%AZP25": "%"}


@dataclass(frozen=True)
class LoggingCommand:
    """A `##vso[area.event key=value;]data` line; names are lower case, values unescaped."""

    name: str
    properties: dict[str, str]
    data: str


def parse_logging_command(line: str) -> LoggingCommand | None:
    """Return the logging command a line holds, or None."""
    match = _COMMAND.search(line)
    if match is None:
        return None
    pairs = (part.partition("=") for part in match["properties"].strip().split(";") if "=" in part)
    properties = {key.strip().lower(): _unescape(value) for key, _, value in pairs}
    return LoggingCommand(match["name"].lower(), properties, _unescape(match["data"]))


def _unescape(text: str) -> str:
    return re.sub("|".join(_ESCAPES), lambda match: _ESCAPES[match[0].upper()], text, flags=re.IGNORECASE)


@dataclass(frozen=True)
class ProcessAction:
    """Runs a program in a process group of its own; exit code 0 is success.

    `env` is added to this process's environment. On cancel the group gets SIGINT, after `interrupt_grace` seconds
    SIGTERM, after `terminate_grace` more it is killed. An output that something else still holds is read for
    `output_grace` seconds after the exit. The defaults are the agent's.
    """

    argv: Sequence[str | Path]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    interrupt_grace: float = 7.5
    terminate_grace: float = 2.5
    output_grace: float = 5.0
    title: str = "Bash"

    def __call__(self, context: StepContext) -> None:
        """Run to the end, as a step's action."""
        context.log(f"##[command]{' '.join(map(str, self.argv))}")
        code = _Execution(self, context).run()
        if code != 0:
            context.fail(f"{self.title} exited with code '{code}'.")


_Event = tuple[Literal["line", "closed", "exited", "cancelled", "overdue"], str]


class _Execution:
    """One execution: helper threads report events, the step's thread acts on them."""

    def __init__(self, action: ProcessAction, context: StepContext) -> None:
        self._action = action
        self._context = context
        self._events: queue.Queue[_Event] = queue.Queue()
        self._timer: threading.Timer | None = None
        self._escalation = [
            (signal.SIGINT, action.interrupt_grace),
            (signal.SIGTERM, action.terminate_grace),
            (signal.SIGKILL, None),
        ]

    def run(self) -> int:
        """Start the program, serve its events until it is over, and return its exit code."""
        process = self._start()
        threads = [
            threading.Thread(target=self._read, args=(process,), daemon=True),
            threading.Thread(target=self._wait, args=(process,), daemon=True),
        ]
        for thread in threads:
            thread.start()
        unsubscribe = self._context.cancelled.subscribe(lambda: self._events.put(("cancelled", "")))
        try:
            self._serve(process)
        finally:
            unsubscribe()
            self._schedule(None)
            _signal(process, signal.SIGKILL)  # what the program left behind in its group
            for thread in threads:
                thread.join(self._action.output_grace)
        return process.wait()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(part) for part in self._action.argv],
            cwd=self._action.cwd,
            env={**os.environ, **self._action.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )

    def _read(self, process: subprocess.Popen[str]) -> None:
        """Report the output's lines. The output is closed here, as closing would block while another thread reads."""
        output = process.stdout
        if output is None:  # pragma: no cover - a pipe was asked for
            raise RuntimeError("no output to read")
        with output:
            for line in output:
                self._events.put(("line", line.rstrip("\r\n")))
        self._events.put(("closed", ""))

    def _wait(self, process: subprocess.Popen[str]) -> None:
        process.wait()
        self._events.put(("exited", ""))

    def _serve(self, process: subprocess.Popen[str]) -> None:
        """Act on events until the program has exited and its output is closed, or left open for too long."""
        pending = {"closed", "exited"}
        while pending:
            kind, line = self._events.get()
            if kind == "line":
                self._line(line)
            elif kind in pending:
                pending.discard(kind)
                if kind == "exited":
                    self._schedule(self._action.output_grace)
            elif "exited" not in pending:
                if kind == "overdue":
                    return
            elif self._escalation:
                number, grace = self._escalation.pop(0)
                _signal(process, number)
                self._schedule(grace)

    def _schedule(self, seconds: float | None) -> None:
        """Have `overdue` reported after some seconds, instead of what was scheduled before."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = threading.Timer(seconds, lambda: self._events.put(("overdue", "")))
            self._timer.daemon = True
            self._timer.start()

    def _line(self, line: str) -> None:
        command = parse_logging_command(line)
        kind = command.properties.get("type", "").lower() if command else ""
        if command and command.name in {"task.logissue", "task.issue"} and kind in {"error", "warning"}:
            (self._context.error if kind == "error" else self._context.warning)(command.data)
        elif command and command.name == "task.setvariable" and "variable" in command.properties:
            self._context.variables[command.properties["variable"]] = command.data
        else:
            self._context.log(line)


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal the program's whole group; one that is gone needs none."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
