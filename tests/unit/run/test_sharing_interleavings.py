"""Rules 6 to 9, explored to the end: every order of requests, agents, locks, people and deaths.

`docs/protocol.md` says what is explored, and shows the numbers of `make explore`, which goes further than what is here.
Each broken rule below must be found: an exploration that finds nothing wrong with those would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from ecs_cd.model.events import RunLeft, Watch
from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, Run, RunRequest, TimelineRecord
from ecs_cd.run import duplicates, election, followed, sharing, timeline
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.previews import Previews
from ecs_cd.run.states import Basis, CarryingRun, Following, KnownRuns, Looking, Queued, QueueFailed
from ecs_cd.run.timeline import Timelines
from tests.explore.graph import BrokenError, components, explore, has_circle
from tests.explore.system import Faults, SystemState, start
from tests.explore.transitions import following
from tests.support.azure_in_memory import LockBehavior

NONE, SEQUENTIAL, RUN_LATEST = LockBehavior


@pytest.mark.parametrize("lock", LockBehavior)
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(Faults(), id="undisturbed"),
        pytest.param(Faults(locks=1), id="a state lock"),
        pytest.param(Faults(failures=1), id="a failure"),
        pytest.param(Faults(cancels=1), id="a person cancels"),
    ],
)
def test_two_deliveries_share_runs_in_every_order(lock: LockBehavior, faults: Faults) -> None:
    found = explore(start(2, lock, faults))
    allowed = {"carried"}
    allowed |= {"run-failed"} if faults.failures else set()
    allowed |= {"run-cancelled"} if faults.cancels else set()
    assert found.ends
    assert found.outcomes == allowed
    assert found.fewest_runs == 1


@pytest.mark.parametrize("lock", [NONE, SEQUENTIAL])
@pytest.mark.parametrize("faults", [Faults(deaths=1), Faults(locks=2)], ids=["a death", "two locks"])
def test_two_deliveries_survive_a_death_and_two_locks(lock: LockBehavior, faults: Faults) -> None:
    assert explore(start(2, lock, faults)).outcomes == {"carried"}


def test_a_run_that_a_person_starts_again_is_not_mistaken_for_a_new_one() -> None:
    assert explore(start(2, NONE, Faults(failures=1, restarts=1))).outcomes == {"carried", "run-failed"}


@pytest.mark.parametrize("faults", [Faults(extra_runs=1), Faults(partial_runs=1)], ids=["whole", "without a stage"])
def test_two_deliveries_and_a_person_who_queues_a_run(faults: Faults) -> None:
    assert explore(start(2, SEQUENTIAL, faults)).outcomes == {"carried"}


@pytest.mark.parametrize("lock", LockBehavior)
def test_a_stage_that_every_run_of_the_branch_skips_costs_no_run(lock: LockBehavior) -> None:
    plain, per_branch = (explore(start(2, lock, per_branch=conditional)) for conditional in (False, True))
    assert per_branch.outcomes == {"carried"}
    assert (per_branch.most_runs, per_branch.fewest_runs) == (plain.most_runs, plain.fewest_runs)


def test_a_person_who_leaves_out_another_stage_as_well_is_noticed() -> None:
    found = explore(start(2, SEQUENTIAL, Faults(partial_runs=1), per_branch=True))
    assert found.outcomes == {"carried"}


@pytest.mark.parametrize("lock", LockBehavior)
@pytest.mark.parametrize("missing", ["may_tag", "may_cancel"])
def test_without_a_right_they_are_slower_but_still_correct(lock: LockBehavior, missing: str) -> None:
    system = start(2, lock, may_tag=missing != "may_tag", may_cancel=missing != "may_cancel")
    assert explore(system).outcomes == {"carried"}


def after(system: SystemState, *events: str) -> SystemState:
    """Return the system after these events."""
    for event in events:
        system = dict(following(system))[event]
    return system


TWO_QUEUED = ("D0 writes", "D1 writes", "D0 asks", "D1 asks", "D0 asks", "D1 asks")
BOTH_LOOKED = (*TWO_QUEUED, "D0 asks", "D1 asks")
"""Both have looked again: without a lock, D1 is about to cancel its run for D0's."""


def three(lock: LockBehavior, *events: str) -> SystemState:
    return after(start(3, lock), *events)


