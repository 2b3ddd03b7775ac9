"""`ecs-cd status`: how everything stands, once, or again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from ecs_cd.cli.frame import Frame, flags, framed
from ecs_cd.cli.history import table
from ecs_cd.cli.wording import command_line_wording
from ecs_cd.console.screen import Screen
from ecs_cd.errors import TryLater, WrongInput
from ecs_cd.messages import worded
from ecs_cd.overview.matrix import PlaceStatus
from ecs_cd.settings.commands import READS
from ecs_cd.support.clock import Clock

Look = Callable[[], Sequence[PlaceStatus]]

_FITS_A_CELL = 30
"""Characters of a problem that stands in its cell; a longer one is told below the matrix."""
_NAMED = 3
"""Places of one problem that are named."""


@click.command(short_help="Show what is recorded and what serves.")
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@click.option("--environment", "environments", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option(
    "--marks/--no-marks", default=None, help="Read which tags are verified or held; by itself up to 30 places."
)
@click.option("--long", "long_", is_flag=True, help="A line for each service in each environment.")
@click.option("--watch", is_flag=True, help="Look again and again, and show what changes, until Ctrl-C.")
@click.option("--every", type=click.IntRange(1, 3600), default=10, show_default=True, help="Seconds between two looks.")
@flags(*READS["status"])
@framed
def status(
    frame: Frame,
    services: tuple[str, ...],
    environments: tuple[str, ...],
    *,
    marks: bool | None,
    long_: bool,
    watch: bool,
    every: int,
    flags: dict[str, Any],
) -> None:
    """Show which tag is recorded and which one ECS serves, of every service in every environment.

    With a token for Azure DevOps, also the run of its pipeline that goes on. A request reads ten parameters; the marks
    (verified, held) cost one for each.
    """
    if watch and frame.output == "json":
        raise WrongInput("--watch shows text, and --output json was asked for.", hint="Leave one of them out.")
    with frame.client() as client:

        def look() -> Sequence[PlaceStatus]:
            return worded(client.status(services, environments, marks=marks, **flags), command_line_wording)

        if not watch:
            found = look()
            frame.print_result([asdict(one) for one in found], shown(found, long=long_))
            return
        with frame.console.screen() as screen:
            watched(look, screen, frame.clock, every, long=long_)


def watched(look: Look, screen: Screen, clock: Clock, every: float, *, long: bool) -> None:
    """Look, show, and wait, until Ctrl-C; an error that may pass by itself is shown and does not end it."""
    before: dict[tuple[str, str], str] = {}
    try:
        while True:
            try:
                found = look()
            except TryLater as error:
                screen.problem(worded(error.message, command_line_wording))
            else:
                now = {(one.service, one.environment): line(one) for one in found}
                changes = [f"{' '.join(place)}: {told}" for place, told in now.items() if before.get(place) != told]
                screen.show(shown(found, long=long), changes)
                before = now
            clock.sleep(every)
    except KeyboardInterrupt:
        return


def shown(found: Sequence[PlaceStatus], *, long: bool) -> str:
    """Return the picture: a matrix of several environments, or a line for each place; and what is not in it."""
    matrix = not long and len({one.environment for one in found}) > 1
    unseen = {one.runs_unseen for one in found if one.runs_unseen}
    notes = [f"Runs are not shown: {why}" for why in sorted(unseen)]
    return "\n".join([_matrix(found), *_problems(found), *notes] if matrix else [_lines(found), *notes])


def line(one: PlaceStatus) -> str:
    """Return all that is to be said of a place, as in a cell of the matrix."""
    words = [one.recorded or "-"]
    if one.held:
        words.append("held")
    elif one.verified is not None:
        words.append("verified" if one.verified else "not verified")
    if one.drift:
        words.append(f"DRIFT: {one.serves} serves")
    elif one.serves and one.rollout not in ("", "completed"):
        words.append(one.rollout)
    if one.serves and one.running != one.desired:
        words.append(f"{one.running}/{one.desired} tasks")
    return ", ".join([*words, *([_run(one)] if one.run else []), *([one.problem] if one.problem else [])])


def _run(one: PlaceStatus) -> str:
    if one.run is None:
        return "-"
    more = f" (and {one.runs - 1} more)" if one.runs > 1 else ""
    return f"run {one.run.name} {one.run.state}{more}"


def _matrix(found: Sequence[PlaceStatus]) -> str:
    environments = list(dict.fromkeys(one.environment for one in found))
    cells = {(one.service, one.environment): line(_shortened(one)) for one in found}
    services = dict.fromkeys(one.service for one in found)
    rows = [(service, *(cells.get((service, name), "") for name in environments)) for service in services]
    return table(("SERVICE", *environments), rows)


def _shortened(one: PlaceStatus) -> PlaceStatus:
    return replace(one, problem="problem") if len(one.problem) > _FITS_A_CELL else one


def _problems(found: Sequence[PlaceStatus]) -> list[str]:
    """Return the problems too long for a cell, each with its places."""
    places: dict[str, list[str]] = {}
    for one in found:
        if len(one.problem) > _FITS_A_CELL:
            places.setdefault(one.problem, []).append(f"{one.service} in {one.environment}")
    return [
        f"{', '.join(these[:_NAMED])}{f' and {len(these) - _NAMED} more' if len(these) > _NAMED else ''}: {problem}"
        for problem, these in places.items()
    ]


def _lines(found: Sequence[PlaceStatus]) -> str:
    head = ["SERVICE", "ENVIRONMENT", "RECORDED", "SERVES", "TASKS", "ROLLOUT"]
    marked, runs = any(one.held is not None for one in found), any(one.run for one in found)
    head += ["MARKS"] if marked else []
    head += ["RUN"] if runs else []
    rows = [
        (
            one.service,
            one.environment,
            one.recorded or "-",
            one.serves or "-",
            f"{one.running}/{one.desired}" if one.serves else "-",
            one.rollout or "-",
            *([_marks(one)] if marked else []),
            *([_run(one)] if runs else []),
            one.problem or ("DRIFT: what serves is not what is recorded" if one.drift else ""),
        )
        for one in found
    ]
    return table((*head, ""), rows)


def _marks(one: PlaceStatus) -> str:
    return ", ".join(word for word, there in (("verified", one.verified), ("held", one.held)) if there) or "-"
