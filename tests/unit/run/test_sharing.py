"""Rules 6 to 8, move by move: what a delivery asks, which run it follows, and what it makes of that run's end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd.errors import AccessDenied, RunCancelled, RunFailed, ServiceUnavailable, Throttled, UnexpectedAnswer
from ecs_cd.model.events import Event, RunChosen, RunGivenUp, RunLeft, Warned
from ecs_cd.model.run import (
    AZURE_DEVOPS_ITSELF,
    Pipeline,
    Run,
    RunOrigin,
    RunProgress,
    RunRequest,
    RunState,
    TimelineRecord,
)
from ecs_cd.run.sharing import MOST_SUPERSEDED, TAG, Carriage, turn
from tests.support.azure_in_memory import LOCK_ERROR
from tests.support.fakes import FakePipelines

INFRASTRUCTURE = Pipeline(7, "infrastructure")
REQUEST = RunRequest(INFRASTRUCTURE, "refs/heads/main", {"environment": "dev"}, {"REASON": "release"})
ASKED: dict[str, object] = {"template_parameters": REQUEST.template_parameters, "variables": REQUEST.variables}
JOB = TimelineRecord("j", "s", "Job", "terraform", "pending")
STAGE = TimelineRecord("s", "", "Stage", "Apply", "pending")
CHECKPOINT = TimelineRecord("c", "s", "Checkpoint", "Checkpoint", "inProgress")
APPROVAL = TimelineRecord("a", "c", "Checkpoint.Approval", "Checkpoint.Approval", "inProgress")
WAITS_FOR_A_CHECK = (replace(STAGE, state="inProgress"), CHECKPOINT, APPROVAL, JOB)
AT_WORK = (replace(STAGE, state="inProgress"), replace(JOB, state="inProgress", worker="agent"))
WAITS_FOR_A_PERSON = (replace(STAGE, state="inProgress"), replace(JOB, state="inProgress"))
FAILED_TASK = TimelineRecord("t", "j", "Task", "terraform apply", "completed", "failed", 1, 1)


def run(number: int, state: RunState = RunState.WAITING, **more: object) -> Run:
    made = Run(number, f"20260101.{number}", f"https://dev/{number}", state, 7, "refs/heads/main")
    return replace(made, **{**ASKED, **more})  # type: ignore[arg-type]  # fields by name


def ended(number: int, state: RunState, *records: TimelineRecord, **more: object) -> RunProgress:
    return RunProgress(run(number, state, **more), records)


class Azure(FakePipelines):
    """Lists these runs, each as it is now."""

    def __init__(self, *runs: Run | RunProgress) -> None:
        super().__init__(INFRASTRUCTURE)
        self.told: list[Event] = []
        self.show(*runs)

    def show(self, *runs: Run | RunProgress) -> None:
        self.listed = []
        for one in runs:
            progress = RunProgress(one) if isinstance(one, Run) else one
            self.play(progress)
            if not progress.run.state.ended and progress.run.state is not RunState.CANCELLING:
                self.listed.append(progress.run)

    def turn(self, known: Carriage | None = None, times: int = 1) -> Carriage:
        known = known or Carriage(REQUEST)
        for _ in range(times):
            known = turn(self, known, self.told.append)
        return known


def following(number: int, *seen: int, **more: object) -> Carriage:
    ids = frozenset({number, *seen})
    known = Carriage(REQUEST, before=ids, seen=ids, proven=ids, following=number)
    return replace(known, **more)  # type: ignore[arg-type]  # fields by name


# Joining


def test_with_no_run_waiting_one_is_queued_and_followed() -> None:
    azure = Azure()
    known = azure.turn()
    assert azure.requests == [REQUEST]
    assert (known.following, known.own, set(known.seen)) == (101, 101, {101})
    assert azure.told[-1] == RunChosen(azure.scripts[101][0].run, RunOrigin.QUEUED)


def test_a_waiting_run_is_joined_instead_of_queueing_another() -> None:
    azure = Azure(run(5))
    known = azure.turn()
    assert (known.following, azure.requests, azure.calls) == (5, [], ["active"])
    assert azure.told == [RunChosen(run(5), RunOrigin.JOINED)]


def test_of_several_waiting_runs_the_oldest_is_joined_and_all_are_remembered() -> None:
    known = Azure(run(6), run(5), run(7)).turn()
    assert (known.following, set(known.seen)) == (5, {5, 6, 7})


def test_after_runlatest_was_met_the_newest_is_joined() -> None:
    assert Azure(run(5), run(6)).turn(Carriage(REQUEST, newest=True)).following == 6


@pytest.mark.parametrize(
    "records",
    [
        pytest.param((STAGE, JOB), id="pending"),
        pytest.param(WAITS_FOR_A_CHECK, id="an approval or a lock"),
        pytest.param((STAGE, CHECKPOINT), id="jobs not planned yet"),
        pytest.param((*WAITS_FOR_A_CHECK, replace(STAGE, id="s2"), replace(JOB, id="j2")), id="two stages"),
    ],
)
def test_a_run_in_progress_of_which_no_job_has_started_is_joined(records: tuple[TimelineRecord, ...]) -> None:
    assert Azure(ended(5, RunState.RUNNING, *records)).turn().following == 5


@pytest.mark.parametrize(
    "records",
    [
        pytest.param(AT_WORK, id="at work"),
        pytest.param((), id="no timeline to tell by"),
        pytest.param(
            (
                replace(STAGE, state="completed", result="succeeded"),
                replace(JOB, state="completed"),
                *WAITS_FOR_A_CHECK,
            ),
            id="its first stage is over, its second waits for an approval",
        ),
        pytest.param((replace(STAGE, id="s2", state="completed", result="skipped"), STAGE, JOB), id="a stage left out"),
    ],
)
def test_a_run_that_may_have_read_an_older_version_is_not_joined(records: tuple[TimelineRecord, ...]) -> None:
    azure = Azure(ended(5, RunState.RUNNING, *records))
    assert azure.turn(Carriage(REQUEST, hesitated=True)).following == 101
    assert len(azure.requests) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"template_parameters": {"environment": "prod"}},
        {"template_parameters": {"environment": "dev", "plan_only": "true"}},
        {"template_parameters": {}},
        {"variables": {"REASON": "drift"}},
        {"variables": {}},
        {"tags": (TAG,)},
        {"tags": (TAG.upper(),)},
    ],
)
def test_a_run_asked_for_other_things_or_given_up_is_not_joined(other: dict[str, object]) -> None:
    assert Azure(run(5, RunState.WAITING, **other)).turn().following == 101


def test_letter_case_of_names_does_not_tell_runs_apart() -> None:
    azure = Azure(run(5, template_parameters={"ENVIRONMENT": "dev"}, variables={"reason": "release"}))
    assert azure.turn().following == 5


def test_a_run_that_was_seen_at_work_is_not_asked_for_its_timeline_again() -> None:
    azure = Azure(ended(5, RunState.RUNNING, *AT_WORK))
    azure.turn(Carriage(REQUEST, hesitated=True), times=2)
    assert azure.calls == ["active", "records", "queue", "active"]


def test_a_run_that_was_not_there_at_the_first_look_is_joined_though_it_is_at_work() -> None:
    azure = Azure(ended(5, RunState.RUNNING, *AT_WORK))
    known = azure.turn()
    azure.show(ended(5, RunState.RUNNING, *AT_WORK), ended(6, RunState.RUNNING, *AT_WORK))
    known = azure.turn(known)
    assert (known.following, set(known.seen), set(known.proven), azure.requests) == (6, {6}, {6}, [])


@pytest.mark.parametrize(
    "records",
    [
        pytest.param((), id="no timeline yet"),
        pytest.param((*AT_WORK, replace(STAGE, id="s2", attempt=2)), id="started anew"),
        pytest.param(tuple(replace(record, attempt=0) for record in AT_WORK), id="of an attempt that is not told"),
        pytest.param((*AT_WORK, replace(STAGE, id="s2", state="completed", result="skipped")), id="a stage left out"),
    ],
)
def test_of_a_run_that_appears_at_work_its_timeline_must_show_that_it_is_new_and_whole(
    records: tuple[TimelineRecord, ...],
) -> None:
    azure = Azure()
    known = replace(azure.turn(), own=None, following=None, seen=frozenset(), ours=frozenset(), hesitated=True)
    azure.show(ended(6, RunState.RUNNING, *records))
    assert azure.turn(known).following == 102


# Letting others go first


def test_with_one_run_at_work_it_hesitates_once_before_it_queues_the_next() -> None:
    azure = Azure(ended(5, RunState.RUNNING, *AT_WORK))
    known = azure.turn()
    assert (known.crowded, known.following, azure.requests) == (True, None, [])
    assert azure.turn(replace(known, crowded=False)).following == 101


def test_with_two_at_work_it_waits_until_both_are_through_and_hesitates_then() -> None:
    azure = Azure(*(ended(n, RunState.RUNNING, *AT_WORK) for n in (4, 5)))
    known = azure.turn()
    assert (set(known.holders), known.crowded) == ({4, 5}, False)
    assert azure.turn(known) == known
    azure.show(ended(5, RunState.RUNNING, *AT_WORK), ended(9, RunState.RUNNING, *AT_WORK, **OTHER))
    known = azure.turn(known)
    assert set(known.holders) == {5}
    azure.show(ended(9, RunState.RUNNING, *AT_WORK, **OTHER))
    known = azure.turn(known)
    assert (known.crowded, set(known.holders), azure.requests) == (True, set(), [])
    assert azure.turn(known).following == 101


@pytest.mark.parametrize("records", [WAITS_FOR_A_CHECK, WAITS_FOR_A_PERSON], ids=["an approval", "a validation"])
def test_nobody_waits_for_runs_that_wait_for_a_person(records: tuple[TimelineRecord, ...]) -> None:
    azure = Azure(*(ended(number, RunState.RUNNING, *records, **OTHER) for number in (3, 4)))
    assert azure.turn().following == 101


# Queueing at the same moment


def colliding(*older: Run | RunProgress, own: RunProgress | None = None) -> tuple[Azure, Carriage]:
    """Return a delivery that has just queued 101, and what it will see when it looks again."""
    azure = Azure()
    known = azure.turn()
    mine = own or RunProgress(run(101))
    azure.show(*older, mine)
    azure.scripts[101].appendleft(mine)
    azure.requests.clear()
    return azure, known


def test_own_run_is_kept_where_it_is_the_oldest_that_waits() -> None:
    azure, known = colliding(run(150))
    known = azure.turn(known)
    assert (known.following, known.own, set(known.seen)) == (101, None, {101, 150})
    assert azure.cancelled == []


def test_own_run_is_tagged_looked_at_and_cancelled_for_an_older_one() -> None:
    azure, known = colliding(run(50))
    known = azure.turn(known)
    assert known.following == 50
    assert azure.calls[-4:] == ["active", "tag", "run", "cancel"]
    assert (azure.tags, azure.cancelled) == ({101: {TAG}}, [101])
    assert azure.told[-1] == RunGivenUp(run(101), run(50))


def test_what_the_service_shows_of_our_own_run_is_what_others_are_compared_with() -> None:
    filled_in = {"environment": "dev", "size": "small"}
    azure, known = colliding(run(50, template_parameters=filled_in), own=ended(101, RunState.WAITING))
    assert azure.turn(known).following == 101
    azure, known = colliding(
        run(50, template_parameters=filled_in),
        own=ended(101, RunState.WAITING, template_parameters=filled_in),
    )
    assert azure.turn(known).following == 50


def test_own_run_that_has_begun_meanwhile_is_kept_and_untagged() -> None:
    azure, known = colliding(run(50))
    azure.scripts[101].clear()
    azure.scripts[101].append(ended(101, RunState.RUNNING, *AT_WORK))
    known = azure.turn(known)
    assert known.following == 101
    assert (azure.tags, azure.cancelled) == ({101: set()}, [])


def test_own_run_that_waits_for_a_lock_is_cancelled_all_the_same() -> None:
    azure, known = colliding(run(50), own=ended(101, RunState.RUNNING, *WAITS_FOR_A_CHECK))
    assert azure.turn(known).following == 50
    assert azure.cancelled == [101]


@pytest.mark.parametrize("state", [RunState.CANCELLING, RunState.CANCELLED])
def test_own_run_that_somebody_else_cancelled_keeps_its_tag(state: RunState) -> None:
    azure, known = colliding(run(50))
    azure.scripts[101].clear()
    azure.scripts[101].append(ended(101, state))
    assert azure.turn(known).following == 50
    assert (azure.tags, azure.cancelled) == ({101: {TAG}}, [])


def test_after_runlatest_was_met_nothing_is_cancelled() -> None:
    azure, known = colliding(run(50), run(150))
    known = azure.turn(replace(known, newest=True))
    assert known.following == 150
    assert "tag" not in azure.calls and "cancel" not in azure.calls


def test_own_run_that_is_not_listed_is_followed() -> None:
    azure, known = colliding(run(50), own=ended(101, RunState.SUCCEEDED))
    assert azure.turn(known).following == 101
    assert azure.cancelled == []


def test_without_the_right_to_tag_both_run_and_the_missing_right_is_told() -> None:
    azure, known = colliding(run(50))
    azure.fail("tag", AccessDenied("'Ann' may not do this: Update build information is missing.", hint="Allow it."))
    assert azure.turn(known).following == 50
    assert azure.cancelled == []
    assert isinstance(azure.told[-1], Warned)
    assert "'Ann' may not do this: Update build information is missing. Allow it." in azure.told[-1].message


def test_without_the_right_to_cancel_the_tag_is_taken_off_again() -> None:
    azure, known = colliding(run(50))
    azure.fail("cancel", AccessDenied("'Ann' may not do this: Stop builds is missing."))
    assert azure.turn(known).following == 50
    assert azure.tags == {101: set()}
    assert isinstance(azure.told[-1], Warned)


@pytest.mark.parametrize("method", ["tag", "run", "cancel"])
def test_a_passing_failure_while_standing_down_leaves_the_tag_and_both_run(method: str) -> None:
    azure, known = colliding(run(50))
    azure.fail(method, ServiceUnavailable("503"))
    assert azure.turn(known).following == 50
    assert azure.tags in ({}, {101: {TAG}})


def test_a_cancel_that_is_refused_because_the_run_is_over_changes_nothing() -> None:
    azure, known = colliding(run(50))
    azure.fail("cancel", UnexpectedAnswer("400"))
    azure.scripts[101].clear()
    azure.scripts[101].extend([ended(101, RunState.WAITING), ended(101, RunState.CANCELLED)])
    assert azure.turn(known).following == 50
    assert azure.tags == {101: {TAG}}


# Queueing that fails


def test_an_answer_lost_while_queueing_is_a_doubt_and_the_next_look_tells() -> None:
    azure = Azure()
    azure.fail("queue", ServiceUnavailable("503"))
    known = azure.turn()
    assert (known.following, known.doubts, known.doubt is None) == (None, 1, False)
    azure.show(run(5))
    assert azure.turn(replace(known, doubt=None)).following == 5


def test_a_throttled_queueing_was_surely_not_done() -> None:
    azure = Azure()
    azure.fail("queue", Throttled("429"))
    known = azure.turn()
    assert (known.doubts, known.doubt is None) == (0, False)


# Following


def test_while_the_run_goes_on_nothing_new_is_known() -> None:
    azure = Azure(ended(5, RunState.RUNNING, *AT_WORK))
    known = following(5)
    assert azure.turn(known) == known


@pytest.mark.parametrize(("ours", "taken"), [({5}, RunOrigin.QUEUED), (set(), RunOrigin.JOINED)])
def test_a_run_that_succeeds_ends_it_and_it_is_said_whose_it_was(ours: set[int], taken: RunOrigin) -> None:
    azure = Azure(ended(5, RunState.SUCCEEDED))
    finished = azure.turn(following(5, ours=frozenset(ours), tries=3)).finished
    assert finished and (finished.taken, finished.tries, finished.warning) == (taken, 3, "")


def test_a_run_with_issues_ends_it_with_a_warning() -> None:
    finished = Azure(ended(5, RunState.PARTIALLY_SUCCEEDED)).turn(following(5)).finished
    assert finished and "with issues" in finished.warning


def test_a_joined_run_that_turns_out_to_leave_out_a_stage_is_left_and_not_joined_again() -> None:
    left_out = replace(STAGE, id="s2", name="Apply", state="completed", result="skipped")
    azure = Azure(ended(5, RunState.WAITING, left_out, STAGE, JOB))
    known = azure.turn(azure.turn())
    assert (known.following, set(known.seen), set(known.passed)) == (None, set(), {5})
    assert isinstance(azure.told[-1], RunLeft) and "leaves out a stage" in azure.told[-1].why
    assert azure.turn(known).following == 101


def test_a_stage_skipped_because_another_failed_is_a_failure_and_not_a_stage_left_out() -> None:
    stages = (
        replace(STAGE, id="s1", state="completed", result="failed"),
        replace(STAGE, id="s2", state="completed", result="skipped"),
        replace(FAILED_TASK, log_id=None, errors=("Error: no",)),
    )
    azure = Azure(ended(5, RunState.FAILED, *stages))
    with pytest.raises(RunFailed, match="terraform apply"):
        azure.turn(replace(following(5), proven=frozenset()))


# Cancelled

BY_US = {"tags": (TAG,), "changed_by": "platform Build Service"}
BY_SERVICE = {"changed_by": AZURE_DEVOPS_ITSELF, "by_service": True}
BY_ANN = {"changed_by": "Ann Author"}
ALIVE = [RunState.WAITING, RunState.RUNNING, RunState.SUCCEEDED]
DEAD = [RunState.CANCELLING, RunState.CANCELLED, RunState.FAILED]


@pytest.mark.parametrize("who", [BY_US, BY_SERVICE])
@pytest.mark.parametrize("state", ALIVE)
def test_after_an_automatic_cancel_it_goes_on_with_a_run_it_saw_waiting(
    who: dict[str, object], state: RunState
) -> None:
    azure = Azure(ended(5, RunState.CANCELLED, **who), run(6, state))
    known = azure.turn(following(5, 6))
    assert (known.following, set(known.seen), azure.requests) == (6, {6}, [])
    told = azure.told[-1]
    assert isinstance(told, RunLeft) and told.instead == run(6, state)


@pytest.mark.parametrize("who", [BY_US, BY_SERVICE])
@pytest.mark.parametrize("state", DEAD)
def test_with_none_of_them_alive_it_starts_over(who: dict[str, object], state: RunState) -> None:
    azure = Azure(ended(5, RunState.CANCELLED, **who), run(6, state))
    known = azure.turn(following(5, 6))
    assert (known.following, set(known.seen)) == (None, set())
    assert azure.turn(known).following == 101


def test_a_run_it_did_not_see_waiting_is_never_gone_on_with() -> None:
    """However alive: run 6 started before this delivery's write, whatever those knew who cancelled run 5 for it."""
    azure = Azure(ended(5, RunState.CANCELLED, **BY_US), ended(6, RunState.RUNNING, *AT_WORK))
    known = following(5, before=frozenset({5, 6}), hesitated=True)
    assert azure.turn(azure.turn(known)).following == 101


