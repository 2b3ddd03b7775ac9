"""`ecs-cd pipeline queue` and `ecs-cd pipeline wait`: the single steps."""

from __future__ import annotations

from typing import Any

import click

from ecs_cd.cli.frame import Frame, flags, framed, place
from ecs_cd.model.events import ignore_events
from ecs_cd.model.run import Run
from ecs_cd.settings.commands import READS


@click.group(short_help="Queue and follow runs of Terraform's pipeline.")
def pipeline() -> None:
    """Queue and follow runs of the infrastructure pipeline."""


@pipeline.command("queue")
@place
@click.option("--wait", is_flag=True, help="Follow the run to its end.")
@click.option("--dry-run", is_flag=True, help="Find the pipeline and say what would be queued; queue nothing.")
@flags(*READS["pipeline queue"])
@framed
def queue(frame: Frame, service: str, environment: str, *, wait: bool, dry_run: bool, flags: dict[str, Any]) -> None:
    """Queue a run of the pipeline of SERVICE on the branch of ENVIRONMENT.

    With --pipeline and --branch, any pipeline of the project will do, and neither needs to be named.
    """
    watch = frame.console.watch if wait else ignore_events
    with frame.client() as client, frame.console.following():
        queued = client.steps.queue_run(service, environment, wait=wait, dry_run=dry_run, watch=watch, **flags)
    if queued.run is None:
        found = queued.pipeline
        text = f"Would queue {found.path} (id {found.id}) on {queued.branch}."
        frame.print_result({"pipeline_id": found.id, "branch": queued.branch, "dry_run": True}, text)
        return
    _tell(frame, queued.run)


@pipeline.command("wait")
@click.argument("run_id", type=click.IntRange(1))
@flags(*READS["pipeline wait"])
@framed
def wait_(frame: Frame, run_id: int, *, flags: dict[str, Any]) -> None:
    """Follow the run with the id RUN_ID to its end."""
    with frame.client() as client, frame.console.following():
        run = client.steps.follow_run(run_id, watch=frame.console.watch, **flags)
    _tell(frame, run)


def _tell(frame: Frame, run: Run) -> None:
    told = {"id": run.id, "name": run.name, "url": run.url, "state": run.state.value, "branch": run.branch}
    frame.print_result(told, f"Run {run.name} (id {run.id}) {run.state.value}: {run.url}")