@pytest.mark.parametrize(("lock", "events"), [(SEQUENTIAL, TWO_QUEUED), (NONE, BOTH_LOOKED)])
def test_three_deliveries_share_runs_in_every_order(lock: LockBehavior, events: tuple[str, ...]) -> None:
    """From the state in which two have queued; `make explore` does so from the beginning."""
    found = explore(three(lock, *events))
    assert found.outcomes == {"carried"}
    assert found.most_runs == 3


# The two designs that are refuted (rule 8)


def follow_the_named_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cancels its run says for which; whoever followed that run follows the one named."""
    cancel_own, go_on = duplicates.cancel_own, followed.go_on

    def naming(pipelines: Pipelines, own: Run, instead: Run, watch: Watch) -> Run:
        pipelines.tag(own.id, f"for-{instead.id}")
        return cancel_own(pipelines, own, instead, watch)

    def believing(
        previews: Previews, others: Sequence[CarryingRun], left: RunLeft, watch: Watch
    ) -> Following | Looking:
        for tag in left.run.tags:
            if tag.startswith("for-"):
                named = CarryingRun(int(tag.removeprefix("for-")), Basis.ALL_STAGES)
                rest = (other for other in others if other.id != named.id)
                return Following.one_of(previews.known, (named, *rest), named.id)
        return go_on(previews, others, left, watch)

    monkeypatch.setattr(duplicates, "cancel_own", naming)
    monkeypatch.setattr(followed, "go_on", believing)


def test_following_the_survivor_that_a_cancelled_run_names_would_lose_a_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D0 queues 1, D1 queues 2 and is about to cancel it for 1; 1 starts; D2 writes, joins 2, and is sent to 1."""
    follow_the_named_survivor(monkeypatch)
    with pytest.raises(BrokenError, match="D2 follows run 1, which started without its version") as caught:
        explore(three(NONE, *BOTH_LOOKED))
    events = caught.value.path
    assert events.index("run 1 starts") < events.index("D2 writes")


def elect_the_oldest_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never learn that `runLatest` was met."""
    go_on = followed.go_on

    def never_learning(
        previews: Previews, others: Sequence[CarryingRun], left: RunLeft, watch: Watch
    ) -> Following | Looking:
        learnt = replace(previews.known, prefer_newest=False)
        return go_on(replace(previews, known=learnt), others, left, watch)

    monkeypatch.setattr(followed, "go_on", never_learning)
    monkeypatch.setattr(followed, "superseded_once_more", lambda known: known)


def test_electing_the_oldest_always_would_queue_and_cancel_for_ever_under_runlatest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Azure DevOps cancels the older run while we cancel the newer, and both deliveries start over."""
    elect_the_oldest_always(monkeypatch)
    with pytest.raises(BrokenError, match="it can go on for ever") as caught:
        explore(start(2, RUN_LATEST))
    circle = caught.value.path[caught.value.path.index("again and again:") :]
    assert any(event.startswith("runLatest cancels") for event in circle)
    assert any(event.endswith("asks") for event in circle)


# Found by exploring; each was wrong once


def test_a_run_that_azure_devops_cancelled_is_not_tagged_by_its_own_delivery() -> None:
    """The tag would hide who cancelled it, and nobody would learn that `runLatest` was met."""
    system = after(start(2, RUN_LATEST), *TWO_QUEUED, "D0 asks", "runLatest cancels run 1", "D0 asks", "D0 asks")
    assert system.azure.run(1).tags == ()
    state = system.deliveries[0].state
    assert isinstance(state, Looking | Following) and state.known.prefer_newest
    assert explore(system).outcomes == {"carried"}


def test_a_run_cancelled_while_it_is_looked_at_does_not_count_as_started() -> None:
    """It would be untagged, and its own delivery be mistaken for the person who cancelled it."""
    tagged = ("D1 asks", "D1 asks", "D1 asks", "D1 asks")  # the list, the older run's timeline, the tag, our run
    system = after(start(2, RUN_LATEST), *TWO_QUEUED, *tagged)
    assert system.azure.run(2).tags == (election.CANCELLED_TAG,)
    system = replace(system, azure=system.azure.cancel(2, AZURE_DEVOPS_ITSELF))
    assert explore(system).outcomes == {"carried"}


# Each rule broken once


def joins_what_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "no_job_started", lambda _records: True)


