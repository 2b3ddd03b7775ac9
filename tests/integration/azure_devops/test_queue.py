from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ecs_cd.azure_devops import AzureDevOps, AzureDevOpsSettings, connect
from ecs_cd.errors import AccessDenied, BadCredentials, EcsCdError, PipelineNotFound, QueueRefused, UnexpectedAnswer
from ecs_cd.model.run import Pipeline, RunRequest, RunState
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from ecs_cd_sandbox.azure_devops.http.tokens import Token
from ecs_cd_sandbox.azure_devops.model.identities import Identity
from tests.integration.azure_devops.conftest import JOB_TOKEN, MAIN, PAT, PERSON
from tests.support.fakes import FakeClock

REQUEST = RunRequest(Pipeline(7, "infrastructure"), MAIN)


@pytest.fixture
def as_job(server: Server, clock: FakeClock) -> Iterator[AzureDevOps]:
    with connect(AzureDevOpsSettings(server.url, "platform", token=JOB_TOKEN), clock) as connected:
        yield connected


def refusal(azure: AzureDevOps, request: RunRequest = REQUEST) -> EcsCdError:
    with pytest.raises(EcsCdError) as raised:
        azure.queue(request)
    return raised.value


def test_queues_on_the_branch_with_parameters_and_variables(azure: AzureDevOps, server: Server) -> None:
    with server.agents_offline():
        run = azure.queue(
            replace(REQUEST, template_parameters={"environment": "production"}, variables={"PLAN_ONLY": "true"})
        )
    (asked,) = server.recorder.exchanges
    assert asked.request_json == {
        "resources": {"repositories": {"self": {"refName": MAIN}}},
        "templateParameters": {"environment": "production"},
        "variables": {"PLAN_ONLY": {"value": "true"}},
    }
    assert (run.state, run.pipeline_id, run.branch) == (RunState.WAITING, 7, MAIN)
    assert run.url == f"{server.url}/{server.project.id}/_build/results?buildId={run.id}"
    assert run.name
    assert run.queued_at is not None


def test_sends_no_empty_parameters(azure: AzureDevOps, server: Server) -> None:
    azure.queue(REQUEST)
    assert server.recorder.exchanges[0].request_json == {"resources": {"repositories": {"self": {"refName": MAIN}}}}


def test_queues_with_the_job_token(as_job: AzureDevOps) -> None:
    assert as_job.queue(REQUEST).state is RunState.WAITING


def test_names_the_branch_that_is_missing(azure: AzureDevOps) -> None:
    error = refusal(azure, replace(REQUEST, branch="refs/heads/gone"))
    assert isinstance(error, QueueRefused)
    assert "no branch 'refs/heads/gone'" in error.message


def test_names_the_parameter_that_is_not_expected(azure: AzureDevOps) -> None:
    error = refusal(azure, replace(REQUEST, template_parameters={"environmnt": "x"}))
    assert isinstance(error, QueueRefused)
    assert "environmnt" in error.message
    assert "template_parameters" in error.hint


def test_names_the_variable_that_may_not_be_set(azure: AzureDevOps) -> None:
    error = refusal(azure, replace(REQUEST, variables={"SECRET_SWITCH": "x"}))
    assert isinstance(error, QueueRefused)
    assert "SECRET_SWITCH" in error.message
    assert "override" in error.hint


def test_says_that_the_pipeline_is_disabled(azure: AzureDevOps, server: Server) -> None:
    server.set_queue_status(7, "disabled")
    error = refusal(azure)
    assert isinstance(error, QueueRefused)
    assert "is disabled" in error.message


def test_says_what_else_is_wrong_with_the_file(azure: AzureDevOps, server: Server) -> None:
    body = {"message": "/x.yml (Line: 1, Col: 1): Unexpected value 'stepz'", "typeKey": "PipelineValidationException"}
    server.faults.answer("POST", "runs", status=400, body=body)
    error = refusal(azure)
    assert isinstance(error, QueueRefused)
    assert "Unexpected value 'stepz'" in error.message


def test_tells_a_server_that_is_too_old(azure: AzureDevOps, server: Server) -> None:
    body = {
        "message": "The requested REST API version of 7.1 is out of range",
        "typeKey": "VssVersionOutOfRangeException",
    }
    server.faults.answer("POST", "runs", status=400, body=body)
    error = refusal(azure)
    assert isinstance(error, UnexpectedAnswer)
    assert "too old" in error.message


