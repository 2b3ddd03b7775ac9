"""Ranges of versions as npm's semver reads them: `3.x`, `3.11`, `>=3.9 <3.13`, `~3.10`, `3.8 || 3.12.1`."""

from __future__ import annotations

import re

from semantic_version import NpmSpec, Version

_SPACED_OPERATOR = re.compile(r"(>=|<=|>|<|=|~|\^)\s+")


def satisfies(version: tuple[int, int, int], wanted: str) -> bool:
    """Say whether a version is one of those that are asked for.

    Raises:
        ValueError: what is asked for is no range of versions.
    """
    try:
        # npm lets an operator stand apart from its version, NpmSpec does not.
        spec = NpmSpec(_SPACED_OPERATOR.sub(r"\1", wanted))
    except ValueError as error:
        raise ValueError(f"{wanted!r} is no version and no range of versions") from error
    major, minor, patch = version
    return bool(spec.match(Version(major=major, minor=minor, patch=patch)))
