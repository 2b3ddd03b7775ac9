"""`ecs-cd rollback`, `ecs-cd hold` and `ecs-cd unhold`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ecs_cd.cli.deliver import check_report_file, end, reported
from ecs_cd.cli.frame import Frame, flags, framed, place
from ecs_cd.settings.commands import READS

_dry_run = click.option("--dry-run", is_flag=True, help="Check everything and say what would be done; change nothing.")


@click.command(short_help="Go back to the version verified last, and hold it.")
@place
@click.option("--to", metavar="TAG", help="The tag to go back to, instead of the one verified last.")
@reported
@_dry_run
@flags(*READS["rollback"])
@framed
def rollback(
    frame: Frame,
    service: str,
    environment: str,
    *,
    to: str | None,
    report_file: Path | None,
    dry_run: bool,
    flags: dict[str, Any],
) -> int:
    """Take SERVICE in ENVIRONMENT back to the version that was verified last, and hold it there.

    It goes the same way as a delivery: image, parameter, run, rollout. No delivery writes over it until
    `ecs-cd unhold`. The same command again finishes a rollback that was interrupted.
    """
    check_report_file(report_file)
    with frame.client() as client, frame.console.following():
        report = client.rollback(service, environment, to=to, dry_run=dry_run, watch=frame.console.watch, **flags)
    return end(frame, report, report_file)


@click.command(short_help="Let no delivery change what is recorded.")
@place
@_dry_run
@flags(*READS["hold"])
@framed
def hold(frame: Frame, service: str, environment: str, *, dry_run: bool, flags: dict[str, Any]) -> None:
    """Hold SERVICE in ENVIRONMENT at the tag it has: no delivery writes over it until `ecs-cd unhold`."""
    with frame.client() as client:
        found = client.hold(service, environment, dry_run=dry_run, **flags)
    frame.print_result(asdict(found), found.to_text())


@click.command(short_help="Let deliveries go on after a rollback or a hold.")
@place
@_dry_run
@flags(*READS["hold"])
@framed
def unhold(frame: Frame, service: str, environment: str, *, dry_run: bool, flags: dict[str, Any]) -> None:
    """Lift the hold on SERVICE in ENVIRONMENT. What is recorded stays until the next delivery.

    What a rollback that died has left is lifted, too.
    """
    with frame.client() as client:
        found = client.unhold(service, environment, dry_run=dry_run, **flags)
    frame.print_result(asdict(found), found.to_text())
