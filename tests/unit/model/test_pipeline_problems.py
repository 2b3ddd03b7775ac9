"""Which problem a text speaks of: this run's branch or a template's, this pipeline or another thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.model.pipeline_problems import read_problem

BRANCH = "refs/heads/develop"


def kind(text: str, branch: str = BRANCH) -> str:
    problem = read_problem(text, branch=branch)
    return problem.kind if problem else ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"Could not get the latest source version for repository r hosted on Azure Repos using ref {BRANCH}.",
            "branch",
        ),
        ("Could not get the latest source version for repository r hosted on Azure Repos using ref v2", "template-ref"),
        (f"/a.yml: Could not get the latest source version for repository r using ref {BRANCH}.", "template-ref"),
        (f"/a.yml: File /a.yml not found in repository r branch {BRANCH} version {'0' * 40}.", "branch"),
        (f"/a.yml: File /a.yml not found in repository r branch {BRANCH} version 1f.", "file"),
        (f"/A.yml: File a.yml not found in repository r branch {BRANCH} version 1f.", "file"),
        (f"/a.yml: File /b.yml not found in repository r branch {BRANCH} version 1f.", "template-file"),
        (f"/a.yml@t: File /a.yml not found in repository r branch {BRANCH} version 1f.", "template-file"),
        ("/a.yml: File /a.yml not found in repository r branch refs/tags/v1 version 1f.", "template-file"),
        ("Refer to the documentation of the reference x.", ""),
    ],
)
def test_a_missing_branch_of_this_run_is_told_from_what_a_template_misses(text: str, expected: str) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The build pipeline infra is disabled. Enable it to queue builds.", "disabled"),
        ("The pipeline cannot be run because it is disabled.", "disabled"),
        ("Definition 7 is currently disabled", "disabled"),
        ("x\nDefinitionDisabledException", "disabled"),
        ("The pipeline uses the service connection x, which is disabled.", ""),
        ("The pipeline is not valid. Agent pool x is disabled.", ""),
        ("The service connection x is disabled.", ""),
        ("Job a: the service connection x cannot be used because it is disabled or not authorized.", ""),
        ("The build pipeline infra is paused.", "paused"),
        ("The pipeline is not valid. The agent is paused.", ""),
    ],
)
def test_disabled_and_paused_are_said_of_a_pipeline(text: str, expected: str) -> None:
    assert kind(text) == expected


def test_a_missing_file_is_named_where_the_text_names_it_twice() -> None:
    problem = read_problem(
        "An error occurred while fetching the YAML file 'a.yml'. File a.yml not found in repository r."
    )
    assert problem and problem.reading == "the pipeline's file 'a.yml' is not there"


def test_what_a_template_misses_counts_before_the_error_that_follows_from_it() -> None:
    text = "/r.yml (Line: 2, Col: 3): The 'stages' parameter is not a valid StageList."
    text += "\n/r.yml: File /t.yml not found in repository r"
    assert kind(text) == "template-file"


@pytest.mark.parametrize("name", ["x", "a 'quoted' name", "##vso[task.complete]", "y" * 200])
def test_a_name_is_quoted_in_the_advice(name: str) -> None:
    problem = read_problem(
        f"Could not find a pool with name {name}. The pool does not exist or has not been authorized."
    )
    assert problem and problem.kind == "pool"
    assert "Project settings > Agent pools > '" in problem.advice
    assert "##vso[" not in problem.advice


@given(st.text(max_size=3000), st.text(max_size=100))
def test_no_text_makes_it_fail(text: str, branch: str) -> None:
    problem = read_problem(text, branch=branch)
    assert problem is None or (problem.reading and problem.advice)


@pytest.mark.parametrize("part", ["/", "/a: ", ". ", "File /", "Environment ", "The repository ", "The pipeline "])
def test_a_long_text_is_read_in_bounded_time(part: str) -> None:
    assert kind(part * 100_000) == ""
