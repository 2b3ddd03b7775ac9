"""A run that changed nothing here: tried once more, unless the run itself shows why (rule 10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ecs_cd.model.run import Run, RunProgress, RunState, TimelineRecord
from ecs_cd.report.facts import Outcome
from tests.support.deliveries import vary
from tests.unit.delivery.test_deploy import NAME, World, serving


@pytest.fixture
def world() -> World:
    return World()


def test_a_joined_run_that_changed_nothing_here_is_no_failure_before_another_one_has_been_tried(world: World) -> None:
    """It may have been queued to plan only, by a condition that no list of runs shows."""
    joined = Run(5, "20260101.5", "https://dev/5", RunState.WAITING, 7)
    world.pipelines.listed.append(joined)
    world.pipelines.play(RunProgress(joined), RunProgress(replace(joined, state=RunState.SUCCEEDED)))
    world.pipelines.meanwhile("active", lambda: None, world.pipelines.listed.clear)
    world.pipelines.meanwhile("queue", lambda: world.services.play(serving("101"), serving("102")))
    world.services.play(serving("101"))
    report = world.deploy()
    assert report.outcome is Outcome.DEPLOYED
    assert world.changed == ["write", "queue"]
    assert "trying another one" in report.warnings[0]


def test_a_second_joined_run_that_changed_nothing_is_the_failure(world: World) -> None:
    for number in (5, 6):
        joined = Run(number, f"20260101.{number}", f"https://dev/{number}", RunState.WAITING, 7)
        world.pipelines.play(RunProgress(joined), RunProgress(replace(joined, state=RunState.SUCCEEDED)))

    def list_only(*numbers: int) -> Callable[[], None]:
        runs = [Run(number, f"20260101.{number}", "", RunState.WAITING, 7) for number in numbers]
        return lambda: world.pipelines.listed.__setitem__(slice(None), runs)

    world.pipelines.meanwhile("active", list_only(5), list_only(6), list_only())
    world.services.play(serving("101"))
    report = world.deploy()
    assert report.failure and report.failure.reason == "not-applied"
    assert report.run and (report.run.id, report.run.origin) == (6, "joined")
    assert world.changed == ["write"]


def test_a_run_of_our_own_that_changed_nothing_is_tried_once_more_and_then_the_failure(world: World) -> None:
    """Terraform may have read the parameter before the new version could be read everywhere."""
    world.services.play(serving("101"))
    report = world.deploy()
    assert report.failure and report.failure.reason == "not-applied"
    assert world.changed == ["write", "queue", "queue"]
    assert [warning for warning in report.warnings if "trying another one" in warning]


STAGE_SKIPPED = TimelineRecord("s", "", "Stage", "Apply", "completed", "skipped")


def test_a_run_of_our_own_that_skipped_its_stage_is_the_failure_at_once_and_the_stage_its_explanation(
    world: World,
) -> None:
    run = Run(101, "20260101.101", "https://dev/101", RunState.WAITING, 7)
    world.pipelines.play(RunProgress(run), RunProgress(replace(run, state=RunState.SUCCEEDED), (STAGE_SKIPPED,)))
    world.services.play(serving("101"))
    report = world.deploy()
    assert report.failure and report.failure.reason == "not-applied"
    assert report.failure.hint.startswith("Run 20260101.101 succeeded, but skipped its stage 'Apply'.")
    assert "ignore_changes" not in report.failure.hint
    assert report.failure.link == "https://dev/101"
    assert world.changed == ["write", "queue"]


def test_a_joined_run_that_skipped_its_stage_at_last_is_no_failure_before_another_one_has_been_tried(
    world: World,
) -> None:
    joined = Run(5, "20260101.5", "https://dev/5", RunState.WAITING, 7)
    world.pipelines.listed.append(joined)
    world.pipelines.play(RunProgress(joined), RunProgress(replace(joined, state=RunState.SUCCEEDED), (STAGE_SKIPPED,)))
    world.pipelines.meanwhile("active", lambda: None, world.pipelines.listed.clear)
    world.pipelines.meanwhile("queue", lambda: world.services.play(serving("101"), serving("102")))
    world.services.play(serving("101"))
    assert world.deploy().outcome is Outcome.DEPLOYED
    assert world.changed == ["write", "queue"]


@pytest.mark.parametrize("joined", [False, True])
def test_an_approval_that_was_not_given_is_not_asked_for_again(world: World, *, joined: bool) -> None:
    number = 5 if joined else 101
    run = Run(number, f"20260101.{number}", f"https://dev/{number}", RunState.WAITING, 7)
    checkpoint = TimelineRecord("c", "s", "Checkpoint", "Checkpoint", "completed", "skipped")
    approval = TimelineRecord("a", "c", "Checkpoint.Approval", "Checkpoint.Approval", "completed", "skipped")
    ended = RunProgress(replace(run, state=RunState.SUCCEEDED), (STAGE_SKIPPED, checkpoint, approval))
    world.pipelines.play(RunProgress(run), ended)
    world.pipelines.listed += [run] if joined else []
    world.services.play(serving("101"))
    report = world.deploy()
    assert report.failure and "its approval was not given" in report.failure.hint
    assert world.changed == (["write"] if joined else ["write", "queue"])


def test_a_second_run_of_our_own_may_bring_what_the_first_one_did_not_read(world: World) -> None:
    world.services.play(serving("101"))
    world.pipelines.meanwhile("queue", lambda: None, lambda: world.services.play(serving("101"), serving("102")))
    assert world.deploy().outcome is Outcome.DEPLOYED
    assert world.changed == ["write", "queue", "queue"]


def test_a_rollback_from_before_the_run_is_not_that_of_a_tag_that_was_never_applied(world: World) -> None:
    """Where ECS's records cannot be seen, the reason of the deployment that was put back is all there is."""
    put_back = replace(serving("101").deployments[0], rollout_reason="ECS circuit breaker: rolling back to ecs-svc/1.")
    world.services.play(replace(serving("101"), deployments=(put_back,)))
    report = world.deploy()
    assert report.failure and report.failure.reason == "not-applied"
    assert report.summary.endswith("The service runs r.io/my-api:101.")


def test_where_nothing_judges_a_run_that_shows_nothing_of_itself_is_no_success(world: World) -> None:
    run = Run(101, "20260101.101", "https://dev/101", RunState.WAITING, 7)
    world.pipelines.play(RunProgress(run), RunProgress(replace(run, state=RunState.SUCCEEDED)))
    report = world.deploy(vary(world.delivery(), target=None))
    assert report.failure and report.failure.reason == "not-applied"
    assert "shows nothing of what was carried out" in report.failure.message


def test_a_newer_image_that_failed_does_not_roll_the_recorded_tag_back(world: World) -> None:
    world.services.play(serving("101"))
    assert world.deploy(world.delivery("101")).outcome is Outcome.UNCHANGED  # and 101 is verified now
    world.services.play(serving("101"), serving("103", "FAILED", "No luck."))
    report = world.deploy(vary(world.delivery(), rollback_on_failure=True))
    assert report.failure and report.failure.reason == "rollout-failed"
    assert report.hold is None
    assert world.parameters.values(NAME) == ["101", "102"]
