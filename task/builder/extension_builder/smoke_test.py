"""Shows that nothing the task needs was pruned: the bundled library is used with nothing else to import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("smoke_test_script.py")


def run(task: Path, *servers: str, environment: dict[str, str] | None = None, python: str = sys.executable) -> None:
    """Import all of the bundled library and use its SDKs, in a process that has nothing else to import.

    `servers` are the AWS endpoint and the organization to send requests to; without them nothing is sent. No file is
    written either.

    Raises:
        RuntimeError: a module is missing or came from elsewhere, or a request failed; it has Python's output.
    """
    result = subprocess.run(  # noqa: S603 - our own arguments
        [python, "-I", "-B", "-X", "utf8", "-W", "error", str(SCRIPT), str((task / "python").resolve()), *servers],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"The bundle does not work on its own:\n{result.stdout}{result.stderr}")
