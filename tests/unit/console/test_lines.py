"""Progress in a log file: one line per change, never the same twice."""

from __future__ import annotations

from dataclasses import replace

from ecs_cd.console import Mode
from ecs_cd.model.events import Phase, PhaseEnded, PhaseStarted, RunChanged
from ecs_cd.model.run import RunState, TimelineRecord
from ecs_cd.model.service import Serving
from tests.support.console_script import (
    DELIVERY,
    OLD,
    RUN_FAILED,
    STARTED,
    STEADY,
    URL,
    Screen,
    job,
    rollout,
    run,
    stage,
    task,
)


def said(screen: Screen) -> list[str]:
    """The lines without their time stamps."""
    return [line.partition("  ")[2] for line in screen.lines]


def test_a_delivery_reads_as_one_line_per_change() -> None:
    screen = Screen(Mode.LINES)
    screen.play(*DELIVERY)
    assert said(screen) == [
        "check      checking that 102 can be delivered",
        "check      image found, pipeline \\platform\\my-infrastructure.",
        "parameter  recording 102 in /my-api/development/docker-image-tag",
        "parameter  /my-api/development/docker-image-tag changed from 101 to 102 (version 3).",
        "run        queueing \\platform\\my-infrastructure",
        f"run        20261123.4 waits for an agent  {URL}",
        "run        20261123.4 is running",
        "run        stage 'Terraform' started",
        "run        job 'Apply' started",
        "run        task 'Terraform plan' started",
        "run        task 'Terraform plan' succeeded",
        "run        task 'Terraform apply' started",
        "run        task 'Terraform apply' succeeded",
        "run        job 'Apply' succeeded",
        "run        stage 'Terraform' succeeded",
        "run        Run 20261123.4 of \\platform\\my-infrastructure succeeded.",
        "warning    Run 20261123.4 took long.",
        "rollout    waiting for ECS service my-api",
        "rollout    0 of 2 tasks run, 2 are starting.",
        "rollout    event: (service my-api) has started 2 tasks.",
        "rollout    1 of 2 tasks run, 1 are starting.",
        "rollout    2 of 2 tasks serve it.",
        "rollout    event: (service my-api) has reached a steady state.",
    ]
    assert screen.out.getvalue() == ""


def test_each_line_begins_with_the_clocks_time() -> None:
    screen = Screen(Mode.LINES)
    stamps = []
    for happens in DELIVERY[:2]:
        screen.play(happens)
        stamps.append(f"{screen.clock.utc():%H:%M:%S}")
    assert [line.partition("  ")[0] for line in screen.lines] == stamps
    assert stamps[0] != stamps[1]


def test_what_did_not_change_is_not_said_again() -> None:
    screen = Screen(Mode.LINES)
    screen.play(*DELIVERY)
    before = len(screen.lines)
    screen.play(DELIVERY[-2], DELIVERY[-4], DELIVERY[-2])
    assert said(screen)[before:] == [
        "rollout    0 of 2 tasks run, 2 are starting.",
        "rollout    2 of 2 tasks serve it.",
    ]


def test_a_failed_run_says_so_and_a_second_run_is_told_from_its_start() -> None:
    screen = Screen(Mode.LINES)
    screen.play(RUN_FAILED, run(RunState.WAITING, run_id=4712), run(RunState.WAITING, run_id=4712))
    assert said(screen) == [
        f"run        20261123.4 failed  {URL}",
        "run        task 'Terraform plan' failed",
        "run        task 'Terraform apply' was skipped",
        "run        job 'Apply' failed",
        "run        stage 'Terraform' failed",
        f"run        20261123.4 waits for an agent  {URL}",
    ]


def test_a_phase_that_begins_again_is_told_again() -> None:
    screen = Screen(Mode.LINES)
    again = (PhaseStarted(Phase.PARAMETER, "recording 102"), PhaseEnded(Phase.PARAMETER, "recorded."))
    screen.play(*again, *again)
    assert said(screen) == ["parameter  recording 102", "parameter  recorded."] * 2


def test_only_events_since_the_deployment_was_made_are_told_oldest_first() -> None:
    screen = Screen(Mode.LINES)
    screen.play(rollout(2, Serving.DEPLOYED, "served.", STEADY, STARTED, OLD))
    assert said(screen)[1:] == [f"rollout    event: {STARTED.message}", f"rollout    event: {STEADY.message}"]


def test_events_there_at_first_sight_are_no_news_where_the_deployment_is_not_ours() -> None:
    screen = Screen(Mode.LINES)
    screen.play(
        rollout(2, Serving.NOT_APPLIED, "still 101.", STARTED, OLD),
        rollout(2, Serving.NOT_APPLIED, "still 101.", STEADY, STARTED, OLD),
    )
    assert said(screen) == ["rollout    still 101.", f"rollout    event: {STEADY.message}"]


def test_an_approval_that_holds_a_stage_back_is_told() -> None:
    screen = Screen(Mode.LINES)
    checkpoint = TimelineRecord("c", "stage", "Checkpoint", "Checkpoint", "inProgress")
    approval = TimelineRecord("a", "c", "Checkpoint.Approval", "Checkpoint.Approval", "inProgress")
    held = run(RunState.RUNNING, stage("pending"), checkpoint, approval)
    screen.play(held, held, run(RunState.RUNNING, stage("pending"), checkpoint, replace(approval, state="completed")))
    assert said(screen)[1:] == [
        "run        stage 'Terraform' waits for an approval",
        "run        stage 'Terraform' waits for a check",
    ]


def test_the_unnamed_stage_and_job_of_a_short_pipeline_are_not_shown() -> None:
    screen = Screen(Mode.LINES)
    screen.play(
        run(
            RunState.RUNNING,
            stage("inProgress", name="__default"),
            job("inProgress", name="__default"),
            task(1, "Plan", "inProgress"),
        )
    )
    assert said(screen)[1:] == ["run        task 'Plan' started"]


def test_a_timeline_whose_parents_go_round_in_a_circle_is_still_shown() -> None:
    screen = Screen(Mode.LINES)
    one = TimelineRecord("1", "2", "Job", "one", "inProgress")
    two = TimelineRecord("2", "1", "Stage", "two", "inProgress")
    own = TimelineRecord("3", "3", "Task", "three", "inProgress")
    progress = run(RunState.RUNNING, one, two, own)
    assert isinstance(progress, RunChanged)
    screen.play(progress)
    assert sorted(said(screen)[1:]) == [
        "run        job 'one' started",
        "run        stage 'two' started",
        "run        task 'three' started",
    ]


def test_quiet_shows_no_progress() -> None:
    screen = Screen(Mode.QUIET)
    screen.play(*DELIVERY)
    assert screen.lines == []
