"""A step action that runs a program the way the agent does: output to the log, logging commands, orderly cancel."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext
from ecs_cd_sandbox.azure_devops.agent.step_output import process_line

INTERRUPT_GRACE = 7.5
TERMINATE_GRACE = 2.5
OUTPUT_GRACE = 5.0
DONE_GRACE = 5.0
"""Seconds the agent waits: after SIGINT, after SIGTERM, for the rest of an output, for a program that is done."""

Reach = Literal["group", "process", "nobody"]
"""Whom the signals of a cancel reach: a program and all it started, the program alone, or nobody before the kill."""


@dataclass(frozen=True)
class Program:
    """A program to run in a process group of its own, with the whole of its environment.

    On cancel those that `reach` says get SIGINT, after `interrupt_grace` seconds SIGTERM; after `terminate_grace` more
    the group is killed. The job's variables PROCESS_SIGINT_TIMEOUT and PROCESS_SIGTERM_TIMEOUT (milliseconds) come
    before both, as the agent's `AgentKnobs.cs` has it. An output that something else still holds is read for
    `output_grace` seconds after the exit; a program that reported that it is done has `done_grace` to exit.
    `on_stderr` is given each line of the error output, which goes to the log all the same.
    """

    argv: Sequence[str | Path]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    interrupt_grace: float = INTERRUPT_GRACE
    terminate_grace: float = TERMINATE_GRACE
    output_grace: float = OUTPUT_GRACE
    done_grace: float = DONE_GRACE
    reach: Reach = "group"
    on_stderr: Callable[[str], None] | None = None

    def run(self, context: StepContext) -> int:
        """Run to the end, carrying out the logging commands in the output, and return the exit code.

        Raises:
            StepFailedError: the step was cancelled meanwhile.
        """
        return _Execution(self, context).run()


@dataclass(frozen=True)
class ProcessAction:
    """Runs a program as a script of the step; exit code 0 is success.

    `env` is added to what the agent gives a script: its own environment and the variables that are no secrets. Macros
    in it are expanded. Without `cwd` the program runs in the job's default folder. The graces are those of `Program`.
    """

    argv: Sequence[str | Path]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    interrupt_grace: float = INTERRUPT_GRACE
    terminate_grace: float = TERMINATE_GRACE
    output_grace: float = OUTPUT_GRACE
    done_grace: float = DONE_GRACE
    title: str = "Bash"

    def __call__(self, context: StepContext) -> None:
        """Run to the end, as a step's action."""
        context.log(f"##[command]{' '.join(map(str, self.argv))}")
        variables = context.job.all_variables()
        program = Program(
            self.argv,
            self.cwd or context.job.workspace.default,
            context.environment({name: variables.expand(value) for name, value in self.env.items()}),
            self.interrupt_grace,
            self.terminate_grace,
            self.output_grace,
            self.done_grace,
        )
        code = program.run(context)
        if code != 0:
            context.fail(f"{self.title} exited with code '{code}'.")


_Event = tuple[Literal["line", "errline", "closed", "exited", "cancelled", "overdue", "done"], str]


class _Execution:
    """One execution: helper threads report events, the step's thread acts on them."""

    def __init__(self, program: Program, context: StepContext) -> None:
        self._program = program
        self._context = context
        self._events: queue.Queue[_Event] = queue.Queue()
        self._timer: threading.Timer | None = None
        self._cancelled = False
        self._given_up = False
        self._escalation: list[tuple[signal.Signals, float | None]] = [(signal.SIGKILL, None)]
        if program.reach != "nobody":
            asking = [
                (signal.SIGINT, _grace_variable(context, "PROCESS_SIGINT_TIMEOUT", program.interrupt_grace)),
                (signal.SIGTERM, _grace_variable(context, "PROCESS_SIGTERM_TIMEOUT", program.terminate_grace)),
            ]
            self._escalation = [*asking, *self._escalation]

    def run(self) -> int:
        """Start the program, serve its events until it is over, and return its exit code."""
        process = self._start()
        threads = [
            threading.Thread(target=self._read, args=(process.stdout, "line"), daemon=True),
            threading.Thread(target=self._wait, args=(process,), daemon=True),
        ]
        if process.stderr:
            threads.append(threading.Thread(target=self._read, args=(process.stderr, "errline"), daemon=True))
        for thread in threads:
            thread.start()
        unsubscribe = self._context.cancelled.subscribe(lambda: self._events.put(("cancelled", "")))
        try:
            self._serve(process)
        finally:
            unsubscribe()
            self._schedule(None)
            _signal_group(process, signal.SIGKILL)  # what the program left behind in its group
            for thread in threads:
                thread.join(self._program.output_grace)
        code = process.wait()
        if self._cancelled:
            self._context.fail("The operation was canceled.")
        return 0 if self._given_up else code

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(part) for part in self._program.argv],
            cwd=self._program.cwd,
            env=dict(self._program.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if self._program.on_stderr else subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )

    def _read(self, output: IO[str], event: Literal["line", "errline"]) -> None:
        """Report an output's lines. The output is closed here, as closing would block while another thread reads."""
        with output:
            for line in output:
                self._events.put((event, line.rstrip("\r\n")))
        self._events.put(("closed", ""))

    def _wait(self, process: subprocess.Popen[str]) -> None:
        process.wait()
        self._events.put(("exited", ""))

    def _serve(self, process: subprocess.Popen[str]) -> None:
        """Act on events until the program has exited and its output is closed, or left open for too long."""
        pending = ["closed", "exited", *(["closed"] if process.stderr else [])]
        while pending and not self._given_up:
            kind, line = self._events.get()
            if kind in {"line", "errline"}:
                self._line(line, error=kind == "errline")
            elif kind in pending:
                pending.remove(kind)
                if kind == "exited":
                    self._schedule(self._program.output_grace)
            elif "exited" not in pending:
                if kind == "overdue":
                    return
            elif kind == "done":
                self._give_up()
            elif self._escalation:
                self._cancelled = True
                number, grace = self._escalation.pop(0)
                self._signal(process, number)
                self._schedule(grace)

    def _schedule(self, seconds: float | None, event: Literal["overdue", "done"] = "overdue") -> None:
        """Have an event reported after some seconds, instead of what was scheduled before."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = threading.Timer(seconds, lambda: self._events.put((event, "")))
            self._timer.daemon = True
            self._timer.start()

    def _signal(self, process: subprocess.Popen[str], number: signal.Signals) -> None:
        if self._program.reach == "process" and number != signal.SIGKILL:
            process.send_signal(number)
        else:
            _signal_group(process, number)

    def _line(self, line: str, *, error: bool) -> None:
        if error and self._program.on_stderr:
            self._program.on_stderr(line)
        done = self._context.done
        process_line(self._context, line)
        if self._context.done and not done and self._timer is None:
            self._schedule(self._program.done_grace, "done")

    def _give_up(self) -> None:
        self._context.debug('The task was marked as "done", but the process has not closed. Treating it as complete.')
        self._given_up = True


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal the program's whole group; one that is gone needs none."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _grace_variable(context: StepContext, variable: str, otherwise: float) -> float:
    """Return the seconds that the job's variable, in milliseconds, sets."""
    given = context.job.variables.get(variable, "")
    return int(given) / 1000 if given.isdecimal() else otherwise
