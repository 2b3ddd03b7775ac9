"""Texts that people have met are told apart: what is wrong, and the place where it is solved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.azure_devops import AzureDevOpsSettings
from ecs_cd.azure_devops.error_response import ErrorResponse, ResponseError
from ecs_cd.azure_devops.errors import Operation, map_error
from ecs_cd.errors import AccessDenied, BadCredentials, EcsCdError, QueueRefused
from ecs_cd.model.pipeline_problems import read_problem
from ecs_cd.run.state_lock import lost_agent, read_state_lock
from ecs_cd.sanitize import single_line
from tests.integration.azure_devops.conftest import PAT
from tests.integration.azure_devops.messages import ANSWERS, BRANCH, LOST_AGENTS, PROBLEMS, Answer, Problem

SETTINGS = AzureDevOpsSettings("https://dev.azure.com/acme", "platform", pat=PAT)
QUEUEING = Operation(SETTINGS, "queueing pipeline 'x'", right="Queue builds", branch=BRANCH)
LOOKING = Operation(SETTINGS, "looking at run 5")
KINDS = {problem.kind for problem in PROBLEMS if problem.kind}
RENEWAL = "Check that it is the right one"


def refused(text: str, *, status: int = 400, type_key: str = "PipelineValidationException") -> EcsCdError:
    return map_error(ResponseError(ErrorResponse(status, type_key, text)), QUEUEING)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: f"{problem.kind or 'none'} {problem.source}")
def test_a_text_is_of_its_kind_and_leads_to_the_place_where_it_is_solved(problem: Problem) -> None:
    read = read_problem(problem.text, branch=BRANCH)
    assert (read.kind if read else "") == problem.kind
    assert problem.place in (read.advice if read else "")


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.source)
def test_a_refusal_begins_with_the_words_of_the_service(problem: Problem) -> None:
    error = refused(problem.text)
    assert type(error) is (AccessDenied if problem.text.startswith("TF401019") else QueueRefused)
    assert error.message.startswith(f'"{single_line(problem.text.splitlines()[0])[:30]}')
    assert "queueing pipeline 'x'" in error.message
    assert problem.place in error.hint


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.source)
def test_disabled_and_no_branch_are_said_of_this_pipeline_and_branch_alone(problem: Problem) -> None:
    said = refused(problem.text).message.rpartition('"')[2]  # without the words that it quotes
    assert ("the pipeline is disabled" in said) == (problem.kind == "disabled")
    assert ("there is no branch" in said) == (problem.kind == "branch")


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.source)
def test_no_problem_of_a_pipeline_is_a_lock_or_a_lost_agent(problem: Problem) -> None:
    assert read_state_lock([problem.text]) is None
    assert lost_agent([problem.text]) == ""


@pytest.mark.parametrize("source", LOST_AGENTS)
def test_a_lost_agent_is_no_problem_of_the_pipeline(source: str) -> None:
    assert lost_agent([LOST_AGENTS[source]])
    assert read_problem(LOST_AGENTS[source]) is None


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.status} {answer.source}")
def test_an_answer_about_an_identity_says_which_right_or_credential(answer: Answer) -> None:
    error = refused(answer.text, status=answer.status, type_key=answer.type_key)
    assert type(error) is answer.error
    assert answer.says in error.message
    assert answer.hints in (error.hint or "")


@pytest.mark.parametrize("answer", [a for a in ANSWERS if a.error is not QueueRefused], ids=lambda a: a.source)
def test_it_says_the_same_of_any_other_call(answer: Answer) -> None:
    error = map_error(ResponseError(ErrorResponse(answer.status, answer.type_key, answer.text)), LOOKING)
    assert type(error) is answer.error
    assert answer.says in error.message


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.status} {answer.source}")
def test_only_a_credential_that_is_not_accepted_is_to_be_renewed(answer: Answer) -> None:
    error = refused(answer.text, status=answer.status, type_key=answer.type_key)
    assert (RENEWAL in (error.hint or "")) == (answer.error is BadCredentials)


@pytest.mark.parametrize("right", ["Queue builds", "Edit build quality", "Edit queue build configuration", "Something"])
def test_the_right_is_the_one_that_the_answer_names(right: str) -> None:
    text = (
        f"Access denied. Ann needs {right} permissions for build pipeline 3:x in team project p to perform the action."
    )
    error = map_error(ResponseError(ErrorResponse(403, "AccessDeniedException", text)), QUEUEING)
    assert f"{right} for build pipeline 3:x is missing" in error.message
    assert f"Allow 'Ann' {right} (" in (error.hint or "")


def test_a_disabled_pipeline_is_named_by_its_type_where_the_text_is_in_another_language() -> None:
    error = refused("Die Pipeline ist deaktiviert.", type_key="DefinitionDisabledException")
    assert "the pipeline is disabled" in error.message
    assert "Processing of new run requests" in (error.hint or "")


@given(text=st.text(max_size=6000), status=st.integers(400, 599), kind=st.sampled_from(sorted(KINDS)))
def test_no_text_of_the_service_makes_the_mapping_fail(text: str, status: int, kind: str) -> None:
    known = next(problem for problem in PROBLEMS if problem.kind == kind)
    for said in (text, known.text + text, text + known.text):
        for operation in (LOOKING, QUEUEING):
            error = map_error(ResponseError(ErrorResponse(status, "X", said)), operation)
            shown = f"{error.message}{error.hint}"
            assert len(shown) < 3000
            assert "\n" not in shown and "\x1b" not in shown and "##vso[" not in shown


@given(st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=300))
def test_an_unknown_text_is_quoted_and_leads(text: str) -> None:
    words = f"Zq {text}"
    if read_problem(words, branch=BRANCH) is None:
        error = refused(words)
        assert error.message.startswith('"Zq')
        assert error.message.endswith("No run was queued (queueing pipeline 'x').")
        assert "portal" in (error.hint or "")
