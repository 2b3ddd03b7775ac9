"""Rule 7: of several runs queued at the same moment one is kept, and each delivery cancels none but its own."""

from __future__ import annotations

import pytest

from ecs_cd.errors import AccessDenied, ServiceUnavailable, UnexpectedAnswer
from ecs_cd.model.events import RunGivenUp, Warned
from ecs_cd.model.run import Run, RunProgress, RunState
from ecs_cd.run.election import CANCELLED_TAG
from ecs_cd.run.states import Basis, CarryingRun, Following, KnownRuns, Queued
from tests.unit.run.support import AT_WORK, WAITS_FOR_A_CHECK, ScriptedAzure, followed, ids, in_state, run

QUEUED = Queued(KnownRuns(), 101)


def colliding(*others: Run | RunProgress, own: RunProgress | None = None) -> ScriptedAzure:
    """Return what a delivery that has just queued run 101 sees when it looks again."""
    mine = own or RunProgress(run(101))
    azure = ScriptedAzure(*others, mine)
    azure.scripts[101].appendleft(mine)
    return azure


def test_own_run_is_kept_where_it_is_the_oldest_that_waits() -> None:
    azure = colliding(run(150))
    state = azure.next_state(QUEUED)
    assert isinstance(state, Following)
    assert (state.run, ids(state.others)) == (CarryingRun(101, Basis.QUEUED), [150])
    assert azure.cancelled == []


def test_own_run_is_tagged_looked_at_and_cancelled_for_an_older_one() -> None:
    azure = colliding(run(50))
    state = azure.next_state(QUEUED)
    assert isinstance(state, Following)
    assert (state.run.id, ids(state.others)) == (50, [101])
    assert azure.calls == ["active", "tag", "run", "cancel"]
    assert (azure.tags, azure.cancelled) == ({101: {CANCELLED_TAG}}, [101])
    assert azure.events == [RunGivenUp(run(101), run(50))]


def test_what_the_service_shows_of_our_own_run_is_what_others_are_compared_with() -> None:
    filled_in = {"environment": "dev", "size": "small"}
    azure = colliding(run(50, template_parameters=filled_in), own=in_state(101, RunState.WAITING))
    assert followed(azure.next_state(QUEUED)) == 101
    azure = colliding(
        run(50, template_parameters=filled_in),
        own=in_state(101, RunState.WAITING, template_parameters=filled_in),
    )
    assert followed(azure.next_state(QUEUED)) == 50


def test_own_run_that_has_started_meanwhile_is_kept_and_untagged() -> None:
    azure = colliding(run(50))
    azure.scripts[101].clear()
    azure.scripts[101].append(in_state(101, RunState.RUNNING, *AT_WORK))
    assert followed(azure.next_state(QUEUED)) == 101
    assert (azure.tags, azure.cancelled) == ({101: set()}, [])


def test_own_run_that_waits_for_a_lock_is_cancelled_all_the_same() -> None:
    azure = colliding(run(50), own=in_state(101, RunState.RUNNING, *WAITS_FOR_A_CHECK))
    assert followed(azure.next_state(QUEUED)) == 50
    assert azure.cancelled == [101]


@pytest.mark.parametrize("state", [RunState.CANCELLING, RunState.CANCELLED])
def test_own_run_that_somebody_else_cancelled_keeps_its_tag(state: RunState) -> None:
    azure = colliding(run(50))
    azure.scripts[101].clear()
    azure.scripts[101].append(in_state(101, state))
    assert followed(azure.next_state(QUEUED)) == 50
    assert (azure.tags, azure.cancelled) == ({101: {CANCELLED_TAG}}, [])


def test_after_runlatest_was_met_nothing_is_cancelled() -> None:
    azure = colliding(run(50), run(150))
    assert followed(azure.next_state(Queued(KnownRuns(prefer_newest=True), 101))) == 150
    assert "tag" not in azure.calls and "cancel" not in azure.calls


def test_own_run_that_is_not_listed_is_followed() -> None:
    azure = colliding(run(50), own=in_state(101, RunState.SUCCEEDED))
    assert followed(azure.next_state(QUEUED)) == 101
    assert azure.cancelled == []


def test_without_the_right_to_tag_both_run_and_a_warning_names_the_missing_right() -> None:
    azure = colliding(run(50))
    azure.fail("tag", AccessDenied("'Ann' may not do this: Edit build quality is missing.", hint="Allow it."))
    assert followed(azure.next_state(QUEUED)) == 50
    assert azure.cancelled == []
    assert isinstance(azure.events[-1], Warned)
    assert "'Ann' may not do this: Edit build quality is missing. Allow it." in azure.events[-1].message


def test_without_the_right_to_cancel_the_tag_is_removed_again() -> None:
    azure = colliding(run(50))
    azure.fail("cancel", AccessDenied("'Ann' may not do this: Stop builds is missing."))
    assert followed(azure.next_state(QUEUED)) == 50
    assert azure.tags == {101: set()}
    assert isinstance(azure.events[-1], Warned)


@pytest.mark.parametrize("method", ["tag", "run", "cancel"])
def test_a_passing_failure_while_cancelling_leaves_the_tag_and_both_run(method: str) -> None:
    azure = colliding(run(50))
    azure.fail(method, ServiceUnavailable("503"))
    assert followed(azure.next_state(QUEUED)) == 50
    assert azure.tags in ({}, {101: {CANCELLED_TAG}})


def test_a_cancel_that_is_refused_because_the_run_has_ended_changes_nothing() -> None:
    azure = colliding(run(50))
    azure.fail("cancel", UnexpectedAnswer("400"))
    azure.scripts[101].clear()
    azure.scripts[101].extend([in_state(101, RunState.WAITING), in_state(101, RunState.CANCELLED)])
    assert followed(azure.next_state(QUEUED)) == 50
    assert azure.tags == {101: {CANCELLED_TAG}}
    assert not any(isinstance(event, Warned) for event in azure.events)
