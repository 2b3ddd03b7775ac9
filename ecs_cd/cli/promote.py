"""`ecs-cd promote`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ecs_cd.cli.deliver import check_report_file, end, reported
from ecs_cd.cli.frame import Frame, flags, framed, place
from ecs_cd.settings.commands import READS


@click.command(short_help="Deliver what another environment serves.")
@place
@reported
@click.option("--dry-run", is_flag=True, help="Check everything and say what would be done; change nothing.")
@flags(*READS["promote"])
@framed
def promote(
    frame: Frame, service: str, environment: str, *, report_file: Path | None, dry_run: bool, flags: dict[str, Any]
) -> int:
    """Deliver to ENVIRONMENT the tag of SERVICE that another environment (--from) serves healthily.

    ECS of that environment says which tag it is: the primary deployment's, its rollout completed, all its tasks
    running, for as long as --serving-for says. The image it is delivered from must have the same digest.
    """
    check_report_file(report_file)
    with frame.client() as client, frame.console.following():
        report = client.promote(service, environment, dry_run=dry_run, watch=frame.console.watch, **flags)
    return end(frame, report, report_file)