def test_a_pipeline_that_went_away_is_not_an_outage(azure: AzureDevOps, server: Server) -> None:
    error = refusal(azure, RunRequest(Pipeline(999, "gone"), MAIN))
    assert isinstance(error, PipelineNotFound)
    assert "'\\gone' (id 999)" in error.message
    assert len(server.recorder.exchanges) == 1


def test_says_which_right_is_missing_and_for_whom(azure: AzureDevOps, server: Server) -> None:
    server.tokens.add(Token(PAT, PERSON, may_queue=frozenset()))
    error = refusal(azure)
    assert isinstance(error, AccessDenied)
    assert "'Ann Author'" in error.message
    assert "Queue builds for build pipeline 7:infrastructure" in error.message
    assert "vso.build_execute" in error.hint


def test_says_that_variables_take_a_right_of_their_own(azure: AzureDevOps, server: Server) -> None:
    server.tokens.add(Token(PAT, PERSON, may_configure=False))
    error = refusal(azure, replace(REQUEST, variables={"PLAN_ONLY": "true"}))
    assert isinstance(error, AccessDenied)
    assert "Edit queue build configuration for build pipeline 7:infrastructure is missing" in error.message
    assert "free-text template parameters take it" in error.hint
    assert azure.queue(REQUEST).state is not RunState.FAILED


def test_says_which_setting_keeps_a_jobs_token_from_the_repository(as_job: AzureDevOps, server: Server) -> None:
    service = Identity("platform Build Service (sandbox)")
    server.tokens.add(Token(JOB_TOKEN, service, kind="job", repositories=frozenset({"another"})))
    error = refusal(as_job)
    assert isinstance(error, QueueRefused)
    assert "could not be retrieved" in error.message
    assert "'Protect access to repositories in YAML pipelines'" in error.hint


def test_says_which_scope_the_pat_lacks(azure: AzureDevOps, server: Server) -> None:
    server.tokens.add(Token(PAT, PERSON, scopes=frozenset({"vso.build"})))
    error = refusal(azure)
    assert isinstance(error, AccessDenied)
    assert "vso.build_execute" in error.hint


def test_says_how_a_job_gets_the_right(as_job: AzureDevOps, server: Server) -> None:
    service = Identity("platform Build Service (sandbox)")
    server.tokens.add(Token(JOB_TOKEN, service, kind="job", may_queue=frozenset()))
    error = refusal(as_job)
    assert isinstance(error, AccessDenied)
    assert "'platform Build Service (sandbox)'" in error.message
    assert "Limit job authorization scope" in error.hint


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Access Denied: The Personal Access Token used has expired."),
        (403, "Access Denied: The Personal Access Token used has expired."),
        (401, "TF400813: The user 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa' is not authorized to access this resource."),
        (401, ""),
    ],
)
def test_nobody_and_an_expired_pat_are_bad_credentials(
    azure: AzureDevOps, server: Server, status: int, message: str
) -> None:
    server.faults.answer(
        "POST", "runs", status=status, body={"message": message, "typeKey": "AccessCheckException"} if message else ""
    )
    assert isinstance(refusal(azure), BadCredentials)


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "javascript://portal.example/%0aalert(1)",
        "ftp://portal.example/",
        "file:///etc/passwd",
        "https://ann:x@evil.example",
        "http://[",
        "https://a/\u202eb",
        7,
    ],
)
def test_takes_no_link_but_one_for_a_browser(azure: AzureDevOps, server: Server, href: object) -> None:
    body = {"id": 5, "name": "20260101.1", "state": "inProgress", "_links": {"web": {"href": href}}}
    server.faults.answer("POST", "runs", status=200, body=body)
    assert azure.queue(REQUEST).url == f"{server.url}/platform/_build/results?buildId=5"


def test_a_run_that_ended_at_once_has_ended(azure: AzureDevOps, server: Server) -> None:
    server.faults.answer("POST", "runs", status=200, body={"id": 5, "state": "completed", "result": "failed"})
    assert azure.queue(REQUEST).state is RunState.FAILED


@pytest.mark.parametrize("body", [{}, {"id": 0}, {"id": "x"}, {"id": -4}, "null"])
def test_a_run_without_an_id_is_an_odd_answer(azure: AzureDevOps, server: Server, body: object) -> None:
    server.faults.answer("POST", "runs", status=200, body=body)
    assert isinstance(refusal(azure), UnexpectedAnswer)
