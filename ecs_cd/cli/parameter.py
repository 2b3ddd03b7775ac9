"""`ecs-cd parameter get` and `ecs-cd parameter set`: the single step."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from ecs_cd.cli.deliver import tagged
from ecs_cd.cli.frame import Frame, flags, framed, place
from ecs_cd.parameter.record import describe_change
from ecs_cd.settings.commands import READS


@click.group(short_help="Read and set the parameter that holds the tag.")
def parameter() -> None:
    """Read and set the parameter that holds a service's tag."""


@parameter.command("get")
@place
@flags(*READS["parameter get"])
@framed
def get(frame: Frame, service: str, environment: str, *, flags: dict[str, Any]) -> None:
    """Print the tag recorded for SERVICE in ENVIRONMENT."""
    with frame.client() as client:
        found = client.steps.get_parameter(service, environment, **flags)
    frame.print_result({"name": found.name, "value": found.value, "version": found.version}, found.value)


@parameter.command("set")
@place
@tagged
@click.option("--dry-run", is_flag=True, help="Say what would be written; write nothing.")
@flags(*READS["parameter set"])
@framed
def set_(
    frame: Frame,
    service: str,
    environment: str,
    *,
    tag: str | None,
    tag_file: str,
    dry_run: bool,
    flags: dict[str, Any],
) -> None:
    """Record a tag for SERVICE in ENVIRONMENT, unless a newer one is there or it is held; queue nothing.

    To step back on purpose, say --order none; to stay there, too, use `ecs-cd rollback --to`.
    """
    with frame.client() as client:
        _, change = client.steps.set_parameter(
            service, environment, tag=tag, tag_file=tag_file, dry_run=dry_run, **flags
        )
    told = {**asdict(change), "wanted": str(change.wanted), "recorded": change.recorded.value}
    del told["marks"]
    frame.print_result(told, describe_change(change))
