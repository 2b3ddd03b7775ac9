"""What the marks on the versions of a parameter mean together."""

from __future__ import annotations

import pytest

from ecs_cd.model.labels import FLOOR, GATE, HELD, NO_MARKS, VERIFIED, VERIFIED_BEFORE, Mark, Marks
from ecs_cd.model.parameter import ParameterVersion


@pytest.mark.parametrize(
    ("gate", "held", "floor", "means"),
    [
        (0, 0, 0, ""),
        (7, 0, 0, "rolling_back"),
        (7, 6, 0, "rolling_back"),
        (7, 7, 0, "rolling_back"),
        (7, 8, 0, "holds gate_stands"),
        (0, 8, 0, "holds"),
        (7, 8, 8, ""),
        (7, 8, 7, "holds"),
        (7, 9, 8, "holds"),
        (7, 0, 7, ""),
        (9, 8, 8, "rolling_back"),
    ],
)
def test_the_later_mark_counts(gate: int, held: int, floor: int, means: str) -> None:
    marks = Marks(Mark(gate), Mark(held), Mark(floor))
    told = {"rolling_back": marks.rolling_back, "holds": marks.holds, "gate_stands": marks.gate_stands}
    assert " ".join(word for word, true in told.items() if true) == means


def test_marks_are_found_where_they_sit_and_a_label_that_moved_counts_where_it_is_later() -> None:
    versions = [
        ParameterVersion("/tag", "103", 9, labels=(HELD, "somebody-else's")),
        ParameterVersion("/tag", "101", 7, labels=(HELD, VERIFIED)),
        ParameterVersion("/tag", "102", 8, labels=(GATE,)),
        ParameterVersion("/tag", "100", 6, labels=(FLOOR, VERIFIED_BEFORE)),
    ]
    found = Marks(Mark(8, "102"), Mark(9, "103"), Mark(6, "100"), Mark(7, "101"), Mark(6, "100"))
    assert Marks.of(versions) == Marks.of(reversed(versions)) == found
    assert Marks.of([]) == NO_MARKS
