"""Rule 12 at the limit of a hundred versions: which labels make room for the next write, and which never do."""

from __future__ import annotations

import pytest

from ecs_cd.errors import ParameterRefused
from ecs_cd.model.labels import FLOOR, GATE, HELD, VERIFIED
from ecs_cd.model.parameter import Parameter
from ecs_cd.parameter.version_limit import write_version
from tests.support.fakes import FakeParameters

NAME = "/api/dev/tag"


def full(*values: str, **labels: int) -> FakeParameters:
    """Return a store without room for one more version; `labels` say which version carries `ecs-cd.` and the name."""
    store = FakeParameters(len(values))
    for value in values:
        store.put(Parameter(NAME, value, 0))
    for label, version in labels.items():
        store.label(NAME, version, f"ecs-cd.{label}")
    return store


def write(store: FakeParameters, value: str) -> int | None:
    return write_version(store, store.standing(NAME), value)


def test_the_gate_of_a_rollback_under_way_is_not_dropped_for_a_write() -> None:
    store = full("9", "8", "7", gate=1)
    assert write(store, "10") is None
    assert store.labelled(NAME, GATE) == [1]
    assert store.values(NAME) == ["9", "8", "7"]


@pytest.mark.parametrize("over", [{"held": 2}, {"floor": 2}])
def test_the_gate_of_a_rollback_that_is_over_makes_room(over: dict[str, int]) -> None:
    store = full("9", "8", "7", gate=1, **over)
    assert write(store, "10") == 4
    assert store.labelled(NAME, GATE) == []


def test_a_hold_whose_value_is_in_no_other_version_is_not_dropped_for_a_write() -> None:
    store = full("4", "9", "8", held=1)
    assert write(store, "10") is None
    assert store.labelled(NAME, HELD) == [1]


def test_a_hold_moves_to_the_newest_version_with_its_value() -> None:
    store = full("4", "4", "9", "4", "8", held=1)
    assert write(store, "10") == 6
    assert store.labelled(NAME, HELD) == [4]


def test_a_hold_that_is_in_force_no_more_makes_room() -> None:
    store = full("4", "9", "8", held=1, floor=2)
    assert write(store, "10") == 4
    assert store.labelled(NAME, HELD) == []
    assert store.labelled(NAME, FLOOR) == [2]


def test_only_the_oldest_version_loses_its_labels() -> None:
    store = full("4", "9", "8", floor=1, verified=2)
    assert write(store, "10") == 4
    assert (store.labelled(NAME, FLOOR), store.labelled(NAME, VERIFIED)) == ([], [2])


def test_a_label_of_somebody_else_is_left_and_the_command_that_moves_it_is_named() -> None:
    store = full("4", "9", "8")
    store.label(NAME, 1, "golden")
    with pytest.raises(ParameterRefused, match="labelled golden") as caught:
        write(store, "10")
    assert f"--name {NAME} --parameter-version 3 --labels golden" in caught.value.hint
    assert store.labelled(NAME, "golden") == [1]