def test_a_remembered_run_that_was_not_looked_into_must_not_leave_out_a_stage() -> None:
    skipping = ended(6, RunState.RUNNING, replace(STAGE, state="completed", result="skipped"), *AT_WORK)
    azure = Azure(ended(5, RunState.CANCELLED, **BY_US), skipping)
    assert azure.turn(following(5, 6, proven=frozenset({5}))).following is None


def test_a_cancel_by_azure_devops_means_runlatest_and_one_by_a_delivery_does_not() -> None:
    assert Azure(ended(5, RunState.CANCELLED, **BY_SERVICE)).turn(following(5)).newest
    assert not Azure(ended(5, RunState.CANCELLED, **BY_US)).turn(following(5)).newest


def test_with_runlatest_it_goes_on_with_the_newest() -> None:
    azure = Azure(ended(5, RunState.CANCELLED, **BY_SERVICE), run(6), run(7))
    assert azure.turn(following(5, 6, 7)).following == 7


@pytest.mark.parametrize("others", [(), (6,)])
def test_a_cancel_by_a_person_is_a_failure_that_names_them(others: tuple[int, ...]) -> None:
    azure = Azure(ended(5, RunState.CANCELLED, **BY_ANN), run(6))
    with pytest.raises(RunCancelled, match=r"20260101\.5 was cancelled by Ann Author") as caught:
        azure.turn(following(5, *others))
    assert caught.value.link == "https://dev/5"


