"""What `ecs-cd status` says of a place, in a cell of the matrix and in a line of its own."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ecs_cd.cli.status import line, shown
from ecs_cd.overview.matrix import PlaceStatus, RunInProgress

PLACE = PlaceStatus(
    "my-api", "development", "/tag", recorded="101", serves="101", rollout="completed", running=2, desired=2
)
RUN = RunInProgress(7, "20260101.7", "https://dev/7", "running")


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({}, "101"),
        ({"verified": True, "held": False}, "101, verified"),
        ({"verified": False, "held": False}, "101, not verified"),
        ({"verified": True, "held": True}, "101, held"),
        ({"serves": "100", "drift": True}, "101, DRIFT: 100 serves"),
        ({"rollout": "in-progress", "running": 1}, "101, in-progress, 1/2 tasks"),
        ({"rollout": "failed"}, "101, failed"),
        ({"rollout": ""}, "101"),
        ({"run": RUN, "runs": 1}, "101, run 20260101.7 running"),
        ({"run": RUN, "runs": 3}, "101, run 20260101.7 running (and 2 more)"),
        ({"recorded": None, "problem": "no such parameter"}, "-, no such parameter"),
        ({"serves": None, "running": 0, "problem": "no such ECS service"}, "101, no such ECS service"),
    ],
)
def test_a_cell_says_all_that_is_to_be_said_of_a_place(about: dict[str, object], said: str) -> None:
    assert line(replace(PLACE, **about)) == said  # type: ignore[arg-type]  # fields by name


def lines(*places: PlaceStatus, long: bool = False) -> list[list[str]]:
    return [[cell.strip() for cell in row.split("  ") if cell] for row in shown(places, long=long).splitlines()]


def test_several_environments_are_columns_in_their_order_with_a_row_for_each_service() -> None:
    production = replace(PLACE, environment="production", recorded="100", serves="100")
    worker = replace(PLACE, service="worker")
    assert lines(PLACE, worker, production) == [
        ["SERVICE", "development", "production"],
        ["my-api", "101", "100"],
        ["worker", "101"],
    ]


def test_a_long_problem_is_told_below_the_matrix_once_with_its_places() -> None:
    problem = "Cannot see ECS services in cluster 'nowhere' (eu-west-1): there is no such cluster."
    places = [replace(PLACE, service=f"s{n}", serves=None, problem=problem) for n in range(5)]
    other = replace(PLACE, environment="production", recorded=None, serves=None, problem="no such parameter")
    table = shown([*places, other], long=False).splitlines()
    assert [re.split(r" {2,}", row)[1] for row in table[1:6]] == ["101, problem"] * 5
    assert table[6].endswith("-, no such parameter")
    assert table[7:] == [f"s0 in development, s1 in development, s2 in development and 2 more: {problem}"]


def test_a_line_for_each_place_has_columns_for_what_there_is() -> None:
    marked = replace(PLACE, verified=True, held=False, run=RUN, runs=1)
    other = replace(PLACE, environment="production", recorded="102", serves="101", drift=True, held=True)
    missing = replace(PLACE, recorded=None, serves=None, rollout="", problem="no such parameter")
    drift = "DRIFT: what serves is not what is recorded"
    assert lines(marked, other, missing, long=True) == [
        ["SERVICE", "ENVIRONMENT", "RECORDED", "SERVES", "TASKS", "ROLLOUT", "MARKS", "RUN"],
        ["my-api", "development", "101", "101", "2/2", "completed", "verified", "run 20260101.7 running"],
        ["my-api", "production", "102", "101", "2/2", "completed", "held", "-", drift],
        ["my-api", "development", "-", "-", "-", "-", "-", "-", "no such parameter"],
    ]
    assert lines(PLACE)[0] == ["SERVICE", "ENVIRONMENT", "RECORDED", "SERVES", "TASKS", "ROLLOUT"]


def test_why_runs_are_not_shown_is_told_once() -> None:
    unseen = replace(PLACE, runs_unseen="There is no token.")
    assert shown([unseen, replace(unseen, service="b")], long=False).count("There is no token.") == 1
    assert shown([unseen], long=False).endswith("\nRuns are not shown: There is no token.")
