"""Rules 6 to 9, explored to the end: every order of requests, agents, locks, people and deaths.

`docs/protocol.md` says what is explored, and gives the numbers. Each broken rule below must be found out: an
exploration that finds nothing wrong with those would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from ecs_cd.model.events import RunLeft, Watch
from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, Run, RunRequest, TimelineRecord
from ecs_cd.run import sharing
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.sharing import Carriage
from tests.explore import BrokenError, Budget, World, components, explore, following, start
from tests.support.azure_in_memory import Lock

ALL = list(Lock)


@pytest.mark.parametrize("lock", ALL)
@pytest.mark.parametrize(
    "budget",
    [
        pytest.param(Budget(), id="undisturbed"),
        pytest.param(Budget(locks=1), id="a state lock"),
        pytest.param(Budget(failures=1), id="a failure"),
        pytest.param(Budget(cancels=1), id="a person cancels"),
    ],
)
def test_two_deliveries_share_runs_in_every_order(lock: Lock, budget: Budget) -> None:
    found = explore(start(2, lock, budget))
    allowed = {"carried"}
    allowed |= {"run-failed"} if budget.failures else set()
    allowed |= {"run-cancelled"} if budget.cancels else set()
    assert found.ends
    assert found.said == allowed
    assert found.fewest_runs == 1


@pytest.mark.parametrize("lock", [Lock.NONE, Lock.SEQUENTIAL])
@pytest.mark.parametrize("budget", [Budget(deaths=1), Budget(locks=2)], ids=["a death", "two locks"])
def test_two_deliveries_survive_a_death_and_two_locks(lock: Lock, budget: Budget) -> None:
    assert explore(start(2, lock, budget)).said == {"carried"}


def test_a_run_that_a_person_starts_anew_is_not_taken_for_a_new_one() -> None:
    assert explore(start(2, Lock.NONE, Budget(failures=1, restarts=1))).said == {"carried", "run-failed"}


@pytest.mark.parametrize("budget", [Budget(people=1), Budget(skips=1)], ids=["whole", "without a stage"])
def test_two_deliveries_and_a_person_who_queues_a_run(budget: Budget) -> None:
    assert explore(start(2, Lock.SEQUENTIAL, budget)).said == {"carried"}


@pytest.mark.parametrize("lock", ALL)
@pytest.mark.parametrize("missing", ["may_tag", "may_cancel"])
def test_without_a_right_they_are_slower_and_as_correct(lock: Lock, missing: str) -> None:
    world = replace(start(2, lock), may_tag=missing != "may_tag", may_cancel=missing != "may_cancel")
    assert explore(world).said == {"carried"}


def after(world: World, *acts: str) -> World:
    """Return the world after these acts."""
    for act in acts:
        world = dict(following(world))[act]
    return world


TWO_QUEUED = ("D0 writes", "D1 writes", "D0 asks", "D1 asks", "D0 asks", "D1 asks")
BOTH_LOOKED = (*TWO_QUEUED, "D0 asks", "D1 asks")
"""Both have looked again: without a lock, D1 is about to cancel its run for D0's."""


def three(lock: Lock, *acts: str) -> World:
    return after(start(3, lock), *acts)


@pytest.mark.parametrize(("lock", "acts"), [(Lock.SEQUENTIAL, TWO_QUEUED), (Lock.NONE, BOTH_LOOKED)])
def test_three_deliveries_share_runs_in_every_order(lock: Lock, acts: tuple[str, ...]) -> None:
    """From the moment at which two have queued; from the beginning it takes minutes: see the page."""
    found = explore(three(lock, *acts))
    assert found.said == {"carried"}
    assert found.most_runs == 3


# The two designs that are refuted (rule 8)


def follow_the_named_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cancels its run says for which; whoever followed that run follows the one named."""
    stand_down, go_on = sharing._stand_down, sharing._go_on

    def naming(pipelines: Pipelines, own: Run, instead: Run, tell: Watch) -> Run:
        pipelines.tag(own.id, f"for-{instead.id}")
        return stand_down(pipelines, own, instead, tell)

    def believing(
        pipelines: Pipelines, known: Carriage, left: RunLeft, tell: Watch, *, newest: bool = False
    ) -> Carriage:
        for tag in left.run.tags:
            if tag.startswith("for-"):
                return replace(known, following=int(tag.removeprefix("for-")))
        return go_on(pipelines, known, left, tell, newest=newest)

    monkeypatch.setattr(sharing, "_stand_down", naming)
    monkeypatch.setattr(sharing, "_go_on", believing)


def test_following_the_survivor_that_a_cancelled_run_names_would_lose_a_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D0 queues 1, D1 queues 2 and is about to cancel it for 1; 1 starts; D2 writes, joins 2, and is sent to 1."""
    follow_the_named_survivor(monkeypatch)
    with pytest.raises(BrokenError, match="D2 follows run 1, which started without its version") as caught:
        explore(three(Lock.NONE, *BOTH_LOOKED))
    acts = caught.value.path
    assert acts.index("run 1 starts") < acts.index("D2 writes")


