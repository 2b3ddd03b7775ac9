"""The one way in: the request out of the environment, the command, the result file; in that order, whatever happens."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ecs_cd.azure_task.agent import Agent
    from ecs_cd.azure_task.command_result import CommandResult
    from ecs_cd.azure_task.request import Request
    from ecs_cd.azure_task.task_log import TaskLog
    from ecs_cd.errors import EcsCdError
    from ecs_cd.support.clock import Clock

NO_REQUEST = 2
"""Exit code where there is no request that says where the result belongs."""

NO_RESULT = 3
"""Exit code where the result file cannot be written."""

_SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")


def run(environ: MutableMapping[str, str] = os.environ, out: TextIO | None = None, clock: Clock | None = None) -> int:
    """Carry out the request in `environ` and return the exit code: 0 where a result file was written."""
    text = environ.pop("ECS_CD_TASK", "")
    out = out or sys.stdout
    with Cancel() as cancel:
        from ecs_cd.azure_task import request as requests  # noqa: PLC0415 - likewise
        from ecs_cd.errors import WrongInput  # noqa: PLC0415 - first the request leaves the environment

        try:
            request = requests.parse(text)
        except WrongInput as error:
            out.write(f"{error}\n")
            return NO_REQUEST
        return _carry_out(request, environ, out, clock, cancel)


class Cancel:
    """While entered, the agent's signals (Ctrl-C, then SIGTERM; Ctrl-C, then Ctrl-Break on Windows) interrupt, once.

    The second one comes while the first is being answered: it, and one after `off`, changes nothing.
    """

    def __enter__(self) -> Cancel:  # noqa: PYI034 - `Self` is not in Python 3.10
        """Listen."""
        self._listening = True
        self._former = {}
        if threading.current_thread() is threading.main_thread():
            for name in _SIGNALS:
                if (number := getattr(signal, name, None)) is not None:
                    self._former[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_exception: object) -> None:
        """Leave things as they were."""
        self.off()
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def off(self) -> None:
        """Interrupt no more."""
        self._listening = False

    def _interrupt(self, _number: int, _frame: object) -> None:
        if self._listening:
            self._listening = False
            raise KeyboardInterrupt


def _carry_out(
    request: Request, environ: MutableMapping[str, str], out: TextIO, clock: Clock | None, cancel: Cancel
) -> int:
    from ecs_cd.azure_task.agent import Agent  # noqa: PLC0415 - likewise
    from ecs_cd.azure_task.result_file import write_result  # noqa: PLC0415 - likewise
    from ecs_cd.azure_task.task_log import TaskLog  # noqa: PLC0415 - likewise
    from ecs_cd.errors import EcsCdError  # noqa: PLC0415 - nothing is imported before the request is known
    from ecs_cd.support.clock import SystemClock  # noqa: PLC0415 - likewise

    clock = clock or SystemClock()
    agent = Agent(environ)
    task_log = TaskLog(out, clock, environ, request.secrets(), debug=agent.debug)
    with task_log.logging_requests():
        ended = _ended(request, agent, task_log, clock, environ)
    cancel.off()
    try:
        write_result(ended, request.inputs.get("command", "").strip(), Path(request.result_file), task_log)
    except OSError as error:
        task_log.console.error(EcsCdError(f"Cannot write the result of the task: {error.strerror or error}."))
        return NO_RESULT
    return 0


def _ended(
    request: Request, agent: Agent, task_log: TaskLog, clock: Clock, environ: MutableMapping[str, str]
) -> CommandResult:
    """Return how the command ended; whatever it raises is an end, told once."""
    from ecs_cd.azure_task.command_result import failed_result  # noqa: PLC0415 - likewise
    from ecs_cd.errors import EcsCdError, Interrupted  # noqa: PLC0415 - nothing is imported before it is needed

    error: EcsCdError
    try:
        return _answered(request, agent, task_log, clock, environ)
    except KeyboardInterrupt:
        error = Interrupted(
            "Interrupted.", hint="Nothing was stopped in the clouds: a queued run goes on. Run the task again."
        )
    except EcsCdError as ours:
        error = ours
    except Exception as unexpected:  # noqa: BLE001 - the last line of defence, so that a person reads a sentence
        from ecs_cd.console.unexpected import unexpected_error  # noqa: PLC0415 - only for a mistake of our own

        error = unexpected_error(unexpected, details="Run again with System.Debug set to true")
    task_log.console.error(error, debug=task_log.debugging)
    return failed_result(error)


def _answered(
    request: Request, agent: Agent, task_log: TaskLog, clock: Clock, environ: MutableMapping[str, str]
) -> CommandResult:
    from ecs_cd.azure_task import commands, inputs  # noqa: PLC0415 - nothing is imported before it is needed
    from ecs_cd.azure_task.call import Call  # noqa: PLC0415 - likewise

    given = inputs.read(request.inputs)
    task_log.debug(f"command {given.command} in a {agent.kind.value} job, {agent.run}")
    for name in given.unused:
        task_log.warn(f"input '{name}' has no meaning for command '{given.command}'.")
    return commands.COMMANDS[given.command](Call(request, given, agent, task_log, clock, environ))
