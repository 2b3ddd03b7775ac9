"""Ranges of versions as npm's semver reads them: `3.x`, `3.11`, `>=3.9 <3.13`, `~3.10`, `3.8 || 3.12.1`."""

from __future__ import annotations

import re

Version = tuple[int, int, int]

_COMPARATOR = re.compile(r"(?P<operator>>=|<=|>|<|=|~|\^)?\s*v?(?P<version>[\dxX*]+(?:\.[\dxX*]+){0,2})")


def satisfies(version: Version, wanted: str) -> bool:
    """Say whether a version is one of those that are asked for.

    Raises:
        ValueError: what is asked for is no range of versions.
    """
    return any(_fits(version, part.strip()) for part in wanted.split("||"))


def _fits(version: Version, part: str) -> bool:
    if not part or re.sub(_COMPARATOR, "", part).strip():
        raise ValueError(f"{part!r} is no version and no range of versions")
    return all(_compare(version, match["operator"] or "=", match["version"]) for match in _COMPARATOR.finditer(part))


def _compare(version: Version, operator: str, text: str) -> bool:
    parts = [int(part) for part in text.split(".") if part.isdecimal()]
    lowest = (*parts, 0, 0, 0)[:3]
    if operator == ">=":
        return version >= lowest
    if operator == "<":
        return version < lowest
    following = _after(parts, operator)
    if operator == ">":
        return following is not None and version >= following
    below = following is None or version < following
    return below if operator == "<=" else version >= lowest and below


def _after(parts: list[int], operator: str) -> tuple[int, ...] | None:
    """Return the first version behind those that are meant, None if there is no end to them."""
    if not parts:
        return None
    place = len(parts) - 1
    if operator == "^":
        place = next((index for index, part in enumerate(parts) if part), place)
    elif operator == "~":
        place = min(place, 1)
    return (*parts[:place], parts[place] + 1, 0, 0, 0)[:3]
