"""Shows that nothing the task needs was pruned: `probe` runs on the bundle alone, with the agent's start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def prove(task: Path, *questions: str, environment: dict[str, str] | None = None, python: str = sys.executable) -> None:
    """Import all of the bundled library and use its SDKs, in a process that has nothing else to import.

    `questions` are the AWS endpoint and the organization to ask; none: nothing is sent. Nothing is written either.

    Raises:
        RuntimeError: a module is missing or came from elsewhere, or a question failed; it says what Python said.
    """
    probe = Path(__file__).with_name("probe.py")
    told = subprocess.run(  # noqa: S603 - our own arguments
        [python, "-I", "-B", "-X", "utf8", "-W", "error", str(probe), str((task / "python").resolve()), *questions],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        raise RuntimeError(f"The bundle does not work on its own:\n{told.stdout}{told.stderr}")
