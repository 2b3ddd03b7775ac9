"""`ecs-cd history`, and tables of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from ecs_cd.cli.frame import Frame, flags, framed, place
from ecs_cd.model.labels import LABEL_PREFIX
from ecs_cd.overview.history import HistoryEntry
from ecs_cd.settings.commands import READS


@click.command(short_help="Show which tags were recorded, when, by whom.")
@place
@click.option("--most", type=click.IntRange(1, 100), default=20, show_default=True, help="How many versions.")
@flags(*READS["history"])
@framed
def history(frame: Frame, service: str, environment: str, most: int, *, flags: dict[str, Any]) -> None:
    """Show which tags the parameter of SERVICE in ENVIRONMENT held, since when, and who wrote them in which run.

    Marks: verified (ECS was seen to serve it), verified before, held (nothing else is delivered), left (by the rollback
    that made the hold), floor (nothing before it is restored).
    """
    with frame.client() as client:
        found = client.history(service, environment, most=most, **flags)
    rows = [(str(v.version), v.tag, v.modified_at, v.who, v.run, _marks(v)) for v in found]
    frame.print_result([asdict(one) for one in found], table(("VERSION", "TAG", "WRITTEN", "BY", "RUN", "MARKS"), rows))


def _marks(entry: HistoryEntry) -> str:
    """Return what our marks mean, and the labels of others."""
    return ", ".join((*entry.marks, *(label for label in entry.labels if not label.startswith(LABEL_PREFIX))))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under a head, in columns as wide as they need to be."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
