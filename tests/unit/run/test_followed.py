"""Rules 8 and 9: what a delivery makes of the end of the run it follows, and which run it goes on with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd.errors import RunCancelled, RunFailed
from ecs_cd.model.events import RunLeft, Warned
from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, RunOrigin, RunProgress, RunState
from ecs_cd.run.states import (
    Basis,
    CarryingRun,
    Done,
    Following,
    Hesitating,
    KnownRuns,
    Looking,
    ReadyToQueue,
    Start,
    WaitingForHolders,
    WaitingForLock,
)
from tests.support.azure_in_memory import LOCK_ERROR
from tests.unit.run.support import (
    AT_WORK,
    BY_ANN,
    BY_SERVICE,
    BY_US,
    FAILED_TASK,
    JOB,
    OTHER_INPUTS,
    STAGE,
    WAITS_FOR_A_CHECK,
    ScriptedAzure,
    attempt,
    followed,
    following,
    ids,
    in_state,
    run,
)


def test_while_the_run_goes_on_nothing_new_is_known() -> None:
    state = following(5)
    assert ScriptedAzure(in_state(5, RunState.RUNNING, *AT_WORK)).next_state(state) == state


@pytest.mark.parametrize(
    ("basis", "origin"),
    [
        (Basis.QUEUED, RunOrigin.QUEUED),
        (Basis.SEEN_WAITING, RunOrigin.JOINED),
        (Basis.ALL_STAGES, RunOrigin.JOINED),
    ],
)
def test_a_run_that_succeeds_ends_it_and_its_origin_is_told(basis: Basis, origin: RunOrigin) -> None:
    azure = ScriptedAzure(in_state(5, RunState.SUCCEEDED))
    done = azure.next_state(following(5, basis=basis, known=attempt(3)))
    assert isinstance(done, Done)
    assert (done.finished.origin, done.finished.attempts, done.finished.warning) == (origin, 3, "")


def test_a_run_with_issues_ends_it_with_a_warning() -> None:
    done = ScriptedAzure(in_state(5, RunState.PARTIALLY_SUCCEEDED)).next_state(following(5))
    assert isinstance(done, Done) and "with issues" in done.finished.warning


def test_a_joined_run_that_turns_out_to_skip_a_stage_is_left_and_not_joined_again() -> None:
    skipped = replace(STAGE, id="s2", name="Apply", state="completed", result="skipped")
    azure = ScriptedAzure(in_state(5, RunState.WAITING, skipped, STAGE, JOB))
    joined = azure.next_state(Start())
    assert isinstance(joined, Following)
    left = azure.next_state(joined)
    assert left == Looking(KnownRuns(initial=frozenset({5}), excluded=frozenset({5})))
    assert isinstance(azure.events[-1], RunLeft) and "skips a stage" in azure.events[-1].why
    assert isinstance(left, Looking)
    assert followed(azure.next_state(left)) == 101


def test_a_stage_skipped_because_another_failed_is_a_failure_and_not_a_stage_left_out() -> None:
    stages = (
        replace(STAGE, id="s1", state="completed", result="failed"),
        replace(STAGE, id="s2", state="completed", result="skipped"),
        replace(FAILED_TASK, log_id=None, errors=("Error: no",)),
    )
    azure = ScriptedAzure(in_state(5, RunState.FAILED, *stages))
    with pytest.raises(RunFailed, match="terraform apply"):
        azure.next_state(following(5, basis=Basis.SEEN_WAITING))


# Cancelled

ALIVE = [RunState.WAITING, RunState.RUNNING, RunState.SUCCEEDED]
DEAD = [RunState.CANCELLING, RunState.CANCELLED, RunState.FAILED]


@pytest.mark.parametrize("who", [BY_US, BY_SERVICE])
@pytest.mark.parametrize("state", ALIVE)
def test_after_an_automatic_cancel_it_goes_on_with_a_run_it_saw_waiting(
    who: dict[str, object], state: RunState
) -> None:
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, **who), run(6, state))
    after = azure.next_state(following(5, 6))
    assert isinstance(after, Following)
    assert (after.run.id, after.others, azure.requests) == (6, (), [])
    left = azure.events[-1]
    assert isinstance(left, RunLeft) and left.instead == run(6, state)


def test_the_timeline_of_a_remembered_run_that_was_looked_into_is_not_asked_for_again() -> None:
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, **BY_US), run(6))
    azure.next_state(following(5, 6))
    assert azure.calls == ["run", "records", "run"]


def test_a_remembered_run_that_was_found_cancelled_is_forgotten() -> None:
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, **BY_US), run(6, RunState.CANCELLED), run(7), run(8))
    after = azure.next_state(following(5, 6, 7, 8))
    assert isinstance(after, Following)
    assert (after.run.id, ids(after.others)) == (7, [8])


@pytest.mark.parametrize("who", [BY_US, {**BY_SERVICE, "changed_by": "Azure DevOps"}])
def test_an_automatic_cancel_that_is_seen_under_way_is_not_taken_for_a_person_s(who: dict[str, object]) -> None:
    azure = ScriptedAzure(in_state(5, RunState.CANCELLING, **who))
    state = following(5)
    assert azure.next_state(state) == state


@pytest.mark.parametrize("who", [BY_US, BY_SERVICE])
@pytest.mark.parametrize("state", DEAD)
def test_with_none_of_them_alive_it_starts_over(who: dict[str, object], state: RunState) -> None:
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, **who), run(6, state))
    after = azure.next_state(following(5, 6))
    assert isinstance(after, Looking)
    assert followed(azure.next_state(after)) == 101


def test_a_run_it_did_not_see_waiting_is_never_gone_on_with() -> None:
    """However alive: run 6 started before this delivery's write, whatever those knew who cancelled run 5 for it."""
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, **BY_US), in_state(6, RunState.RUNNING, *AT_WORK))
    after = azure.next_state(following(5, known=KnownRuns(initial=frozenset({5, 6}))))
    assert isinstance(after, Looking)
    assert followed(azure.next_state(ReadyToQueue(after.known))) == 101


