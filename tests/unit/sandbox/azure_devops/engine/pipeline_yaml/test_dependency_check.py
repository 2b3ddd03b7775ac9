from __future__ import annotations

import pytest

from .pipeline_repository import expand, problems

Edges = dict[str, str]


def stages(edges: Edges) -> str:
    return "stages:\n" + "".join(
        f"- stage: {name}\n{f'  dependsOn: {needs}' if needs else '  # nothing said'}\n  jobs: [{{job: J}}]\n"
        for name, needs in edges.items()
    )


def jobs(edges: Edges) -> str:
    lines = "".join(
        f"  - job: {name}\n{f'    dependsOn: {needs}' if needs else '    # nothing said'}\n"
        for name, needs in edges.items()
    )
    return f"stages:\n- stage: S\n  jobs:\n{lines}"


@pytest.mark.parametrize(
    ("edges", "messages"),
    [
        ({"A": "[B]", "B": "[A]"}, ["1, 1: The pipeline must contain at least one stage with no dependencies."]),
        ({"A": "[A]"}, ["1, 1: The pipeline must contain at least one stage with no dependencies."]),
        ({"A": "[Z]", "B": "[A]"}, ["1, 1: The pipeline must contain at least one stage with no dependencies."]),
        ({"A": "[B]", "B": ""}, ["1, 1: The pipeline must contain at least one stage with no dependencies."]),
        ({"A": "", "B": "[Z]"}, ["5, 3: Stage B depends on unknown stage Z."]),
        ({"A": "", "B": "[B]"}, ["5, 3: Stage B depends on stage B which creates a cycle in the dependency graph."]),
        (
            {"A": "", "B": "[A, C]", "C": "[b, Z]"},
            [
                "5, 3: Stage B depends on stage C which creates a cycle in the dependency graph.",
                "8, 3: Stage C depends on stage b which creates a cycle in the dependency graph.",
                "8, 3: Stage C depends on unknown stage Z.",
            ],
        ),
        (
            {"A": "", "B": "[A, C]", "C": "[D]", "D": "[C]"},
            [
                "8, 3: Stage C depends on stage D which creates a cycle in the dependency graph.",
                "11, 3: Stage D depends on stage C which creates a cycle in the dependency graph.",
            ],
        ),
        (
            {"A": "", "a": ""},
            ["5, 3: The stage name a appears more than once. Stage names must be unique within a pipeline."],
        ),
    ],
)
def test_stages_that_cannot_be_put_in_an_order_are_refused(edges: Edges, messages: list[str]) -> None:
    assert problems(stages(edges)) == [_placed(message) for message in messages]


@pytest.mark.parametrize(
    ("edges", "messages"),
    [
        ({"A": "B", "B": "A"}, ["2, 3: Stage S must contain at least one job with no dependencies."]),
        ({}, ["2, 3: Stage S must contain at least one job with no dependencies."]),
        ({"A": "", "B": "Z"}, ["6, 5: Stage S job B depends on unknown job Z."]),
        (
            {"A": "", "B": "C", "C": "B"},
            [
                "6, 5: Stage S job B depends on job C which creates a cycle in the dependency graph.",
                "8, 5: Stage S job C depends on job B which creates a cycle in the dependency graph.",
            ],
        ),
        ({"A": "", "a": ""}, ["6, 5: Stage S job a appears more than once. Job names must be unique within a stage."]),
    ],
)
def test_jobs_that_cannot_be_put_in_an_order_are_refused(edges: Edges, messages: list[str]) -> None:
    text = jobs(edges) if edges else "stages:\n- stage: S\n  jobs: []\n"
    assert problems(text) == [_placed(message) for message in messages]


def _placed(message: str) -> str:
    position, _, words = message.partition(": ")
    line, _, column = position.partition(", ")
    return f"/azure-pipelines.yml (Line: {line}, Col: {column}): {words}"


def test_what_can_be_put_in_an_order_is_taken() -> None:
    assert len(expand(stages({"A": "", "B": "", "C": "[]", "D": "[A, c]", "E": "D"})).stages) == 5
    assert len(expand(jobs({"A": "", "B": "a", "C": "[A, B]", "D": ""})).stages[0].jobs) == 4


def test_a_pipeline_without_stages_is_refused() -> None:
    assert problems("stages: []") == [
        "/azure-pipelines.yml (Line: 1, Col: 1): The pipeline must contain at least one stage with no dependencies."
    ]
