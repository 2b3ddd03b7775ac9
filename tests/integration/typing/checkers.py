"""mypy and pyright, both strict, as a user of the library runs them on scripts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

Place = tuple[str, int]
"""A script and a line of it."""

Checker = Callable[[Mapping[str, str], Path, Path], dict[Place, str]]
"""Checks the texts of scripts, by file name, in a folder, with a cache; returns the first complaint about each line."""

_UNTYPED = "[mypy]\n[mypy-azure.devops.*,msrest.*]\nignore_missing_imports = True\n"
"""These packages have no types; `docs/library.md` says so."""


def mypy(scripts: Mapping[str, str], folder: Path, cache: Path) -> dict[Place, str]:
    """Return the complaints of mypy."""
    _write(scripts, folder)
    (folder / "mypy.ini").write_text(_UNTYPED, encoding="utf-8")
    done = _run(["mypy", "--strict", "--config-file", "mypy.ini", "--cache-dir", str(cache), *scripts], folder)
    found = re.findall(r"^(\w+\.py):(\d+): error: (.*)", done.stdout, re.MULTILINE)
    return {(script, int(line)): problem for script, line, problem in reversed(found)}


def pyright(scripts: Mapping[str, str], folder: Path, _cache: Path) -> dict[Place, str]:
    """Return the complaints of pyright."""
    _write(scripts, folder)
    config = {"typeCheckingMode": "strict", "reportMissingTypeStubs": False, "include": list(scripts)}
    (folder / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    options = ["--outputjson", "--pythonpath", sys.executable, "--project", str(folder)]
    done = _run(["basedpyright", *options], folder)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(scripts)
    found = [one for one in report["generalDiagnostics"] if one["severity"] == "error"]
    return {(Path(one["file"]).name, one["range"]["start"]["line"] + 1): one["message"] for one in reversed(found)}


CHECKERS: tuple[Checker, ...] = (mypy, pyright)


def _write(scripts: Mapping[str, str], folder: Path) -> None:
    for name, text in scripts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done
