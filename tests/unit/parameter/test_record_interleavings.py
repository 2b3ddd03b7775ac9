"""Rule 4: any interleaving of writers, dying anywhere and started again, ends on the newest tag.

`record` alone gives that for writers that are all started again in the end: rules 4 (a) to (c). What a writer that is
never started again has lost is put right by the deliveries still at work (rule 4 d), which is not tested here.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_cd.model.parameter import Parameter
from tests.support.fakes import FakeParameters
from tests.support.parameter_interleavings import Turn, Writer, explore, play

NAME = "/api/dev/tag"
FOUR_TAGS = st.lists(st.integers(1, 9).map(str), min_size=2, max_size=4)
FIRST_VALUES = st.sampled_from([(), ("latest",), ("1",), ("4",), ("4", "8")])
TURNS = st.lists(st.builds(Turn, st.integers(0, 3), st.integers(0, 5).map(lambda one: one == 0)), max_size=60)

FIRST = [(), ("latest",), ("4",), ("6",), ("9",), ("9", "4")]
PAIRS = [("5", "7"), ("5", "5"), ("26", "226")]


def newest(*values: str) -> str:
    return str(max(int(value) for value in values if value.isdigit()))


def store_with(*values: str) -> FakeParameters:
    store = FakeParameters()
    for value in values:
        store.put(Parameter(NAME, value, 0))
    return store


def writers(*tags: str) -> list[Writer]:
    return [Writer(NAME, tag) for tag in tags]


def most_versions(tags: list[str], deaths: int) -> int:
    """Return how many versions may be written: each attempt's own, and each time a newer one put back on top."""
    return (len(tags) + deaths) * len(set(tags))


@pytest.mark.parametrize("deaths", [0, 1, 2])
@pytest.mark.parametrize("tags", PAIRS)
@pytest.mark.parametrize("first", FIRST)
def test_every_interleaving_of_two_writers_ends_on_the_newest_tag(
    first: tuple[str, ...], tags: tuple[str, ...], deaths: int
) -> None:
    # What was there before any of them is not theirs to restore, unless it is what they find.
    expected = newest(*tags, *first[-1:])
    ends = list(explore(store_with(*first), writers(*tags), deaths))
    assert ends
    for end in ends:
        assert end.values[-1] in {expected, newest(*tags, *first)}
        assert len(end.values) - len(first) <= most_versions(list(tags), deaths)


@pytest.mark.parametrize("tags", [("5", "6", "7"), ("5", "7", "7"), ("5", "5", "7")])
@pytest.mark.parametrize("first", [(), ("4",), ("6",)])
def test_every_interleaving_of_three_writers_with_two_deaths_ends_on_the_newest_tag(
    first: tuple[str, ...], tags: tuple[str, ...]
) -> None:
    for end in explore(store_with(*first), writers(*tags), 2):
        assert end.values[-1] == "7"
        assert len(end.values) - len(first) <= most_versions(list(tags), 2)


def test_the_exploration_finds_what_looking_at_one_version_only_would_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    """7 written; 5, read before, written over it, its writer dies; 6 written over that; 5 started again."""
    monkeypatch.setattr("ecs_cd.parameter.record._LOOK_BACK", 2)
    lost = [end.values for end in explore(store_with("4"), writers("5", "6", "7"), 1) if end.values[-1] != "7"]
    assert lost == [("4", "7", "5", "6")]


@settings(max_examples=400, deadline=None)
@given(first=FIRST_VALUES, tags=FOUR_TAGS, turns=TURNS)
def test_up_to_four_writers_dying_anywhere_end_on_the_newest_tag(
    first: tuple[str, ...], tags: list[str], turns: list[Turn]
) -> None:
    store = store_with(*first)
    allowed = [turn for turn in turns if turn.actor < len(tags)]
    done = play(store, writers(*tags), allowed)
    assert store.values(NAME)[-1] in {newest(*tags, *first[-1:]), newest(*tags, *first)}
    assert all(writer.result for writer in done)
    deaths = sum(turn.dies for turn in allowed)
    assert len(store.values(NAME)) - len(first) <= most_versions(tags, deaths)