def remembers_what_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    elect_run = election.elect_run

    def all_of_them(
        timelines: Timelines, runs: Sequence[Run], previews: Previews, *, own_id: int | None = None
    ) -> election.Election:
        found = elect_run(timelines, runs, previews, own_id=own_id)
        carrying = {run.id: CarryingRun(run.id, Basis.SEEN_WAITING) for run in runs}
        carrying |= {run.id: run for run in found.carrying}
        return replace(found, carrying=tuple(carrying.values()))

    monkeypatch.setattr(election, "elect_run", all_of_them)


def takes_what_appears_for_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "first_attempt_with_all_stages", bool)


def takes_what_was_there_for_new(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = sharing._queue

    def forgetting(
        pipelines: Pipelines, request: RunRequest, known: KnownRuns, watch: Watch, *, hesitated: bool
    ) -> Queued | QueueFailed:
        forgotten = replace(known, initial=frozenset(), excluded=frozenset())
        return queue(pipelines, request, forgotten, watch, hesitated=hesitated)

    monkeypatch.setattr(sharing, "_queue", forgetting)


def keeps_its_own_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def contented(pipelines: Pipelines, request: RunRequest, state: Queued, _watch: Watch) -> Following:
        pipelines.active(request.pipeline, request.branch)
        return Following(state.known, CarryingRun(state.run_id, Basis.QUEUED))

    monkeypatch.setattr(duplicates, "keep_oldest", contented)


def cancels_without_a_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    def untagged(pipelines: Pipelines, own: Run, instead: Run, _watch: Watch) -> Run:
        pipelines.cancel(own.id)
        return instead

    monkeypatch.setattr(duplicates, "cancel_own", untagged)


def follows_the_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    def stubborn(previews: Previews, others: Sequence[CarryingRun], left: RunLeft, _watch: Watch) -> Following:
        return Following(previews.known, CarryingRun(left.run.id, Basis.ALL_STAGES), tuple(others))

    monkeypatch.setattr(followed, "go_on", stubborn)


def believes_any_timeline(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(_records: Sequence[TimelineRecord]) -> bool:
        return False

    monkeypatch.setattr(timeline, "skips_stage", careless)


def takes_every_skipped_stage_for_one_of_another_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Previews, "_never_run", lambda _self: frozenset({"plan", "production"}))


@pytest.mark.parametrize(
    ("break_it", "system", "found"),
    [
        pytest.param(joins_what_has_started, start(2, NONE), "started without its version", id="6"),
        pytest.param(
            believes_any_timeline, start(2, NONE, Faults(partial_runs=1)), "without its version", id="6, stages"
        ),
        pytest.param(
            takes_every_skipped_stage_for_one_of_another_branch,
            start(2, SEQUENTIAL, Faults(partial_runs=1), per_branch=True),
            "without its version",
            id="6, stages of another branch",
        ),
        pytest.param(
            takes_what_appears_for_new,
            start(2, NONE, Faults(failures=1, restarts=1)),
            "without its version",
            id="6, started again",
        ),
        pytest.param(takes_what_was_there_for_new, start(2, NONE), "without its version", id="6, first look"),
        pytest.param(keeps_its_own_run, start(2, NONE), "wait, and nobody is about to cancel one", id="7"),
        pytest.param(cancels_without_a_tag, three(NONE, *BOTH_LOOKED), "blames a person", id="7, tag"),
        pytest.param(remembers_what_has_started, start(2, SEQUENTIAL, Faults(locks=1)), "without its version", id="8"),
        pytest.param(follows_the_cancelled, three(NONE, *BOTH_LOOKED), "a delivery never ends", id="8, end"),
    ],
)
def test_the_exploration_finds_every_broken_rule(
    monkeypatch: pytest.MonkeyPatch, break_it: Callable[[pytest.MonkeyPatch], None], system: SystemState, found: str
) -> None:
    break_it(monkeypatch)
    with pytest.raises(BrokenError, match=found):
        explore(system)


@pytest.mark.parametrize(
    ("nexts", "expected"),
    [
        ([[1], [2], []], 3),
        ([[1], [2], [0]], 1),
        ([[1], [2, 3], [1], []], 3),
        ([[1, 2], [3], [3], [4], [3]], 4),
    ],
)
def test_circles_are_found(nexts: list[list[int]], expected: int) -> None:
    assert len(set(components(nexts))) == expected
    assert has_circle(nexts) == (expected < len(nexts))
