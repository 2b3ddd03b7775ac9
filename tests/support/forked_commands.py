"""`ecs-cd` and Python scripts in processes of their own, forked from one that has imported the library and its SDKs.

A new interpreter takes longer to import them than most commands take to run. The processes share nothing: each has its
own environment, folder and streams. That the command starts from nothing is for other tests: of sandboxes, of imports.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_CONTEXT = (
    multiprocessing.get_context("forkserver")
    if "forkserver" in multiprocessing.get_all_start_methods()
    else multiprocessing.get_context("spawn")
)
# A forked process imports its parent's main module, which is pytest's.
_CONTEXT.set_forkserver_preload(["pytest", "tests.support.preloaded"])


class ForkedCommand:
    """A process that runs `ecs-cd` with these words; as much of `subprocess.Popen` as tests need.

    As a context manager it ends the process, should it still run, and forgets what it printed.
    """

    def __init__(self, words: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> None:
        self._start(_command, list(words), folder, environment)

    def _start(self, call: Callable[..., None], what: object, folder: Path, environment: Mapping[str, str]) -> None:
        self._streams = Path(tempfile.mkdtemp(prefix="ecs-cd-command-"))
        self._process = _CONTEXT.Process(target=call, args=(what, str(folder), dict(environment), str(self._streams)))
        self._process.start()

    def __enter__(self) -> ForkedCommand:  # noqa: PYI034 - `Self` is not in Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.join()
        self._process.close()
        shutil.rmtree(self._streams, ignore_errors=True)

    def wait(self, timeout: float) -> int:
        """Wait for the end and return the exit code.

        Raises:
            TimeoutError: it still runs after so many seconds.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise TimeoutError(f"still running after {timeout} s:\n{''.join(self._printed())}")
        return code

    def communicate(self, *, timeout: float) -> tuple[str, str]:
        """Wait for the end and return what went to stdout and stderr. Raises as `wait` does."""
        self.wait(timeout)
        return self._printed()

    @property
    def returncode(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """Send SIGKILL, or what there is like it."""
        self._process.kill()

    def _printed(self) -> tuple[str, str]:
        # A process that is killed at once has opened neither.
        files = (self._streams / name for name in ("stdout", "stderr"))
        out, err = (file.read_text(encoding="utf-8") if file.exists() else "" for file in files)
        return out, err


class ForkedScript(ForkedCommand):
    """A process that runs the text of a Python script, as `python -c` does."""

    def __init__(self, script: str, *, folder: Path, environment: Mapping[str, str]) -> None:
        self._start(_script, script, folder, environment)


def _command(words: list[str], folder: str, environment: dict[str, str], streams: str) -> None:
    from ecs_cd.cli import run  # noqa: PLC0415 - in the process that runs it

    _move_to(folder, environment, streams)
    sys.argv = ["ecs-cd", *words]
    raise SystemExit(run(words))


def _script(script: str, folder: str, environment: dict[str, str], streams: str) -> None:
    _move_to(folder, environment, streams)
    sys.argv = ["-c"]
    sys.path.insert(0, "")
    exec(compile(script, "<string>", "exec"), {"__name__": "__main__"})


def _move_to(folder: str, environment: dict[str, str], streams: str) -> None:
    """Give this process its environment, folder and streams."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(Path(streams, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
        os.close(file)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lasts
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115 - likewise
