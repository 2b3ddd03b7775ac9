"""`ecs-cd parameter get` and `ecs-cd parameter set`: the single step."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from ecs_cd import client, wiring
from ecs_cd.cli.deliver import tagged
from ecs_cd.cli.frame import Frame, flags, framed, place
from ecs_cd.delivery.single_steps import record_only
from ecs_cd.parameter.record import describe_change, read_parameter
from ecs_cd.settings.commands import READS
from ecs_cd.support.deadline import Deadline


@click.group(short_help="Read and set the parameter that holds the tag.")
def parameter() -> None:
    """Read and set the parameter that holds a service's tag."""


@parameter.command("get")
@place
@flags(*READS["parameter get"])
@framed
def get(frame: Frame, service: str, environment: str, *, flags: dict[str, Any]) -> None:
    """Print the tag recorded for SERVICE in ENVIRONMENT."""
    settings = frame.resolve(service, environment, flags, steps=["parameter"])
    with wiring.aws(settings) as aws:
        found = read_parameter(aws.parameters, settings.parameter)
    frame.tell({"name": found.name, "value": found.value, "version": found.version}, found.value)


@parameter.command("set")
@place
@tagged
@click.option("--dry-run", is_flag=True, help="Say what would be written; write nothing.")
@flags(*READS["parameter set"])
@framed
def set_(
    frame: Frame, service: str, environment: str, tag: str, tag_file: str, *, dry_run: bool, flags: dict[str, Any]
) -> None:
    """Record a tag for SERVICE in ENVIRONMENT, unless a newer one is there or it is held; queue nothing.

    To step back on purpose, say --order none; to stay there, too, use `ecs-cd rollback --to`.
    """
    settings = frame.resolve(service, environment, flags, steps=["image", "parameter"])
    entry = client.find_tag(settings.service, tag, tag_file)
    wanted = wiring.delivery(settings, entry, dry_run=dry_run)
    with wiring.aws(settings) as aws:
        deadline = Deadline.after(settings.timeout, frame.clock)
        _, change = record_only(wanted, aws.images, aws.parameters, deadline=deadline)
    told = {**asdict(change), "wanted": str(change.wanted), "recorded": change.recorded.value}
    del told["marks"]
    frame.tell(told, describe_change(change))
