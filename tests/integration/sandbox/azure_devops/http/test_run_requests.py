from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import Parameter
from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import DEVELOP, MAIN, nothing, pipeline, stage

PARAMETERS = {
    "environment": Parameter(values=("development", "production")),
    "dry": Parameter(default="false"),
}


def test_pipelines_are_listed_by_name_in_pages(serve: Serve) -> None:
    api = serve(pipeline(id=3, name="c"), pipeline(id=1, name="a"), pipeline(id=2, name="b", folder="\\infra"))
    first = api("GET", "pipelines", params={"$top": 2})
    assert [each["name"] for each in first.json()["value"]] == ["a", "b"]
    token = first.headers["x-ms-continuationtoken"]
    rest = api("GET", "pipelines", params={"$top": 2, "continuationToken": token})
    assert [each["name"] for each in rest.json()["value"]] == ["c"]
    assert "x-ms-continuationtoken" not in rest.headers


def test_a_pipeline_has_its_configuration(serve: Serve) -> None:
    one = serve(pipeline(folder="\\infra")).json("GET", "pipelines/12")
    assert (one["id"], one["folder"], one["configuration"]["type"]) == (12, "\\infra", "yaml")


def test_a_run_takes_the_default_branch_and_its_commit(serve: Serve) -> None:
    run = serve(pipeline()).json("POST", "pipelines/12/runs", json={})
    assert run["resources"]["repositories"]["self"]["refName"] == MAIN
    assert run["resources"]["repositories"]["self"]["version"] == "a" * 40
    assert run["state"] == "inProgress"
    assert re.fullmatch(r"\d{8}\.1", run["name"])
    assert "result" not in run


def test_runs_are_named_by_day_and_counted_for_each_pipeline(serve: Serve) -> None:
    api = serve(pipeline(), pipeline(id=13, name="other"))
    names = [api.json("POST", f"pipelines/{number}/runs", json={})["name"] for number in (12, 12, 13)]
    assert [name.partition(".")[2] for name in names] == ["1", "2", "1"]


def test_a_run_is_a_build_of_the_same_id(serve: Serve) -> None:
    api = serve(pipeline())
    run = api.run(branch=DEVELOP)
    build = api.build(run)
    assert (build["id"], build["definition"]["id"], build["sourceBranch"]) == (run, 12, DEVELOP)
    assert build["sourceVersion"] == "b" * 40
    assert build["requestedFor"]["displayName"] == "Ann Example"
    assert api.json("GET", f"pipelines/12/runs/{run}")["id"] == run
    assert [each["id"] for each in api.json("GET", "pipelines/12/runs")["value"]] == [run]


def test_a_run_of_another_pipeline_is_not_found(serve: Serve) -> None:
    api = serve(pipeline(), pipeline(id=13, name="other"))
    assert api("GET", f"pipelines/13/runs/{api.run(12)}").status_code == 404


def test_queueing_through_the_build_api_answers_200_with_a_waiting_build(serve: Serve) -> None:
    api = serve(pipeline(settable_variables=frozenset({"tag"}), parameters=PARAMETERS))
    body = {
        "definition": {"id": 12},
        "sourceBranch": DEVELOP,
        "parameters": json.dumps({"tag": "226"}),
        "templateParameters": {"environment": "development"},
        "reason": "manual",
    }
    with api.server.agents_offline():
        response = api("POST", "build/builds", json=body)
        assert (response.status_code, response.json()["status"]) == (200, "notStarted")
    build = response.json()
    assert json.loads(build["parameters"]) == {"tag": "226"}
    assert build["templateParameters"] == {"environment": "development", "dry": "false"}


def test_queue_time_variables_that_are_no_json_are_refused(serve: Serve) -> None:
    body = {"definition": {"id": 12}, "parameters": "tag=226"}
    response = serve(pipeline())("POST", "build/builds", json=body)
    assert (response.status_code, response.json()["typeKey"]) == (400, "BuildRequestValidationFailedException")


def test_the_definition_of_a_build_may_be_named_in_the_query(serve: Serve) -> None:
    api = serve(pipeline())
    assert api.json("POST", "build/builds", params={"definitionId": 12}, json={})["definition"]["id"] == 12
    assert api("POST", "build/builds", json={}).status_code == 400


