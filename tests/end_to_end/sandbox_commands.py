"""Sandboxes in processes of their own: started, read, stopped, and searched for what they leave behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 120
"""Seconds; how long a process may take that ends by itself. No test depends on how much less it is."""

_KEPT = re.compile(r"(PATH|LANG|LC_.*|SYSTEMROOT|VIRTUAL_ENV|PYTHON.*|COV.*)$")
_MARK = "ECS_CD_TEST_MARK"


class StartedCommand:
    """An `ecs-cd` command in a process group, home and temporary folder of its own, as at a terminal."""

    def __init__(self, folder: Path, *argv: str, environment: Mapping[str, str] | None = None) -> None:
        self._mark = uuid.uuid4().hex
        # Not below `folder`: the name of a provider's socket may have 108 characters at the most.
        self.temporary = Path(tempfile.mkdtemp(prefix="ecs-cd-test-"))
        kept = {name: value for name, value in os.environ.items() if _KEPT.match(name)}
        own = {"HOME": str(folder), "TMPDIR": str(self.temporary), _MARK: self._mark, "PYTHONUNBUFFERED": "1"}
        self.told = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ecs_cd", *argv],
            cwd=folder,
            env={**kept, **own, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def reach(self, words: str) -> str:
        """Read what it says until these words, and return the line with them."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.told += line
            if words in line:
                return line
        raise AssertionError(f"never said: {words}\n{self.told}")

    def wait_for_terraform(self) -> None:
        """Wait until Terraform runs below it."""
        while not any("terraform" in word for words in self._running().values() for word in words[1:3]):
            assert self.process.poll() is None, "it ended without Terraform"
            time.sleep(0.05)

    def interrupt(self) -> None:
        """Press Ctrl-C: a terminal tells the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def terminate(self) -> None:
        """Send SIGTERM to the process alone, as a supervisor does."""
        self.process.terminate()

    def end(self) -> int:
        """Wait for the end, and return the exit code."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        self.told += out
        return self.process.returncode

    def left_behind(self) -> list[str]:
        """Return processes that still run and files that are still there."""
        files = [str(path) for path in self.temporary.iterdir()]
        return files + [" ".join(words) for words in self._running().values()]

    def kill(self) -> None:
        """End everything that still runs; a test that failed must not disturb the others."""
        for process in self._running():
            os.kill(process, signal.SIGKILL)
        if self.process.stdout:
            self.process.stdout.close()
        self.process.wait()
        shutil.rmtree(self.temporary, ignore_errors=True)

    def _running(self) -> dict[int, list[str]]:
        """Return the processes that have inherited this one's mark, whatever group they are in (Linux alone)."""
        found: dict[int, list[str]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark.encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_text().split("\0")
            except OSError:  # noqa: PERF203 - it has just ended, or is somebody else's
                continue
        return found


@contextmanager
def started_command(folder: Path, *argv: str, environment: Mapping[str, str] | None = None) -> Iterator[StartedCommand]:
    """Start a command; whatever is left of it at the end is killed."""
    command = StartedCommand(folder, *argv, environment=environment)
    try:
        yield command
    finally:
        command.kill()


def read_environment(path: Path) -> dict[str, str]:
    """Return the variables in a file of NAME=VALUE lines."""
    return dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines())