def test_a_person_seen_cancelling_is_named_though_azure_devops_ends_the_run() -> None:
    """Seen in public captures: whoever changed a completed run last is Azure DevOps itself."""
    azure = Azure(ended(5, RunState.CANCELLING, **BY_ANN))
    known = azure.turn(following(5))
    azure.show(ended(5, RunState.CANCELLED, **BY_SERVICE))
    with pytest.raises(RunCancelled, match="by Ann Author"):
        azure.turn(known)


def test_a_person_named_by_an_issue_is_believed() -> None:
    stage = replace(STAGE, state="completed", result="canceled", errors=("The run was canceled by Ann Author.",))
    azure = Azure(ended(5, RunState.CANCELLED, stage, **BY_SERVICE))
    with pytest.raises(RunCancelled, match="by Ann Author"):
        azure.turn(following(5))


def test_azure_devops_cancelling_without_end_is_a_failure_in_the_end() -> None:
    azure, known = Azure(), following(5)
    for _ in range(MOST_SUPERSEDED):
        azure.show(ended(5, RunState.CANCELLED, **BY_SERVICE))
        known = replace(azure.turn(known), following=5)
    with pytest.raises(RunCancelled, match=AZURE_DEVOPS_ITSELF):
        azure.turn(known)


def test_a_job_that_took_too_long_is_a_failure_though_azure_devops_cancelled_it() -> None:
    job = replace(
        JOB, state="completed", result="canceled", errors=("The job ran longer than the maximum time of 60 minutes.",)
    )
    azure = Azure(ended(5, RunState.CANCELLED, job, **BY_SERVICE))
    with pytest.raises(RunFailed, match="failed in job 'terraform'"):
        azure.turn(following(5))


