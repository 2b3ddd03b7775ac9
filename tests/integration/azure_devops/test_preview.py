"""What Azure DevOps is asked before a run is queued, and which of its refusals are taken as such."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd.azure_devops import AzureDevOps
from ecs_cd.errors import AccessDenied, BadCredentials, QueueRefused
from ecs_cd.model.run import Pipeline, QueueStatus, RunRequest
from ecs_cd.run.expanded import read_expanded
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from ecs_cd_sandbox.azure_devops.http.tokens import Token
from tests.integration.azure_devops.conftest import MAIN, PAT, PERSON, pipeline

INFRASTRUCTURE = Pipeline(7, "infrastructure")
REQUEST = RunRequest(INFRASTRUCTURE, MAIN, {"environment": "prod"}, {"PLAN_ONLY": "1"})
PLAIN = RunRequest(INFRASTRUCTURE, MAIN)
VALIDATION = "PipelineValidationException"


def test_a_preview_has_the_yaml_and_queues_nothing(azure: AzureDevOps, server: Server) -> None:
    preview = azure.preview(REQUEST)
    assert preview
    assert "stage: Deploy" in preview.final_yaml
    (asked,) = server.recorder.exchanges
    assert asked.request_json == {
        "previewRun": True,
        "resources": {"repositories": {"self": {"refName": MAIN}}},
        "templateParameters": {"environment": "prod"},
        "variables": {"PLAN_ONLY": {"value": "1"}},
    }
    assert azure.active(INFRASTRUCTURE, MAIN) == ()


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (RunRequest(INFRASTRUCTURE, "refs/heads/nope"), ("no branch", "nope")),
        (RunRequest(INFRASTRUCTURE, MAIN, {"colour": "red"}), ("template parameters", "colour")),
    ],
)
def test_a_preview_refuses_what_queueing_would(
    azure: AzureDevOps, request_: RunRequest, words: tuple[str, ...]
) -> None:
    with pytest.raises(QueueRefused) as refused:
        azure.preview(request_)
    for word in words:
        assert word in refused.value.message


@pytest.mark.parametrize(
    "message",
    [
        "/azure-pipelines.yml (Line: 1, Col: 1): Unexpected value 'stepz'",
        "/azure-pipelines.yml: File /x.yml not found in repository https://dev.azure.com/o/p branch refs/heads/x.",
        "/azure-pipelines.yml: Unexpected parameter 'colour'",
        "You can't set the following variables (A).",
        "The build pipeline infra is disabled. Enable it to queue builds.",
    ],
)
def test_a_refusal_that_speaks_of_the_run_is_one(azure: AzureDevOps, server: Server, message: str) -> None:
    server.faults.answer("POST", "preview", status=400, body={"typeKey": VALIDATION, "message": message})
    with pytest.raises(QueueRefused):
        azure.preview(REQUEST)


@pytest.mark.parametrize(
    ("status", "type_key", "message"),
    [
        (400, VALIDATION, "There was a resource authorization issue: the service connection aws is not authorized."),
        (400, VALIDATION, "/a.yml (Line: 2, Col: 3): Variable group nope was not found or is not authorized for use."),
        (400, VALIDATION, "The pipeline is a designer pipeline and has no YAML to preview on this branch."),
        (400, VALIDATION, "Something else."),
        (400, "InvalidOperationException", "branch"),
        (401, "UnauthorizedRequestException", "TF400813: The user 'Ann' is not authorized to access this resource."),
        (403, "AccessDeniedException", "Access denied. Ann needs Edit build pipeline permissions."),
        (404, "", "The controller for path was not found."),
        (500, "PipelineNotFoundException", "The pipeline '7' does not exist"),
    ],
)
def test_any_other_refusal_says_nothing(
    azure: AzureDevOps, server: Server, status: int, type_key: str, message: str
) -> None:
    server.faults.answer("POST", "preview", status=status, body={"typeKey": type_key, "message": message})
    assert azure.preview(REQUEST) is None


@pytest.mark.parametrize("body", [{}, {"finalYaml": ""}, "null"])
def test_a_preview_without_yaml_is_none(azure: AzureDevOps, server: Server, body: object) -> None:
    server.faults.answer("POST", "preview", status=200, body=body)
    assert azure.preview(REQUEST) is None


@pytest.mark.parametrize("folder", ["\\", "\\team", "\\team\\Other, too"])
@pytest.mark.parametrize("may", [True, False])
def test_the_right_to_queue_is_asked_for_this_pipeline_in_its_folder(
    azure: AzureDevOps, server: Server, folder: str, may: bool
) -> None:
    server.define(pipeline(8, "network", folder))
    server.tokens.add(Token(PAT, PERSON, may_queue=frozenset({"network" if may else "infrastructure"})))
    (found,) = azure.find("8")
    if may:
        azure.check_queue_right(found)
        return
    with pytest.raises(AccessDenied) as refused:
        azure.check_queue_right(found)
    assert "Queue builds on pipeline" in refused.value.message
    assert "Manage security" in refused.value.hint


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_where_the_right_cannot_be_asked_for_nothing_is_refused(
    azure: AzureDevOps, server: Server, status: int
) -> None:
    (found,) = azure.find("7")
    server.faults.answer("GET", "permissions", status=status, body={"typeKey": "X", "message": "No."}, times=9)
    azure.check_queue_right(found)


@pytest.mark.parametrize("body", [{"count": 0, "value": []}, {"count": 1, "value": [True]}])
def test_an_answer_that_is_no_no_refuses_nothing(azure: AzureDevOps, server: Server, body: object) -> None:
    (found,) = azure.find("7")
    server.faults.answer("GET", "permissions", status=200, body=body)
    azure.check_queue_right(found)


def test_without_the_projects_id_the_right_is_not_asked_for(azure: AzureDevOps, server: Server) -> None:
    azure.check_queue_right(INFRASTRUCTURE)
    assert server.recorder.exchanges == []


def test_a_pipelines_status_is_known_by_name_and_by_id(azure: AzureDevOps, server: Server) -> None:
    server.set_queue_status(7, "paused")
    for reference in ("7", "infrastructure"):
        (found,) = azure.find(reference)
        assert found.queue_status is QueueStatus.PAUSED
        assert found.project_id


def test_bad_credentials_are_for_the_look_up_to_say(azure: AzureDevOps, server: Server) -> None:
    server.tokens.revoke(PAT)
    assert azure.preview(REQUEST) is None
    with pytest.raises(BadCredentials):
        azure.find("7")


def test_a_preview_shows_the_conditions_and_queues_nothing(azure: AzureDevOps, server: Server) -> None:
    definition = pipeline()
    condition = "eq(variables['Build.SourceBranch'], 'refs/heads/other')"
    server.define(replace(definition, stages=(replace(definition.stages[0], condition=condition),)))
    preview = azure.preview(PLAIN)
    assert preview
    found = read_expanded(preview.final_yaml, PLAIN)
    assert found and found.is_never_run("Stage", "Deploy")
    assert azure.newest(PLAIN.pipeline) is None


def test_a_preview_of_other_parameters_is_another(azure: AzureDevOps) -> None:
    shown, other = ({"environment": name} for name in ("development", "production"))
    plain = azure.preview(PLAIN)
    assert azure.preview(replace(PLAIN, template_parameters=shown)) == plain
    assert azure.preview(replace(PLAIN, template_parameters=other)) != plain
