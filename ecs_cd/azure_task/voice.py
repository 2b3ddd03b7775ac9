"""How the task speaks: the console of an Azure Pipelines agent, its debug log, and the warnings it remembers."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from ecs_cd.azure_task.wording import task_wording
from ecs_cd.console import Console, Mode
from ecs_cd.console.azure_log import command
from ecs_cd.console.mask import Mask
from ecs_cd.console.printer import Printer
from ecs_cd.model.events import Warned
from ecs_cd.support.clock import Clock

_OPERATION = re.compile(r"OperationModel\(name=(\w+)\)")
_REQUESTS = ("urllib3.connectionpool", "botocore.endpoint")
"""Loggers whose debug records tell of requests; of botocore's, which hold bodies and headers, only the name is told."""


class Voice:
    """All that is printed or written goes through here: masked, neutral, in order, on one stream."""

    def __init__(
        self, out: TextIO, clock: Clock, environ: Mapping[str, str], secrets: Iterable[str], *, debug: bool = False
    ) -> None:
        """Speak on `out`; none of `secrets` will be said."""
        self._mask = Mask(secrets)
        self._printer = Printer(out, self._mask, optional=True)
        self.console = Console(
            out=out, err=out, mode=Mode.AZURE, clock=clock, environ=environ, secrets=secrets, wording=task_wording
        )
        self.debugging = debug
        self.warnings: list[str] = []

    def hide(self, *secrets: str) -> None:
        """Let these never be said either."""
        self._mask.add(secrets)
        self.console.hide(*secrets)

    def warn(self, message: str) -> None:
        """Log a warning; it makes a success one with issues."""
        self.warnings.append(message)
        self.console.watch(Warned(message))

    def debug(self, message: str) -> None:
        """Say something that only `System.Debug` shows."""
        if self.debugging:
            self._printer.command(command("task.debug", self._printer.clean_line(message)))

    def safe(self, value: Any) -> Any:  # noqa: ANN401 - any value of JSON's types
        """Return a value of JSON's types with every text in it masked and neutral."""
        if isinstance(value, str):
            return self._printer.safe(value)
        if isinstance(value, Mapping):
            return {self._printer.safe(key): self.safe(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.safe(item) for item in value]
        return value

    @contextmanager
    def logging_requests(self) -> Iterator[None]:
        """Tell of every request in the debug log: method, address and status, never a body or a header."""
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
    def __init__(self, voice: Voice) -> None:
        super().__init__(logging.DEBUG)
        self._voice = voice

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "urllib3.connectionpool":
            self._voice.debug(f"request: {record.getMessage()}")
        elif found := _OPERATION.search(str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""):
            self._voice.debug(f"request: {found[1]}")
