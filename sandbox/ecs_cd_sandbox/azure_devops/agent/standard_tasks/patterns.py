"""File patterns as the tasks have them: minimatch with `dot` on and braces off, several patterns applied in turn.

Sources: `match` of azure-pipelines-task-lib, the agent's `ArtifactItemFilters.cs`, and
https://learn.microsoft.com/azure/devops/pipelines/tasks/file-matching-patterns.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from wcmatch import glob

_MINIMATCH = glob.GLOBSTAR | glob.EXTGLOB | glob.DOTGLOB | glob.FORCEUNIX
"""What `matches` takes from minimatch: `**`, groups such as `+(a|b)`, hidden files; no braces, letter case counts."""


def select(paths: Iterable[str], patterns: Iterable[str], root: str = "") -> list[str]:
    """Return the paths that patterns select, in their order.

    Each pattern adds what it matches, one that begins with `!` takes it away again; later ones win. Empty patterns and
    those that begin with `#` are passed over. Paths have `/` and are relative to `root`, and so are patterns, unless
    they begin with `/`: those are matched with the whole path.
    """
    known = list(paths)
    chosen: set[str] = set()
    for line in patterns:
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        bare = pattern.lstrip("!")
        prefix = f"{root}/" if bare.startswith("/") else ""
        matching = {path for path in known if matches(f"{prefix}{path}", bare)}
        chosen = chosen - matching if (len(pattern) - len(bare)) % 2 else chosen | matching
    return [path for path in known if path in chosen]


def matches(path: str, pattern: str) -> bool:
    """Say whether one path matches one pattern. A `*` stays within a folder, a `**` between slashes is any folders."""
    return glob.globmatch(path, pattern, flags=_MINIMATCH)


def files_below(folder: Path) -> list[str]:
    """Return the files below a folder, hidden ones and those behind links included, each folder only once."""
    found: list[str] = []
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        found += [(Path(place) / name).relative_to(folder).as_posix() for name in files]
    return sorted(found)
