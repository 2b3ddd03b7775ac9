"""Rules 6 and 7, state by state: which run a delivery joins, when it lets others go first, and when it queues one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd.errors import AccessDenied, ServiceUnavailable, Throttled
from ecs_cd.model.events import RunChosen
from ecs_cd.model.run import RunOrigin, RunProgress, RunState, TimelineRecord
from ecs_cd.run.election import CANCELLED_TAG
from ecs_cd.run.states import (
    Acting,
    Attempts,
    Basis,
    CarryingRun,
    Following,
    Hesitating,
    KnownRuns,
    Looking,
    Queued,
    QueueFailed,
    ReadyToQueue,
    Start,
    WaitingForHolders,
)
from tests.unit.run.support import (
    AT_WORK,
    CHECKPOINT,
    JOB,
    OTHER_INPUTS,
    REQUEST,
    STAGE,
    WAITS_FOR_A_CHECK,
    WAITS_FOR_A_PERSON,
    ScriptedAzure,
    attempt,
    followed,
    following,
    ids,
    in_state,
    run,
)

NOTHING_KNOWN = KnownRuns()


# Joining


def test_with_no_run_waiting_one_is_queued() -> None:
    azure = ScriptedAzure()
    assert azure.next_state(Start()) == Queued(NOTHING_KNOWN, 101)
    assert azure.requests == [REQUEST]
    assert azure.events == [RunChosen(azure.scripts[101][0].run, RunOrigin.QUEUED)]


def test_a_waiting_run_is_joined_instead_of_queueing_another() -> None:
    azure = ScriptedAzure(run(5))
    state = azure.next_state(Start())
    assert (followed(state), azure.requests, azure.calls) == (5, [], ["active"])
    assert azure.events == [RunChosen(run(5), RunOrigin.JOINED)]


def test_of_several_waiting_runs_the_oldest_is_joined_and_all_are_remembered() -> None:
    state = ScriptedAzure(run(6), run(5), run(7)).next_state(Start())
    assert isinstance(state, Following)
    assert (state.run.id, ids(state.others)) == (5, [6, 7])


def test_after_runlatest_was_met_the_newest_is_joined() -> None:
    assert followed(ScriptedAzure(run(5), run(6)).next_state(Looking(KnownRuns(prefer_newest=True)))) == 6


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
    assert followed(ScriptedAzure(in_state(5, RunState.RUNNING, *records)).next_state(Start())) == 5


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
            id="its first stage has ended, its second waits for an approval",
        ),
        pytest.param((replace(STAGE, id="s2", state="completed", result="skipped"), STAGE, JOB), id="a skipped stage"),
    ],
)
def test_a_run_that_may_have_read_an_older_version_is_not_joined(records: tuple[TimelineRecord, ...]) -> None:
    azure = ScriptedAzure(in_state(5, RunState.RUNNING, *records))
    assert followed(azure.next_state(ReadyToQueue(KnownRuns(initial=frozenset({5}))))) == 101
    assert len(azure.requests) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"template_parameters": {"environment": "prod"}},
        {"template_parameters": {"environment": "dev", "plan_only": "true"}},
        {"template_parameters": {}},
        {"variables": {"REASON": "drift"}},
        {"variables": {}},
        {"tags": (CANCELLED_TAG,)},
        {"tags": (CANCELLED_TAG.upper(),)},
    ],
)
def test_a_run_with_other_inputs_or_tagged_as_cancelled_is_not_joined(other: dict[str, object]) -> None:
    assert followed(ScriptedAzure(run(5, RunState.WAITING, **other)).next_state(Start())) == 101


def test_letter_case_of_names_does_not_tell_runs_apart() -> None:
    azure = ScriptedAzure(run(5, template_parameters={"ENVIRONMENT": "dev"}, variables={"reason": "release"}))
    assert followed(azure.next_state(Start())) == 5


# Inputs with their defaults filled in

DEFAULTS_FILLED_IN: dict[str, object] = {"template_parameters": {"environment": "dev", "size": "small"}}


def with_default(size: str) -> ScriptedAzure:
    """A pipeline with a parameter that has a default."""
    azure = ScriptedAzure()
    azure.expand = lambda request: f"stages: [{{stage: {request.template_parameters.get('size', size)}}}]"
    return azure


def test_a_run_that_shows_defaults_filled_in_is_joined_where_both_expand_to_the_same() -> None:
    azure = with_default("small")
    azure.show(run(5, RunState.WAITING, **DEFAULTS_FILLED_IN), run(6, RunState.WAITING, **DEFAULTS_FILLED_IN))
    state = azure.next_state(Start())
    assert isinstance(state, Following)
    assert (state.run.id, ids(state.others), azure.requests) == (5, [6], [])
    assert azure.calls == ["active", "preview", "preview"], "what was learnt of the first is known of the second"


def test_a_run_that_was_given_another_value_than_the_default_is_not_joined_and_not_asked_for_again() -> None:
    azure = with_default("large")
    azure.show(run(5, RunState.WAITING, **DEFAULTS_FILLED_IN))
    queued = azure.next_state(Start())
    assert isinstance(queued, Queued)
    assert queued.known.excluded == {5}
    assert azure.calls == ["active", "preview", "preview", "queue"]
    assert followed(azure.next_state(queued)) == 101
    assert azure.calls.count("preview") == 2


def test_after_a_lost_answer_the_run_that_was_queued_is_joined_though_it_shows_defaults() -> None:
    azure = with_default("small")
    azure.fail("queue", ServiceUnavailable("503"))
    failed = azure.next_state(Start())
    assert isinstance(failed, QueueFailed)
    azure.show(run(5, RunState.WAITING, **DEFAULTS_FILLED_IN))
    assert followed(azure.next_state(failed.then)) == 5
    assert azure.requests == []


def test_how_our_own_run_shows_our_inputs_is_known_from_then_on() -> None:
    azure = with_default("small")
    azure.show(run(101, RunState.WAITING, **DEFAULTS_FILLED_IN))
    kept = azure.next_state(Queued(NOTHING_KNOWN, 101))
    assert isinstance(kept, Following)
    azure.show(run(102, RunState.WAITING, **DEFAULTS_FILLED_IN))
    assert followed(azure.next_state(Looking(kept.known))) == 102
    assert "preview" not in azure.calls


@pytest.mark.parametrize(
    "other",
    [{"variables": {}}, {"template_parameters": {}}, {"template_parameters": {"environment": "prod", "a": "b"}}],
)
def test_what_was_given_otherwise_needs_no_preview(other: dict[str, object]) -> None:
    azure = ScriptedAzure(run(5, RunState.WAITING, **other))
    assert followed(azure.next_state(Start())) == 101
    assert "preview" not in azure.calls


def test_without_the_right_to_a_preview_one_run_more_is_queued_and_ours_is_compared() -> None:
    azure = with_default("small")
    azure.fail("preview", AccessDenied("no"))
    azure.show(run(5, RunState.WAITING, **DEFAULTS_FILLED_IN))
    queued = azure.next_state(Start())
    assert isinstance(queued, Queued)
    azure.show(run(5, RunState.WAITING, **DEFAULTS_FILLED_IN), run(101, RunState.WAITING, **DEFAULTS_FILLED_IN))
    assert followed(azure.next_state(queued)) == 5
    assert azure.calls.count("preview") == 1


# Stages that no run of the branch executes

PER_BRANCH = """
stages:
- stage: Production
  condition: eq(variables['Build.SourceBranch'], 'refs/heads/production')