def test_template_parameters_are_given_as_strings_and_defaults_fill_in(serve: Serve) -> None:
    api = serve(pipeline(parameters=PARAMETERS))
    run = api.json("POST", "pipelines/12/runs", json={"templateParameters": {"environment": "production"}})
    assert run["templateParameters"] == {"environment": "production", "dry": "false"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"templateParameters": {"environment": ["a"]}}, "Unable to convert from Array to String. Value: Array"),
        ({"templateParameters": {"environment": "moon"}}, "parameter value 'moon' is not a valid value"),
        ({"templateParameters": {"environment": "production", "x": "y"}}, "Unexpected parameter 'x'"),
        ({}, "A value for the 'environment' parameter must be provided"),
        (
            {"templateParameters": {"environment": "production"}, "variables": {"a": {"value": "1"}, "b": {}}},
            "You can't set the following variables (a,b)",
        ),
        (
            {"templateParameters": {"environment": "production"}, "stagesToSkip": ["Nope"]},
            "The stages to skip do not exist: Nope",
        ),
        (
            {
                "templateParameters": {"environment": "production"},
                "resources": {"repositories": {"self": {"refName": "refs/heads/nope"}}},
            },
            "Unable to resolve the reference 'refs/heads/nope' to a specific version.",
        ),
    ],
)
def test_a_run_that_cannot_be_made_is_refused_with_the_reason(serve: Serve, body: dict[str, Any], message: str) -> None:
    api = serve(pipeline(parameters=PARAMETERS))
    response = api("POST", "pipelines/12/runs", json=body)
    assert (response.status_code, response.json()["typeKey"]) == (400, "PipelineValidationException")
    assert message in response.json()["message"]
    assert api.ids() == []


def test_the_build_api_refuses_with_validation_results(serve: Serve) -> None:
    api = serve(pipeline())
    response = api("POST", "build/builds", json={"definition": {"id": 12}, "sourceBranch": "refs/heads/nope"})
    error = response.json()
    assert (response.status_code, error["typeKey"]) == (400, "BuildRequestValidationFailedException")
    assert error["message"] == "Could not queue the build because there were validation errors or warnings."
    assert error["customProperties"]["ValidationResults"][0]["result"] == "error"


def test_an_unknown_pipeline_is_500_for_runs_and_preview_and_404_elsewhere(serve: Serve) -> None:
    api = serve()
    for method, path, status in (
        ("POST", "pipelines/999999/runs", 500),
        ("POST", "pipelines/999999/preview", 500),
        ("GET", "pipelines/999999", 404),
        ("GET", "pipelines/999999/runs", 404),
    ):
        response = api(method, path, json={} if method == "POST" else None)
        assert (response.status_code, response.json()["typeKey"]) == (status, "PipelineNotFoundException")
        assert response.json()["message"] == "The pipeline '999999' does not exist"
    assert api("GET", "build/definitions/999999").json()["typeKey"] == "DefinitionNotFoundException"


def test_a_disabled_pipeline_refuses_to_be_queued(serve: Serve) -> None:
    api = serve(pipeline(queue_status="disabled"))
    assert api("POST", "pipelines/12/runs", json={}).status_code == 400
    assert api("POST", "build/builds", json={"definition": {"id": 12}}).status_code == 400
    assert api.json("GET", "build/definitions/12")["queueStatus"] == "disabled"


def test_a_preview_answers_the_final_yaml_and_queues_nothing(serve: Serve) -> None:
    api = serve(pipeline(stages=(stage("Apply", nothing),)), pipeline(id=13, name="y", yaml="steps: []\n"))
    made = api.json("POST", "pipelines/12/preview", json={"previewRun": True})
    assert made == {"finalYaml": "stages:\n- stage: Apply\n  jobs:\n  - job: job\n"}
    assert api.json("POST", "pipelines/13/preview", json={})["finalYaml"] == "steps: []\n"
    assert api.json("POST", "pipelines/13/preview", json={"yamlOverride": "jobs: []"})["finalYaml"] == "jobs: []"
    assert api.json("POST", "pipelines/13/runs", json={"previewRun": True})["finalYaml"] == "steps: []\n"
    assert api.ids() == []


def test_a_pipeline_without_branches_has_its_default_branch_alone(serve: Serve) -> None:
    api = serve(pipeline(branches={}, default_branch=DEVELOP))
    assert api.build(api.run(branch=DEVELOP))["sourceBranch"] == DEVELOP
    assert api("POST", "build/builds", json={"definition": {"id": 12}, "sourceBranch": MAIN}).status_code == 400


def test_a_preview_refuses_a_branch_and_parameters_as_a_run_does_and_queues_nothing(serve: Serve) -> None:
    api = serve(pipeline(parameters=PARAMETERS))
    given = {"templateParameters": {"environment": "production"}}
    assert api("POST", "pipelines/12/preview", json=given).json()["finalYaml"]
    for wrong in (
        {"templateParameters": {"environment": "elsewhere"}},
        {**given, "resources": {"repositories": {"self": {"refName": "refs/heads/nope"}}}},
        {},
    ):
        previewed = api("POST", "pipelines/12/preview", json={"previewRun": True, **wrong})
        queued = api("POST", "pipelines/12/runs", json=wrong)
        assert (previewed.status_code, previewed.json()) == (400, queued.json())
    assert api.ids() == []