# Locks and lost agents


def locked_out(number: int) -> RunProgress:
    return ended(number, RunState.FAILED, replace(JOB, state="completed", result="failed"), FAILED_TASK)


def test_a_state_lock_is_no_failure_and_another_try_follows() -> None:
    azure = Azure(locked_out(5))
    azure.logs[1] = LOCK_ERROR
    known = azure.turn(following(5))
    assert known.lock and known.lock.who == "somebody@else"
    assert (known.following, known.tries, set(known.seen)) == (None, 2, set())


def test_after_a_lock_a_remembered_run_that_is_alive_is_followed_without_waiting() -> None:
    azure = Azure(locked_out(5), run(6))
    azure.logs[1] = LOCK_ERROR
    known = azure.turn(following(5, 6))
    assert (known.following, known.lock, azure.requests) == (6, None, [])


def test_a_run_at_work_when_ours_met_the_lock_is_waited_for_and_one_that_waits_for_an_approval_is_not() -> None:
    azure = Azure(
        locked_out(5), ended(3, RunState.RUNNING, *AT_WORK), ended(4, RunState.RUNNING, *WAITS_FOR_A_CHECK, **OTHER)
    )
    azure.logs[1] = LOCK_ERROR
    known = replace(azure.turn(following(5, before=frozenset({3, 4, 5}))), lock=None)
    assert known.holders == {3}
    known = azure.turn(known)
    assert azure.turn(known) == known
    assert azure.requests == []
    azure.show(ended(4, RunState.RUNNING, *WAITS_FOR_A_CHECK, **OTHER))
    known = azure.turn(known)
    assert known.crowded, "all whom the lock sent away may be about to queue one"
    assert azure.turn(known).following == 101