def elect_the_oldest_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never learn that `runLatest` was met."""
    go_on, turn = sharing._go_on, sharing.turn

    def deaf(pipelines: Pipelines, known: Carriage, left: RunLeft, tell: Watch, *, newest: bool = False) -> Carriage:
        return go_on(pipelines, known, left, tell)

    monkeypatch.setattr(sharing, "_go_on", deaf)
    monkeypatch.setattr(sharing, "turn", lambda *given: replace(turn(*given), superseded=0))


def test_electing_the_oldest_always_would_queue_and_cancel_for_ever_under_runlatest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Azure DevOps cancels the older run while we cancel the newer, and both deliveries start over."""
    elect_the_oldest_always(monkeypatch)
    with pytest.raises(BrokenError, match="it can go on for ever") as caught:
        explore(start(2, Lock.RUN_LATEST))
    lap = caught.value.path[caught.value.path.index("and round and round:") :]
    assert any(act.startswith("runLatest cancels") for act in lap)


# Found on the way; each was wrong once


def test_a_run_that_azure_devops_cancelled_is_not_tagged_by_its_own_delivery() -> None:
    """The tag would hide who cancelled it, and nobody would learn that `runLatest` was met."""
    world = after(start(2, Lock.RUN_LATEST), *TWO_QUEUED, "D0 asks", "runLatest cancels run 1", "D0 asks")
    assert world.cloud.run(1).tags == ()
    assert world.couriers[0].known.newest
    assert explore(world).said == {"carried"}


def test_a_run_cancelled_while_it_is_looked_at_does_not_count_as_begun() -> None:
    """It would be untagged, and its own delivery be taken for the person who cancelled it."""
    tagged = ("D1 asks", "D1 asks", "D1 asks", "D1 asks")  # the list, the older run's timeline, the tag, our run
    world = after(start(2, Lock.RUN_LATEST), *TWO_QUEUED, *tagged)
    assert world.cloud.run(2).tags == (sharing.TAG,)
    world = replace(world, cloud=world.cloud.cancel(2, AZURE_DEVOPS_ITSELF))
    assert explore(world).said == {"carried"}


# Each rule broken once


def joins_what_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "untouched", lambda _records: True)


def remembers_what_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    elect = sharing._elect

    def all_of_them(
        timelines: Callable[[int], tuple[TimelineRecord, ...]],
        runs: Sequence[Run],
        known: Carriage,
        like: Run | RunRequest,
    ) -> tuple[Carriage, Run | None]:
        found, elected = elect(timelines, runs, known, like)
        return replace(found, seen=found.seen | {run.id for run in runs}), elected

    monkeypatch.setattr(sharing, "_elect", all_of_them)


def takes_what_appears_for_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_whole", bool)


def takes_what_was_there_for_new(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = sharing._queue

    def forgetful(pipelines: Pipelines, known: Carriage, tell: Watch) -> Carriage:
        return replace(queue(pipelines, known, tell), before=frozenset(), passed=frozenset())

    monkeypatch.setattr(sharing, "_queue", forgetful)


def keeps_its_own_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_converge", lambda _pipelines, known, _tell: replace(known, own=None))


def cancels_without_a_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    def bluntly(pipelines: Pipelines, own: Run, instead: Run, tell: Watch) -> Run:
        pipelines.cancel(own.id)
        return instead

    monkeypatch.setattr(sharing, "_stand_down", bluntly)


def follows_the_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    def stubborn(
        pipelines: Pipelines, known: Carriage, left: RunLeft, tell: Watch, *, newest: bool = False
    ) -> Carriage:
        return replace(known, following=left.run.id, seen=known.seen | {left.run.id})

    monkeypatch.setattr(sharing, "_go_on", stubborn)


def believes_in_any_timeline(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(records: Sequence[TimelineRecord]) -> bool:
        return False

    monkeypatch.setattr(sharing, "_skips", careless)


@pytest.mark.parametrize(
    ("break_it", "world", "found"),
    [
        pytest.param(joins_what_has_begun, start(2, Lock.NONE), "started without its version", id="6"),
        pytest.param(
            believes_in_any_timeline, start(2, Lock.NONE, Budget(skips=1)), "without its version", id="6, stages"
        ),
        pytest.param(
            takes_what_appears_for_new,
            start(2, Lock.NONE, Budget(failures=1, restarts=1)),
            "without its version",
            id="6, anew",
        ),
        pytest.param(takes_what_was_there_for_new, start(2, Lock.NONE), "without its version", id="6, first look"),
        pytest.param(keeps_its_own_run, start(2, Lock.NONE), "wait, and nobody is about to cancel one", id="7"),
        pytest.param(cancels_without_a_tag, three(Lock.NONE, *BOTH_LOOKED), "blames a person", id="7, tag"),
        pytest.param(
            remembers_what_has_begun, start(2, Lock.SEQUENTIAL, Budget(locks=1)), "without its version", id="8"
        ),
        pytest.param(follows_the_cancelled, three(Lock.NONE, *BOTH_LOOKED), "a delivery never ends", id="8, end"),
    ],
)
def test_the_exploration_finds_out_every_broken_rule(
    monkeypatch: pytest.MonkeyPatch, break_it: Callable[[pytest.MonkeyPatch], None], world: World, found: str
) -> None:
    break_it(monkeypatch)
    with pytest.raises(BrokenError, match=found):
        explore(world)


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