- stage: Apply
  condition: in(dependencies.Production.result, 'Succeeded', 'Skipped')
"""
PRODUCTION = replace(STAGE, id="s2", name="Production", state="completed", result="skipped")
ITS_JOB = replace(JOB, id="j2", parent_id="s2", state="completed", result="skipped")


def per_branch(*runs: RunProgress) -> ScriptedAzure:
    azure = ScriptedAzure(*runs)
    azure.expand = lambda _: PER_BRANCH
    return azure


def test_a_run_that_waits_behind_a_stage_that_this_branch_never_runs_is_joined() -> None:
    waits = (PRODUCTION, ITS_JOB, *WAITS_FOR_A_CHECK)
    azure = per_branch(in_state(5, RunState.RUNNING, *waits))
    assert followed(azure.next_state(Start())) == 5
    assert azure.calls == ["active", "records", "preview"]


def test_a_run_that_appears_at_work_behind_such_a_stage_is_joined() -> None:
    azure = per_branch(in_state(6, RunState.RUNNING, PRODUCTION, ITS_JOB, *AT_WORK))
    assert followed(azure.next_state(ReadyToQueue(NOTHING_KNOWN))) == 6


def test_one_that_skips_another_stage_as_well_is_not() -> None:
    plan = replace(STAGE, id="s3", name="Plan", state="completed", result="skipped")
    azure = per_branch(in_state(6, RunState.RUNNING, PRODUCTION, ITS_JOB, plan, *AT_WORK))
    assert followed(azure.next_state(ReadyToQueue(NOTHING_KNOWN))) == 101


def test_a_run_that_was_seen_at_work_is_not_asked_for_its_timeline_again() -> None:
    azure = ScriptedAzure(in_state(5, RunState.RUNNING, *AT_WORK))
    queued = azure.next_state(ReadyToQueue(KnownRuns(initial=frozenset({5}))))
    assert isinstance(queued, Queued)
    azure.next_state(queued)
    assert azure.calls == ["active", "records", "queue", "active"]


def test_a_run_that_was_not_there_at_the_first_look_is_joined_though_it_is_at_work() -> None:
    azure = ScriptedAzure(in_state(5, RunState.RUNNING, *AT_WORK))
    hesitating = azure.next_state(Start())
    assert isinstance(hesitating, Hesitating)
    azure.show(in_state(5, RunState.RUNNING, *AT_WORK), in_state(6, RunState.RUNNING, *AT_WORK))
    state = azure.next_state(hesitating.then)
    assert isinstance(state, Following)
    assert (state.run, state.others) == (CarryingRun(6, Basis.ALL_STAGES), ())
    assert azure.requests == []


@pytest.mark.parametrize(
    "records",
    [
        pytest.param((), id="no timeline yet"),
        pytest.param((*AT_WORK, replace(STAGE, id="s2", attempt=2)), id="started again"),
        pytest.param(tuple(replace(record, attempt=0) for record in AT_WORK), id="of an unknown attempt"),
        pytest.param((*AT_WORK, replace(STAGE, id="s2", state="completed", result="skipped")), id="a skipped stage"),
    ],
)
def test_of_a_run_that_appears_at_work_its_timeline_must_show_that_it_is_new_and_complete(
    records: tuple[TimelineRecord, ...],
) -> None:
    azure = ScriptedAzure(in_state(6, RunState.RUNNING, *records))
    assert followed(azure.next_state(ReadyToQueue(NOTHING_KNOWN))) == 101


@pytest.mark.parametrize("before", [0, 3])
def test_joining_a_run_ends_the_row_of_superseded_ones(before: int) -> None:
    state = ScriptedAzure(run(5)).next_state(Looking(attempt(2, superseded=before)))
    assert isinstance(state, Following)
    assert state.known.attempts == Attempts(2)


# Letting others go first


def test_with_one_run_at_work_it_hesitates_once_before_it_queues_the_next() -> None:
    azure = ScriptedAzure(in_state(5, RunState.RUNNING, *AT_WORK))
    state = azure.next_state(Start())
    assert isinstance(state, Hesitating)
    assert azure.requests == []
    assert followed(azure.next_state(state.then)) == 101


def test_with_two_at_work_it_waits_until_both_have_ended_and_hesitates_then() -> None:
    azure = ScriptedAzure(*(in_state(n, RunState.RUNNING, *AT_WORK) for n in (4, 5)))
    state = azure.next_state(Start())
    assert isinstance(state, WaitingForHolders)
    assert state.holders == {4, 5}
    assert azure.next_state(state) == state
    azure.show(in_state(5, RunState.RUNNING, *AT_WORK), in_state(9, RunState.RUNNING, *AT_WORK, **OTHER_INPUTS))
    state = azure.next_state(state)
    assert isinstance(state, WaitingForHolders)
    assert state.holders == {5}
    azure.show(in_state(9, RunState.RUNNING, *AT_WORK, **OTHER_INPUTS))
    ended = azure.next_state(state)
    assert isinstance(ended, Hesitating)
    assert azure.requests == []
    assert followed(azure.next_state(ended.then)) == 101


def test_a_later_attempt_hesitates_though_nothing_is_at_work() -> None:
    assert isinstance(ScriptedAzure().next_state(Looking(attempt(2))), Hesitating)


@pytest.mark.parametrize("records", [WAITS_FOR_A_CHECK, WAITS_FOR_A_PERSON], ids=["an approval", "a validation"])
def test_nobody_waits_for_runs_that_wait_for_a_person(records: tuple[TimelineRecord, ...]) -> None:
    azure = ScriptedAzure(*(in_state(number, RunState.RUNNING, *records, **OTHER_INPUTS) for number in (3, 4)))
    assert followed(azure.next_state(Start())) == 101


def test_while_a_holder_is_at_work_a_run_that_waits_is_joined() -> None:
    azure = ScriptedAzure(in_state(3, RunState.RUNNING, *AT_WORK), run(6))
    waiting = WaitingForHolders(KnownRuns(initial=frozenset({3})), holders=frozenset({3}))
    assert followed(azure.next_state(waiting)) == 6


# Queueing that fails


@pytest.mark.parametrize("state", [Looking(NOTHING_KNOWN), ReadyToQueue(NOTHING_KNOWN)])
def test_an_answer_lost_while_queueing_is_uncertain_and_the_next_look_tells(state: Looking | ReadyToQueue) -> None:
    azure, error = ScriptedAzure(), ServiceUnavailable("503")
    azure.fail("queue", error)
    failed = azure.next_state(state)
    assert failed == QueueFailed(error, replace(state, known=KnownRuns(attempts=Attempts(uncertain=1))))
    assert isinstance(failed, QueueFailed)
    azure.show(run(5))
    assert followed(azure.next_state(failed.then)) == 5


def test_a_throttled_request_has_certainly_queued_nothing() -> None:
    azure = ScriptedAzure()
    azure.fail("queue", Throttled("429"))
    failed = azure.next_state(Start())
    assert isinstance(failed, QueueFailed)
    assert failed.then.known.attempts.uncertain == 0


def test_a_run_queued_at_last_ends_the_count_of_uncertain_requests() -> None:
    queued = ScriptedAzure().next_state(Looking(KnownRuns(attempts=Attempts(uncertain=2))))
    assert queued == Queued(KnownRuns(attempts=Attempts(uncertain=0)), 101)


@pytest.mark.parametrize("method", ["active", "run", "records"])
def test_a_request_that_met_a_passing_failure_can_be_made_again(method: str) -> None:
    azure = ScriptedAzure(RunProgress(run(5)))
    state: Acting = following(5) if method != "active" else Start()
    azure.fail(method, ServiceUnavailable("503"))
    with pytest.raises(ServiceUnavailable):
        azure.next_state(state)
    assert followed(azure.next_state(state)) == 5