def test_a_remembered_run_that_was_not_looked_into_must_not_skip_a_stage() -> None:
    skipping = in_state(6, RunState.RUNNING, replace(STAGE, state="completed", result="skipped"), *AT_WORK)
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, **BY_US), skipping)
    state = replace(following(5), others=(CarryingRun(6, Basis.SEEN_WAITING),))
    assert isinstance(azure.next_state(state), Looking)


def test_a_cancel_by_azure_devops_means_runlatest_and_one_by_a_delivery_does_not() -> None:
    by_service = ScriptedAzure(in_state(5, RunState.CANCELLED, **BY_SERVICE)).next_state(following(5))
    assert isinstance(by_service, Looking) and by_service.known.prefer_newest
    by_us = ScriptedAzure(in_state(5, RunState.CANCELLED, **BY_US)).next_state(following(5))
    assert isinstance(by_us, Looking) and not by_us.known.prefer_newest


def test_with_runlatest_it_goes_on_with_the_newest() -> None:
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, **BY_SERVICE), run(6), run(7))
    after = azure.next_state(following(5, 6, 7))
    assert isinstance(after, Following)
    assert (after.run.id, ids(after.others)) == (7, [6])


@pytest.mark.parametrize("others", [(), (6,)])
def test_a_cancel_by_a_person_is_a_failure_that_names_them(others: tuple[int, ...]) -> None:
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, **BY_ANN), run(6))
    with pytest.raises(RunCancelled, match=r"20260101\.5 was cancelled by Ann Author") as caught:
        azure.next_state(following(5, *others))
    assert caught.value.link == "https://dev/5"


def test_a_person_seen_cancelling_is_named_though_azure_devops_ends_the_run() -> None:
    """Seen in public captures: whoever changed a completed run last is Azure DevOps itself."""
    azure = ScriptedAzure(in_state(5, RunState.CANCELLING, **BY_ANN))
    state = azure.next_state(following(5))
    assert isinstance(state, Following)
    azure.show(in_state(5, RunState.CANCELLED, **BY_SERVICE))
    with pytest.raises(RunCancelled, match="by Ann Author"):
        azure.next_state(state)


def test_a_person_named_by_an_issue_is_believed() -> None:
    stage = replace(STAGE, state="completed", result="canceled", errors=("The run was canceled by Ann Author.",))
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, stage, **BY_SERVICE))
    with pytest.raises(RunCancelled, match="by Ann Author"):
        azure.next_state(following(5))


