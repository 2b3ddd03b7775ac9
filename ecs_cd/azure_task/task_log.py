"""What the task logs: the console of an Azure Pipelines agent, its debug log, and the warnings that were logged."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from ecs_cd.azure_task.wording import task_wording
from ecs_cd.console import Console, Mode
from ecs_cd.console.mask import secrets_in
from ecs_cd.model.events import Warned
from ecs_cd.support.clock import Clock

_OPERATION = re.compile(r"OperationModel\(name=(\w+)\)")
_REQUESTS = ("urllib3.connectionpool", "botocore.endpoint")
"""Loggers whose debug records are about requests; botocore's hold bodies and headers, so only the name is logged."""


class TaskLog:
    """Everything the task prints or writes goes through here: masked and sanitized, in order, on one stream."""

    def __init__(
        self, out: TextIO, clock: Clock, environ: Mapping[str, str], secrets: Iterable[str], *, debug: bool = False
    ) -> None:
        """Print on `out`; `secrets` and those in `environ` are masked."""
        hidden = [*secrets, *secrets_in(environ)]
        self.console = Console(
            out=out, err=out, mode=Mode.AZURE, clock=clock, environ=environ, secrets=hidden, wording=task_wording
        )
        self.debugging = debug
        self.warnings: list[str] = []

    def hide(self, *secrets: str) -> None:
        """Mask these too."""
        self.console.hide(*secrets)

    def warn(self, message: str) -> None:
        """Log a warning; it makes a success one with issues."""
        self.warnings.append(message)
        self.console.watch(Warned(message))

    def debug(self, message: str) -> None:
        """Log a line that only `System.Debug` shows."""
        if self.debugging:
            self.console.agent_debug(message)

    def safe(self, value: Any) -> Any:  # noqa: ANN401 - any value of JSON's types
        """Return a value of JSON's types with every text in it masked and sanitized."""
        return self.console.safe(value)

    @contextmanager
    def logging_requests(self) -> Iterator[None]:
        """Log every request where debugging is on: method, address and status, never a body or a header."""
        loggers = [logging.getLogger(name) for name in _REQUESTS] if self.debugging else []
        levels = [logger.level for logger in loggers]
        handler = _Requests(self)
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
            logger.addHandler(handler)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.removeHandler(handler)
                logger.setLevel(level)


class _Requests(logging.Handler):
    def __init__(self, task_log: TaskLog) -> None:
        super().__init__(logging.DEBUG)
        self._task_log = task_log

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "urllib3.connectionpool":
            self._task_log.debug(f"request: {record.getMessage()}")
        elif found := _OPERATION.search(str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""):
            self._task_log.debug(f"request: {found[1]}")