OTHER: dict[str, object] = {"template_parameters": {"environment": "prod"}}


def test_while_a_holder_is_at_work_a_run_that_waits_is_joined() -> None:
    azure = Azure(ended(3, RunState.RUNNING, *AT_WORK), run(6))
    known = azure.turn(Carriage(REQUEST, before=frozenset({3}), holders=frozenset({3})))
    assert (known.following, set(known.holders)) == (6, set())


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED])
def test_a_lost_agent_is_tried_once_more_with_a_warning(state: RunState) -> None:
    job = replace(JOB, state="completed", result="failed", errors=("We stopped hearing from agent Azure Pipelines 3.",))
    azure = Azure(ended(5, state, job, **BY_SERVICE))
    known = azure.turn(following(5))
    assert (known.following, known.lost, known.tries, known.lock) == (None, True, 2, None)
    warned = [event.message for event in azure.told if isinstance(event, Warned)]
    assert warned == [
        "Run 20260101.5 lost its agent, and is tried once more: We stopped hearing from agent Azure Pipelines 3."
    ]
    with pytest.raises(RunFailed):
        azure.turn(replace(known, following=5))


def test_any_other_failure_is_explained() -> None:
    azure = Azure(locked_out(5))
    azure.logs[1] = ("Refreshing", "Error: no such subnet")
    with pytest.raises(RunFailed, match="terraform apply") as caught:
        azure.turn(following(5, 6))
    assert caught.value.details == ("Error: no such subnet",)


@pytest.mark.parametrize("method", ["active", "run", "records"])
def test_a_move_that_met_a_passing_failure_can_be_made_again(method: str) -> None:
    azure = Azure(run(5))
    known = following(5) if method != "active" else Carriage(REQUEST)
    azure.fail(method, ServiceUnavailable("503"))
    with pytest.raises(ServiceUnavailable):
        azure.turn(known)
    assert azure.turn(known).following == 5