def test_the_sixth_run_in_a_row_that_azure_devops_cancels_is_a_failure() -> None:
    azure, known = ScriptedAzure(), KnownRuns()
    for _ in range(5):
        azure.show(in_state(5, RunState.CANCELLED, **BY_SERVICE))
        after = azure.next_state(following(5, known=known))
        assert isinstance(after, Looking)
        known = after.known
    with pytest.raises(RunCancelled, match=AZURE_DEVOPS_ITSELF):
        azure.next_state(following(5, known=known))


def test_a_job_that_took_too_long_is_a_failure_though_azure_devops_cancelled_it() -> None:
    job = replace(
        JOB, state="completed", result="canceled", errors=("The job ran longer than the maximum time of 60 minutes.",)
    )
    azure = ScriptedAzure(in_state(5, RunState.CANCELLED, job, **BY_SERVICE))
    with pytest.raises(RunFailed, match="failed in job 'terraform'"):
        azure.next_state(following(5))


# State locks and lost agents


def locked_out(number: int) -> RunProgress:
    return in_state(number, RunState.FAILED, replace(JOB, state="completed", result="failed"), FAILED_TASK)


def test_a_state_lock_is_no_failure_and_another_attempt_follows() -> None:
    azure = ScriptedAzure(locked_out(5))
    azure.logs[1] = LOCK_ERROR
    state = azure.next_state(following(5))
    assert isinstance(state, WaitingForLock)
    assert state.lock.who == "somebody@else"
    assert isinstance(state.then, Looking)
    assert state.then.known.attempts.number == 2


def test_after_a_lock_a_remembered_run_that_is_alive_is_followed_without_waiting() -> None:
    azure = ScriptedAzure(locked_out(5), run(6))
    azure.logs[1] = LOCK_ERROR
    state = azure.next_state(following(5, 6))
    assert isinstance(state, Following)
    assert (state.run.id, state.known.attempts.number, azure.requests) == (6, 2, [])


def test_a_run_at_work_when_ours_met_the_lock_is_waited_for_and_one_that_waits_for_an_approval_is_not() -> None:
    azure = ScriptedAzure(
        locked_out(5),
        in_state(3, RunState.RUNNING, *AT_WORK),
        in_state(4, RunState.RUNNING, *WAITS_FOR_A_CHECK, **OTHER_INPUTS),
    )
    azure.logs[1] = LOCK_ERROR
    lock = azure.next_state(following(5, known=KnownRuns(initial=frozenset({3, 4, 5}))))
    assert isinstance(lock, WaitingForLock)
    waiting = lock.then
    assert isinstance(waiting, WaitingForHolders)
    assert waiting.holders == {3}
    seen = azure.next_state(waiting)
    assert isinstance(seen, WaitingForHolders)
    assert azure.next_state(seen) == seen
    assert azure.requests == []
    azure.show(in_state(4, RunState.RUNNING, *WAITS_FOR_A_CHECK, **OTHER_INPUTS))
    ended = azure.next_state(seen)
    assert isinstance(ended, Hesitating), "all whose run met the lock may be about to queue one"
    assert followed(azure.next_state(ended.then)) == 101


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED])
@pytest.mark.parametrize(
    "said",
    [
        "We stopped hearing from agent Azure Pipelines 3.",
        "The hosted runner encountered an error while running your job. (Error Type: Disconnect).",
    ],
)
def test_a_lost_agent_is_tried_once_more_with_a_warning(state: RunState, said: str) -> None:
    job = replace(JOB, state="completed", result="failed", errors=(said,))
    azure = ScriptedAzure(in_state(5, state, job, **BY_SERVICE))
    after = azure.next_state(following(5, known=attempt(1)))
    assert after == Looking(attempt(2, agent_lost=True))
    warned = [event.message for event in azure.events if isinstance(event, Warned)]
    assert warned == [f"Run 20260101.5 lost its agent, and is tried once more: {said}"]
    with pytest.raises(RunFailed):
        azure.next_state(following(5, known=attempt(2, agent_lost=True)))


def test_any_other_failure_is_explained() -> None:
    azure = ScriptedAzure(locked_out(5))
    azure.logs[1] = ("Refreshing", "Error: no such subnet")
    with pytest.raises(RunFailed, match="terraform apply") as caught:
        azure.next_state(following(5, 6))
    assert caught.value.details == ("Error: no such subnet",)
