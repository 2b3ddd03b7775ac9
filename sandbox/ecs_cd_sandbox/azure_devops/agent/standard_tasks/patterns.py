"""File patterns as the tasks have them: minimatch with `dot` on and braces off, several patterns applied in turn.

Sources: `match` of azure-pipelines-task-lib, the agent's `ArtifactItemFilters.cs`, and
https://learn.microsoft.com/azure/devops/pipelines/tasks/file-matching-patterns.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_PART = re.compile(r"(?P<group>[?*+@!])\(|(?P<set>\[[!^]?.[^\]]*\])", re.DOTALL)
_PLAIN = {"*": "[^/]*", "?": "[^/]"}
_REPEATS = {"?": "?", "*": "*", "+": "+", "@": ""}
_NOTHING = "(?!)"
"""A regular expression that matches nothing."""


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
    return _compile(re.sub("/+", "/", pattern)).fullmatch(path) is not None


@lru_cache(maxsize=256)
def _compile(pattern: str) -> re.Pattern[str]:
    segments = pattern.split("/")
    text = ""
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "**":
            text += "(?:[^/]+/)*[^/]+" if last else "(?:[^/]+/)*"
        else:
            text += _segment(segment) + ("" if last else "/")
    return re.compile(text, re.DOTALL)


def _segment(segment: str) -> str:
    """Return a part between slashes as a regular expression, groups such as `+(a|b)` included."""
    if not segment:
        return ""
    match = _PART.match(segment)
    end = _end_of_group(segment, match.end()) if match and match["group"] else None
    if match and end is not None:
        return _group(match["group"], segment[match.end() : end], _segment(segment[end + 1 :]))
    if match and match["set"]:
        return _set(match["set"][1:-1]) + _segment(segment[match.end() :])
    return _PLAIN.get(segment[0], re.escape(segment[0])) + _segment(segment[1:])


def _group(kind: str, content: str, rest: str) -> str:
    inner = "|".join(_segment(part) for part in content.split("|"))
    if kind == "!":
        return f"(?!(?:{inner}){rest}(?:/|\\Z))[^/]*{rest}"
    return f"(?:{inner}){_REPEATS[kind]}{rest}"


def _set(content: str) -> str:
    """Return what stands between brackets as a regular expression; with a range that runs backwards, nothing fits."""
    negated = content.startswith(("!", "^"))
    body = content[1:] if negated else content
    text = ""
    for match in re.finditer(r"(.)-(.)|.", body, re.DOTALL):
        if match[1] and match[1] > match[2]:
            return _NOTHING
        text += f"{re.escape(match[1])}-{re.escape(match[2])}" if match[1] else re.escape(match[0])
    return f"[^/{text}]" if negated else f"[{text}]"


def _end_of_group(segment: str, start: int) -> int | None:
    """Return where the parenthesis that is open at `start` is closed, None if it is not."""
    depth = 1
    for position in range(start, len(segment)):
        depth += {"(": 1, ")": -1}.get(segment[position], 0)
        if depth == 0:
            return position
    return None


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
