"""A report as people read it: the first line says how it ended, the others why, each group under its label."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_cd.report.facts import Outcome
from ecs_cd.sanitize import sanitize

ERROR = "error: "
"""What every failure begins with, wherever it is printed."""

Group = tuple[str, tuple[str, ...]]
"""A label, and the sentences under it; without any, the label is left out."""


def mark(outcome: Outcome) -> str:
    """Return what the first line begins with."""
    if not outcome.succeeded:
        return ERROR
    return "HELD  " if outcome is Outcome.HELD else "OK  "


def labelled_text(headline: str, groups: Sequence[Group]) -> str:
    """Return the first line and the groups below it, their labels aligned; sanitized, with a line feed at its end.

    Without a headline there are the groups alone.
    """
    lines = [headline.replace("\n", "\n  ")] if headline else []
    for label, sentences in groups:
        broken = [line for sentence in sentences for line in sentence.splitlines()]
        lines += [f"  {label if at == 0 else '':<9} {line}" for at, line in enumerate(broken)]
    return sanitize("\n".join(lines)) + "\n"
