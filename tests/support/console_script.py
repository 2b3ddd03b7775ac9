"""A delivery as its events, and a console that keeps what it prints: what the tests of the console share."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

from ecs_cd.console import Console, Mode, Output
from ecs_cd.model.events import Event, Phase, PhaseEnded, PhaseStarted, RolloutChanged, RunChanged, Warned
from ecs_cd.model.run import Run, RunProgress, RunState, TimelineRecord
from ecs_cd.model.service import (
    Deployment,
    ServiceEvent,
    ServiceSnapshot,
    ServiceTarget,
    Serving,
    TaskDefinition,
    Verdict,
)
from tests.support.fakes import FakeClock

URL = "https://dev.azure.com/acme/platform/_build/results?buildId=4711"
MADE = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
"""When ECS made the deployment of the script."""


class Screen:
    """A console over two streams, on a clock that each event moves by a second."""

    def __init__(
        self,
        mode: Mode,
        *,
        secrets: Sequence[str] = (),
        output: Output = "text",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.out = io.StringIO()
        self.err = io.StringIO()
        self.clock = FakeClock()
        self.console = Console(
            out=self.out,
            err=self.err,
            mode=mode,
            clock=self.clock,
            environ=environ or {},
            secrets=secrets,
            output=output,
        )

    def play(self, *events: Event) -> None:
        for event in events:
            self.clock.advance(1)
            self.console.watch(event)

    @property
    def lines(self) -> list[str]:
        return self.err.getvalue().splitlines()


def run(state: RunState, *records: TimelineRecord, run_id: int = 4711) -> RunChanged:
    return RunChanged(RunProgress(Run(run_id, "20261123.4", URL, state, 7), records))


def stage(state: str, result: str = "", name: str = "Terraform") -> TimelineRecord:
    return TimelineRecord("stage", "", "Stage", name, state, result, 1)


def job(state: str, result: str = "", name: str = "Apply") -> TimelineRecord:
    return TimelineRecord("job", "phase", "Job", name, state, result, 1)


def phase() -> TimelineRecord:
    return TimelineRecord("phase", "stage", "Phase", "Apply", "inProgress", order=1)


def task(number: int, name: str, state: str, result: str = "") -> TimelineRecord:
    return TimelineRecord(f"task{number}", "job", "Task", name, state, result, number)


def event(number: int, message: str, *, after: float = 0) -> ServiceEvent:
    return ServiceEvent(f"event{number}", MADE + timedelta(seconds=after), message)


def rollout(
    running: int, serving: Serving, sentence: str, *events: ServiceEvent, desired: int = 2, made: datetime | None = MADE
) -> RolloutChanged:
    deployment = Deployment(
        "ecs-svc/1",
        "PRIMARY",
        TaskDefinition("arn:aws:ecs:eu-west-1:123456789012:task-definition/my-api:3", ()),
        desired=desired,
        running=running,
        created_at=made,
    )
    snapshot = ServiceSnapshot(
        ServiceTarget("development", "my-api"), "ACTIVE", desired, running, deployments=(deployment,), events=events
    )
    return RolloutChanged(snapshot, Verdict(serving, sentence, "my-api:102", deployment))


STARTED = event(1, "(service my-api) has started 2 tasks.", after=1)
STEADY = event(2, "(service my-api) has reached a steady state.", after=60)
OLD = event(0, "(service my-api) deregistered 1 targets.", after=-3600)

BEFORE_RUN: tuple[Event, ...] = (
    PhaseStarted(Phase.CHECK, "checking that 102 can be delivered"),
    PhaseEnded(Phase.CHECK, "image found, pipeline \\platform\\my-infrastructure."),
    PhaseStarted(Phase.PARAMETER, "recording 102 in /my-api/development/docker-image-tag"),
    PhaseEnded(Phase.PARAMETER, "/my-api/development/docker-image-tag changed from 101 to 102 (version 3)."),
    PhaseStarted(Phase.RUN, "queueing \\platform\\my-infrastructure"),
)
RUNNING: tuple[Event, ...] = (
    run(RunState.WAITING),
    run(RunState.RUNNING, stage("inProgress"), phase(), job("pending")),
    run(
        RunState.RUNNING,
        stage("inProgress"),
        phase(),
        job("inProgress"),
        task(1, "Terraform plan", "inProgress"),
        task(2, "Terraform apply", "pending"),
    ),
    run(
        RunState.RUNNING,
        stage("inProgress"),
        phase(),
        job("inProgress"),
        task(1, "Terraform plan", "completed", "succeeded"),
        task(2, "Terraform apply", "inProgress"),
    ),
)
RUN_SUCCEEDED: tuple[Event, ...] = (
    run(
        RunState.SUCCEEDED,
        stage("completed", "succeeded"),
        phase(),
        job("completed", "succeeded"),
        task(1, "Terraform plan", "completed", "succeeded"),
        task(2, "Terraform apply", "completed", "succeeded"),
    ),
    PhaseEnded(Phase.RUN, "Run 20261123.4 of \\platform\\my-infrastructure succeeded."),
)
RUN_FAILED = run(
    RunState.FAILED,
    stage("completed", "failed"),
    phase(),
    job("completed", "failed"),
    task(1, "Terraform plan", "completed", "failed"),
    task(2, "Terraform apply", "completed", "skipped"),
)
ROLLING: tuple[Event, ...] = (
    PhaseStarted(Phase.ROLLOUT, "waiting for ECS service my-api"),
    rollout(0, Serving.ROLLING, "0 of 2 tasks run, 2 are starting.", STARTED, OLD),
    rollout(1, Serving.ROLLING, "1 of 2 tasks run, 1 are starting.", STARTED, OLD),
)
ROLLED: tuple[Event, ...] = (
    rollout(2, Serving.DEPLOYED, "2 of 2 tasks serve it.", STEADY, STARTED, OLD),
    PhaseEnded(Phase.ROLLOUT, "2 of 2 tasks serve it."),
)
DELIVERY: tuple[Event, ...] = (
    *BEFORE_RUN,
    *RUNNING,
    *RUN_SUCCEEDED,
    Warned("Run 20261123.4 took long."),
    *ROLLING,
    *ROLLED,
)
