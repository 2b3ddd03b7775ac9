"""`ecs-cd status` and `ecs-cd history`: commands that only look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from ecs_cd import library
from ecs_cd.cli.frame import Frame, flags, framed, place
from ecs_cd.marks import OURS
from ecs_cd.settings.options import AWS, ROLLOUT
from ecs_cd.standing import HistoryEntry, PlaceStatus


@click.command(short_help="Show what is recorded and what serves.")
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@click.option("--environment", "environments", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@flags("parameter", "repository", *ROLLOUT, *AWS)
@framed
def status(frame: Frame, services: tuple[str, ...], environments: tuple[str, ...], *, flags: dict[str, Any]) -> None:
    """Show which tag is recorded and which one ECS serves, of every service in every environment."""
    found = library.status(services, environments, settings=frame.settings_file, **flags)
    frame.tell([asdict(one) for one in found], _status_table(found))


@click.command(short_help="Show which tags were recorded, when, by whom.")
@place
@click.option("--most", type=click.IntRange(1, 100), default=20, show_default=True, help="How many versions.")
@flags("parameter", *AWS)
@framed
def history(frame: Frame, service: str, environment: str, most: int, *, flags: dict[str, Any]) -> None:
    """Show which tags the parameter of SERVICE in ENVIRONMENT held, since when, and who wrote them in which run.

    Marks: verified (ECS was seen to serve it), verified before, held (nothing else is delivered), left (by the rollback
    that made the hold), floor (nothing before it is restored).
    """
    found = library.history(service, environment, most=most, settings=frame.settings_file, **flags)
    rows = [(str(v.version), v.tag, v.modified_at, v.who, v.run, _marks(v)) for v in found]
    frame.tell([asdict(one) for one in found], table(("VERSION", "TAG", "WRITTEN", "BY", "RUN", "MARKS"), rows))


def _marks(entry: HistoryEntry) -> str:
    """Return what our marks mean, and the labels of others."""
    return ", ".join((*entry.marks, *(label for label in entry.labels if not label.startswith(OURS))))


def _status_table(found: Sequence[PlaceStatus]) -> str:
    rows = [
        (
            one.service,
            one.environment,
            one.recorded or "-",
            one.serves or "-",
            f"{one.running}/{one.desired}" if one.serves else "-",
            one.rollout or "-",
            one.problem or ("DRIFT: what serves is not what is recorded" if one.drift else ""),
        )
        for one in found
    ]
    return table(("SERVICE", "ENVIRONMENT", "RECORDED", "SERVES", "TASKS", "ROLLOUT", ""), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under a head, in columns as wide as they need to be."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
