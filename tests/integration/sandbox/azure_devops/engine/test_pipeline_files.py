from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import (
    Expansion,
    JobDefinition,
    Parameter,
    PipelineDefinition,
    StageDefinition,
    StepContext,
    StepDefinition,
    ValidationFailed,
)
from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import DEVELOP, MadeFile, nothing, pipeline, stage

MESSAGES = ("/a.yml (Line: 1, Col: 1): Unexpected value 'stepz'", "/a.yml: A task is missing.")


def expand(definition: PipelineDefinition, wanted: Expansion) -> PipelineDefinition:
    names = ["Build", "Deploy"] if wanted.branch == DEVELOP else ["Build"]
    return replace(
        definition,
        stages=tuple(stage(name, nothing) for name in names),
        parameters={"size": Parameter("small", ("small", "big"))},
        yaml=f"# {wanted.branch} {wanted.parameters.get('size', 'small')}\n",
        run_name="file-$(Rev:r)",
    )


def refuse(definition: PipelineDefinition, wanted: Expansion) -> PipelineDefinition:
    raise ValidationFailed(MESSAGES)


def of_file(make: Any, **more: Any) -> tuple[MadeFile, PipelineDefinition]:  # noqa: ANN401 - passed on
    file = MadeFile(make)
    return file, pipeline(stages=(), branches={}, file=file, **more)


def test_each_run_has_the_stages_its_file_has_at_its_commit(serve: Serve) -> None:
    file, definition = of_file(expand, settable_variables=frozenset({"tag"}))
    api = serve(definition)
    run = api.run(branch=DEVELOP, templateParameters={"size": "big"}, variables={"tag": {"value": "1"}})
    assert file.asked == [Expansion(DEVELOP, "b" * 40, {"size": "big"}, {"tag": "1"})]
    assert api.server.wait(run) == "succeeded"
    assert [record["name"] for record in api.records(run, "Stage")] == ["Build", "Deploy"]
    build = api.build(run)
    assert (build["templateParameters"], build["buildNumber"]) == ({"size": "big"}, "file-1")
    body = {"definition": {"id": 12}, "reason": "schedule", "templateParameters": {}}
    other = api.json("POST", "build/builds", json=body)
    assert (other["templateParameters"], other["buildNumber"]) == ({"size": "small"}, "file-2")
    assert file.asked[-1].reason == "schedule"
    api.server.wait(other["id"])
    assert [record["name"] for record in api.records(other["id"], "Stage")] == ["Build"]


def test_stages_of_the_file_can_be_skipped_and_no_others(serve: Serve) -> None:
    api = serve(of_file(expand)[1])
    run = api.run(branch=DEVELOP, stagesToSkip=["Deploy"])
    assert api.server.wait(run) == "succeeded"
    assert [record["result"] for record in api.records(run, "Stage")] == ["succeeded", "skipped"]
    response = api("POST", "pipelines/12/runs", json={"stagesToSkip": ["Deploy"]})
    assert (response.status_code, "do not exist: Deploy" in response.json()["message"]) == (400, True)


def test_a_preview_has_the_expanded_file(serve: Serve) -> None:
    file, definition = of_file(expand)
    api = serve(definition)
    body = {"resources": {"repositories": {"self": {"refName": DEVELOP}}}, "templateParameters": {"size": "big"}}
    assert api.json("POST", "pipelines/12/preview", json=body) == {"finalYaml": f"# {DEVELOP} big\n"}
    assert api.json("POST", "pipelines/12/runs", json={**body, "previewRun": True})["finalYaml"] == f"# {DEVELOP} big\n"
    assert api.ids() == []
    assert len(file.asked) == 2


def test_a_file_that_is_wrong_is_refused_with_all_its_messages(serve: Serve) -> None:
    api = serve(of_file(refuse)[1])
    for path in ("runs", "preview"):
        response = api("POST", f"pipelines/12/{path}", json={})
        assert (response.status_code, response.json()["typeKey"]) == (400, "PipelineValidationException")
        assert response.json()["message"] == "\n".join(MESSAGES)
    error = api("POST", "build/builds", json={"definition": {"id": 12}}).json()
    assert error["typeKey"] == "BuildRequestValidationFailedException"
    assert [each["message"] for each in error["customProperties"]["ValidationResults"]] == list(MESSAGES)
    assert api.ids() == []


def test_pipelines_are_listed_as_they_were_registered(serve: Serve) -> None:
    api = serve(of_file(expand, variables={"a": "1"})[1])
    api.server.wait(api.run())
    assert api.json("GET", "build/definitions/12")["variables"] == {"a": {"value": "1", "allowOverride": False}}
    assert [each["id"] for each in api.json("GET", "pipelines")["value"]] == [12]


def test_variables_of_the_file_are_those_of_the_run(serve: Serve) -> None:
    """The file was given what was asked for when the run was queued, and has the last word."""
    seen: list[str] = []

    def look(context: StepContext) -> None:
        seen.append(context.variables["tag"])

    def make(definition: PipelineDefinition, wanted: Expansion) -> PipelineDefinition:
        steps = (StepDefinition("look", look),)
        variables = {"tag": f"{wanted.variables['tag']} of the file"}
        return replace(definition, stages=(StageDefinition("A", (JobDefinition("job", steps),)),), variables=variables)

    api = serve(of_file(make, settable_variables=frozenset({"tag"}))[1])
    assert api.server.wait(api.run(variables={"tag": {"value": "226"}})) == "succeeded"
    assert seen == ["226 of the file"]


@pytest.mark.parametrize("value", [["a"], {"a": 1}])
def test_parameters_of_a_file_are_sent_as_strings(serve: Serve, value: object) -> None:
    response = serve(of_file(expand)[1])("POST", "pipelines/12/runs", json={"templateParameters": {"size": value}})
    assert (response.status_code, "Unable to convert from" in response.json()["message"]) == (400, True)
