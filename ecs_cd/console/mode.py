"""How progress is shown, chosen from where it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Mode(str, Enum):
    """A way to show progress."""

    LIVE = "live"
    LINES = "lines"
    AZURE = "azure"
    QUIET = "quiet"


def choose_mode(environ: Mapping[str, str], *, terminal: bool, quiet: bool = False) -> Mode:
    """Return the mode for a stderr that is a `terminal` or not.

    An Azure Pipelines agent sets TF_BUILD; a terminal that calls itself dumb cannot be drawn on.
    """
    if quiet:
        return Mode.QUIET
    if environ.get("TF_BUILD"):
        return Mode.AZURE
    return Mode.LIVE if terminal and environ.get("TERM", "").lower() not in ("dumb", "unknown") else Mode.LINES


def use_colour(environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Return whether colours may be used: NO_COLOR and FORCE_COLOR (no-color.org, force-color.org) say it first."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return terminal and environ.get("TERM", "").lower() not in ("dumb", "unknown")
