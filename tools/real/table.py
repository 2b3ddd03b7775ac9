"""The table that is printed: what was expected and what was found, one block of lines for each fact."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_cd.sanitize import single_line
from tools.real.facts import Row, Verdict

_MOST_CHARACTERS = 400


def to_text(rows: Sequence[Row]) -> str:
    """Return the table and its totals. What the services answered is untrusted, and cut where nobody reads on."""
    width = max((len(row.fact.name) for row in rows), default=0)
    lines = []
    for row in rows:
        lines.append(f"{row.fact.name:<{width}}  {row.verdict.value}")
        lines.append(f"{'':<{width}}  expected  {row.fact.expected}")
        lines.append(f"{'':<{width}}  found     {single_line(row.found[:_MOST_CHARACTERS])}")
    totals = ", ".join(f"{sum(row.verdict is each for row in rows)} {each.value}" for each in Verdict)
    return "\n".join([*lines, "", totals])
