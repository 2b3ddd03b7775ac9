"""`ecs-cd pipeline queue` and `ecs-cd pipeline wait`: the single steps."""

from __future__ import annotations

from typing import Any

import click

from ecs_cd import wiring
from ecs_cd.azure_devops import AzureDevOps
from ecs_cd.cli.frame import Frame, flags, framed, place
from ecs_cd.model.events import RunChanged
from ecs_cd.model.run import Run, RunRequest
from ecs_cd.run.follow import follow_run
from ecs_cd.run.pipelines import resolve_pipeline
from ecs_cd.settings import DeliverySettings
from ecs_cd.settings.commands import READS
from ecs_cd.support.deadline import Deadline


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
    if flags["pipeline"] and flags["branch"] and not service:
        settings = frame.settings().resolve_project(steps=["pipeline"], **flags)
    else:
        settings = frame.resolve(service, environment, flags, steps=["pipeline"])
    with wiring.azure_devops(settings, frame.clock) as pipelines:
        found = resolve_pipeline(pipelines, str(settings.pipeline))
        if dry_run:
            text = f"Would queue {found.path} (id {found.id}) on {settings.branch}."
            frame.tell({"pipeline_id": found.id, "branch": settings.branch, "dry_run": True}, text)
            return
        run = pipelines.queue(RunRequest(found, settings.branch, settings.template_parameters, settings.variables))
        if wait:
            run = _followed(frame, pipelines, run, settings)
    _tell(frame, run)


@pipeline.command("wait")
@click.argument("run_id", type=click.IntRange(1))
@flags(*READS["pipeline wait"])
@framed
def wait_(frame: Frame, run_id: int, *, flags: dict[str, Any]) -> None:
    """Follow the run with the id RUN_ID to its end."""
    settings = frame.settings().resolve_project(**flags)
    with wiring.azure_devops(settings, frame.clock) as pipelines:
        _tell(frame, _followed(frame, pipelines, pipelines.run(run_id), settings))


def _followed(frame: Frame, pipelines: AzureDevOps, run: Run, settings: DeliverySettings) -> Run:
    deadline = Deadline.after(settings.timeout, frame.clock)
    with frame.console.following(f"run {run.name}", deadline):
        finished = follow_run(
            pipelines, run, deadline=deadline, watch=lambda progress: frame.console.watch(RunChanged(progress))
        )
    return finished.run or run


def _tell(frame: Frame, run: Run) -> None:
    told = {"id": run.id, "name": run.name, "url": run.url, "state": run.state.value, "branch": run.branch}
    frame.tell(told, f"Run {run.name} (id {run.id}) {run.state.value}: {run.url}")
