"""The first run of Terraform in each environment, before there are pipelines that could do it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress

from ecs_cd_sandbox.terraform.installation import Step

_GRACE = 10.0
"""Seconds that Terraform has to end after a signal."""


def apply_all(plans: Iterable[Sequence[Step]]) -> tuple[str, ...]:
    """Run several plans at once and return the outputs of what failed; nothing is left running, whatever happens."""
    applying = [_Applying(plan) for plan in plans]
    try:
        for one in applying:
            one.start()
        for one in applying:
            one.over.wait()
    finally:
        for one in applying:
            one.stop()
    return tuple(one.failure for one in applying if one.failure)


class _Applying(threading.Thread):
    """One plan, each command in a process group of its own: Ctrl-C at a terminal is for the sandbox, not for them."""

    def __init__(self, plan: Sequence[Step]) -> None:
        super().__init__(daemon=True)
        self.failure = ""
        # Not join(): a join that Ctrl-C interrupts lets a thread pass for stopped (CPython before 3.13).
        self.over = threading.Event()
        self._plan = plan
        self._lock = threading.Lock()
        self._stopped = False
        self._process: subprocess.Popen[str] | None = None

    def run(self) -> None:
        try:
            self._apply()
        finally:
            self.over.set()

    def _apply(self) -> None:
        for step in self._plan:
            process = self._begin(step)
            if process is None:
                return
            output, _ = process.communicate()
            if process.returncode:
                self.failure = f"{step.name} failed:\n{output}"
                return

    def stop(self) -> None:
        """End what still runs: politely, so that Terraform and its provider take their files away; else by force."""
        with self._lock:
            self._stopped = True
        for number in (signal.SIGINT, signal.SIGKILL):
            if self._process is not None and not self.over.is_set():
                self._signal(number)
                self.over.wait(_GRACE)

    def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def _begin(self, step: Step) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._stopped:
                return None
            self._process = subprocess.Popen(
                step.argv,
                env={**os.environ, **step.environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            return self._process
