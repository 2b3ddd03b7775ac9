"""The command line, called in this process or in one of its own, and how a call ended."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from ecs_cd.cli import run
from ecs_cd.support.clock import SystemClock
from tests.support.simulated_clouds import SECRETS


@dataclass(frozen=True)
class Called:
    """How one call of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """Return everything said."""
        return f"{self.out}\n{self.err}"

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the command answers
        """Return stdout as JSON."""
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """Return the one sentence that says what went wrong."""
        return self._one(r"^error: (.+)$")

    @property
    def advice(self) -> str:
        """Return what it says to do next."""
        return self._one(r"^  do next:? +(.+)$")

    def _one(self, pattern: str) -> str:
        found = re.findall(pattern, self.told, re.MULTILINE)
        assert len(found) == 1, self.told
        return str(found[0])

    def check(self) -> Called:
        """Refuse what no call may ever say, however it ends."""
        for never in ("Traceback", "BUG:", "##vso[", "##[", "\x1b", "\0", *SECRETS):
            assert never not in self.told, self.told
        return self

    def refused(self, code: int, *words: str) -> Called:
        """Assert a bad end: its exit code, one sentence with these words, and what to do next."""
        assert self.code == code, self.told
        assert self.advice
        for word in words:
            assert word.lower() in self.sentence.lower(), self.told
        return self


class Cli:
    """Calls `ecs-cd` in this process, as a person would in the folder of `ecs-cd.yml`, but without the waits."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *argv: str) -> Called:
        self._capsys.readouterr()
        code = run(list(argv))
        captured = self._capsys.readouterr()
        return Called(code, captured.out, captured.err).check()


class Hurry:
    """Time for `SystemClock` in which a sleep of a second takes a fiftieth of one, so that threads get their turn."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        real = min(seconds, 0.02)
        time.sleep(real)
        with self._lock:
            self._skipped += seconds - real

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SystemClock, "now", lambda _: self.now())
        monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: self.sleep(seconds))


def command(*argv: str) -> list[str]:
    """Return the words of a process that runs `ecs-cd`."""
    return [sys.executable, "-m", "ecs_cd", *argv]
