"""Rule 12: whatever writers, rollbacks and releases do at the same time, dying anywhere, what is held stays on top.

`python -m tests.unit.parameter.test_hold_interleavings` explores the large scenarios too, and tells how many
interleavings there are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_cd.model.labels import GATE
from ecs_cd.model.parameter import Parameter, Recorded
from tests.support.fakes import FakeParameters
from tests.support.parameter_interleavings import Actor, End, Explorer, Release, Rollback, Turn, Writer, explore, play

NAME = "/api/dev/tag"
RELEASE = Release(NAME)
TURNS = st.lists(st.builds(Turn, st.integers(0, 3), st.integers(0, 5).map(lambda one: one == 0)), max_size=60)
FIRST = ("4", "9")
"""9 is what is rolled back from, in most scenarios: no writer has that tag."""


def store_with(*values: str, limit: int = 100, **labels: int) -> FakeParameters:
    """Return a store with these versions; `labels` say which version carries `ecs-cd.` and the name."""
    store = FakeParameters(limit)
    for value in values:
        store.put(Parameter(NAME, value, 0))
    for label, version in labels.items():
        store.label(NAME, version, f"ecs-cd.{label}")
    return store


def writes(tag: str) -> Writer:
    return Writer(NAME, tag=tag)


def back_to(value: str, *, remembers: bool = False) -> Rollback:
    return Rollback(NAME, value=value, remembers=remembers)


def held(end: End) -> bool:
    """Return whether a hold is in force and its value on top."""
    return end.standing.marks.holds and end.standing.value == end.standing.marks.held.value


def sound(end: End) -> bool:
    """Return whether it ended as it must: held, or released and nothing lost or put back that should not be."""
    if end.standing.marks.holds or not any(isinstance(actor, Release) for actor in end.actors):
        return held(end)
    return not end.standing.marks.rolling_back and not lost(end) and not resurrected(end)


def lost(end: End) -> bool:
    """Return whether a writer that began after the release is not on top, nor anything newer."""
    floor = end.standing.marks.floor.version
    began_after = [a for a in end.actors if isinstance(a, Writer) and a.first and a.first.marks.floor.version >= floor]
    newest = max((int(writer.tag) for writer in began_after), default=0)
    return floor > 0 and int(end.standing.value) < newest


def resurrected(end: End) -> bool:
    """Return whether something that stood only before the floor has been put on top after it."""
    floor = end.standing.marks.floor.version
    wanted = {actor.tag for actor in end.actors if isinstance(actor, Writer)}
    wanted |= {actor.value for actor in end.actors if isinstance(actor, Rollback)}
    wanted |= {v.value for v in end.store.history(NAME) if v.version == floor}
    return floor > 0 and any(v.version > floor and v.value not in wanted for v in end.store.history(NAME))


Scenario = tuple[tuple[str, ...], tuple[Actor, ...], int]
W9, W10, W11 = writes("9"), writes("10"), writes("11")
R4, RNOW = back_to("4"), back_to("", remembers=True)

SMALL: list[Scenario] = [
    (FIRST, (W10, R4), 2),
    (FIRST, (W10, RNOW), 2),
    (FIRST, (W9, R4), 2),
    (("9",), (W10, R4), 2),
    (FIRST, (W10, W11, R4), 1),
    (FIRST, (W10, W10, R4), 1),
    (FIRST, (writes("5"), W10, R4), 1),
    (FIRST, (W10, R4, RELEASE), 0),
    (FIRST, (writes("5"), R4, RELEASE), 1),
]
LARGE: list[Scenario] = [
    (FIRST, (W9, R4, RELEASE), 1),
    (FIRST, (W10, R4, RELEASE), 1),
    (FIRST, (W10, W10, W11, R4), 0),
    (FIRST, (W10, W10, W11, R4), 1),
]


def ends_of(scenario: Scenario) -> Iterator[End]:
    first, actors, deaths = scenario
    return explore(store_with(*first), actors, deaths)


def told(scenario: Scenario) -> str:
    first, actors, deaths = scenario
    who = " ".join(
        f"{type(actor).__name__.lower()} {getattr(actor, 'tag', getattr(actor, 'value', ''))}".strip()
        for actor in actors
    )
    return f"{','.join(first)}: {who}, {deaths} deaths"


@pytest.mark.parametrize("scenario", SMALL, ids=told)
def test_every_interleaving_ends_held_or_soundly_released(scenario: Scenario) -> None:
    ends = 0
    for end in ends_of(scenario):
        ends += 1
        assert sound(end), (end.values, end.standing.marks, end.actors)
        assert len(end.values) <= 16  # and not for ever
    assert ends


@pytest.mark.parametrize("first", [("4",), ("9", "4")])
def test_without_a_rollback_a_release_changes_nothing(first: tuple[str, ...]) -> None:
    for end in explore(store_with(*first), [writes("5"), writes("7"), RELEASE], 1):
        assert end.values[-1] in {"7", "9"}
        assert end.standing.marks.floor.version == 0


@pytest.mark.parametrize("limit", [6, 7])
def test_holding_needs_no_more_room_than_there_is(limit: int) -> None:
    for end in explore(store_with("3", "4", "9", limit=limit, verified=1), [W10, W11, R4], 0):
        assert held(end)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (("4", "9", "9", "9", "9", "9"), {"held": 1}),
        (("9", "4", "9", "9", "9", "9"), {"gate": 1, "held": 2}),
        (("4", "4", "9", "9", "9", "9"), {"held": 1, "verified": 1}),
        (("4", "9", "4", "9", "9", "9"), {"gate": 2, "held": 1, "floor": 2}),
    ],
)
def test_a_hold_outlives_the_version_that_carries_it(values: tuple[str, ...], labels: dict[str, int]) -> None:
    """Somebody has written over the hold until there was no more room: deliveries put it back all the same."""
    there = store_with(*values, limit=6, **labels).standing(NAME).marks
    for end in explore(store_with(*values, limit=6, **labels), [W10, W11], 0):
        assert held(end) if there.holds else end.standing.value == "11"


def test_a_hold_whose_last_version_is_leaving_is_never_simply_gone() -> None:
    """A writer that dies while it moves the hold leaves a gate at least, and everybody yields."""
    full = store_with("4", "9", "9", "9", "9", "9", limit=6, held=1)
    for end in explore(full, [W10, W11], 1):
        assert held(end) or end.standing.marks.rolling_back


def test_the_marks_of_proof_and_the_floor_make_room() -> None:
    full = store_with("3", "4", "9", "9", "9", "9", limit=6, verified=1, floor=2)
    for end in explore(full, [W10, W11], 1):
        assert end.standing.value == "11"


# What was found on the way, shrunk


def test_a_writer_that_read_before_the_hold_sees_it_after_its_write() -> None:
    """A hold on the value that is there must write it again: its version is what the writer finds in between."""
    [writer, *_] = play(store := store_with("9"), [W10, RNOW], [Turn(0), *[Turn(1)] * 5, Turn(0), Turn(0), Turn(0)])
    assert writer.result.recorded is Recorded.HELD
    assert store.values(NAME) == ["9", "9", "10", "9"]


def test_a_rollback_whose_gate_is_voided_before_its_label_is_done_again() -> None:
    """Released between gate and label, the rollback is not seen: what reads then writes over it without looking."""
    store = store_with("9", "4", gate=1, held=2)
    turns = [Turn(2), Turn(1), Turn(1), Turn(2), Turn(1), Turn(0), Turn(1), Turn(1), Turn(0)]
    play(store, [W10, back_to("3"), RELEASE], turns)
    assert store.standing(NAME).value == "3"
    assert store.standing(NAME).marks.holds


def test_a_second_rollback_is_not_undone_by_who_knows_the_first() -> None:
    """The gate at or after the hold says that another value is coming: the one held until now is not put back."""
    store = store_with("9", "4", gate=1, held=2)
    play(store, [W10, back_to("3")], [Turn(1), Turn(1), Turn(1), Turn(0)])
    assert store.values(NAME) == ["9", "4", "3"]


def test_a_held_value_put_back_after_the_release_gives_way_to_what_was_released() -> None:
    """The writer has read the hold and 10 on top of it; 10 is released; it puts 4 back, looks, and sees that."""
    store = store_with("9", "4", "10", gate=1, held=2)
    play(store, [W11, RELEASE], [Turn(0), *[Turn(1)] * 4, Turn(0), Turn(0), Turn(0)])
    assert store.values(NAME) == ["9", "4", "10", "4", "10", "11"]


def test_two_rollbacks_that_insist_do_not_write_for_ever() -> None:
    store = store_with("9")
    first, second = back_to("4", remembers=True), back_to("3", remembers=True)
    [one, other] = play(store, [first, second], [Turn(0), Turn(1)] * 20)
    assert one.result.overruled != other.result.overruled
    assert store.standing(NAME).value == store.standing(NAME).marks.held.value
    assert len(store.values(NAME)) <= 4


def test_a_rollback_that_labels_late_sees_to_it_that_a_hold_is_in_force() -> None:
    """It has taken the label away from another that was done; a writer that read before both leaves 10 on top."""
    store = store_with(*FIRST)
    done, slow = back_to("4", remembers=True), back_to("3", remembers=True)
    play(
        store, [done, slow, W10], [Turn(1), Turn(1), Turn(2), Turn(1), Turn(1)]
    )  # then each goes on to its end, in this order
    assert store.standing(NAME).marks.holds
    assert store.standing(NAME).value == store.standing(NAME).marks.held.value == "3"


def test_room_is_not_made_at_the_cost_of_a_rollback_under_way() -> None:
    """Moving its gate to a newer version would outlast the hold that it is about to make."""
    store = store_with("9", "8", "8", "8", limit=4, gate=1)
    [writer] = play(store, [W10], [])
    assert writer.result.recorded is Recorded.HELD
    assert store.labelled(NAME, GATE) == [1]


@settings(max_examples=200, deadline=None)
@given(turns=TURNS, tags=st.lists(st.sampled_from(["5", "10", "11"]), min_size=1, max_size=2))
def test_two_rollbacks_at_the_same_time_end_on_one_of_their_values(turns: list[Turn], tags: list[str]) -> None:
    store = store_with(*FIRST)
    actors = [back_to("4", remembers=True), back_to("3", remembers=True), *map(writes, tags)]
    play(store, actors, [turn for turn in turns if turn.actor < len(actors)])
    marks = store.standing(NAME).marks
    assert marks.holds
    assert store.standing(NAME).value == marks.held.value
    assert marks.held.value in ("4", "3")


def main() -> None:
    """Explore everything, and say how much that was."""
    for scenario in SMALL + LARGE:
        first, actors, deaths = scenario
        began = time.monotonic()
        explorer = Explorer(store_with(*first), actors, deaths)
        ends = wrong = 0
        for end in explorer.ends():
            ends += 1
            wrong += not sound(end)
        orders = explorer.interleavings() if scenario in SMALL else 0
        sys.stdout.write(
            f"{told(scenario)}: {explorer.states} states, {ends} ends, {wrong} wrong, "
            f"{orders or 'uncounted'} interleavings, {time.monotonic() - began:.0f} s\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
