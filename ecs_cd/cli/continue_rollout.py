"""`ecs-cd continue`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from ecs_cd.cli.frame import Frame, flags, framed, place
from ecs_cd.settings.commands import READS


@click.command("continue", short_help="Let a deployment that waits at a PAUSE hook go on.")
@place
@click.option("--rollback", is_flag=True, help="Have ECS roll the deployment back instead.")
@click.option("--dry-run", is_flag=True, help="Say what waits; answer nothing.")
@flags(*READS["continue"])
@framed
def continue_rollout(
    frame: Frame, service: str, environment: str, *, rollback: bool, dry_run: bool, flags: dict[str, Any]
) -> None:
    """Let the deployment of SERVICE in ENVIRONMENT go on, which waits for somebody at a PAUSE hook of ECS.

    What comes of it is not waited for: `ecs-cd verify` does that, and a delivery that follows the rollout goes on.
    """
    with frame.client() as client:
        found = client.continue_rollout(service, environment, roll_back=rollback, dry_run=dry_run, **flags)
    frame.print_result(asdict(found), found.to_text())
