"""The built task as an agent runs it: node, the real task-lib, the bundled library, both clouds on this machine."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from ecs_cd.azure_task.inputs import names_by_command
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from ecs_cd_sandbox.azure_devops import StepContext
from ecs_cd_sandbox.azure_devops.agent.nodejs import find_node
from extension_builder.extension import BUILT_TASK
from tests.integration.azure_task.library_side import DIRECT, JOB_TOKEN
from tests.integration.azure_task.node_side import AWS, connection, inputs
from tests.integration.azure_task.test_credentials import assumed, queued
from tests.support.built_extension import built_extension
from tests.support.simulated_clouds import PARAMETER, SimulatedClouds

SECRET = "aws-connection-secret-0123456789abcdef"
ROLE = "arn:aws:iam::123456789012:role/deploy"
NOTHING: Mapping[str, str] = {}
SCHEME = "ms.vss-endpoint.endpoint-auth-scheme-basic"
KEYS = connection(AWS, "https://aws.amazon.com/", SCHEME, username="AKIAEXAMPLE", password=SECRET)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox's agent and its signals are POSIX")


@dataclass
class Agent:
    """Runs the unpacked task; `environ` is what every job has."""

    task: Path
    clouds: SimulatedClouds
    environ: dict[str, str]
    work: Path

    def start(self, **given: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(find_node(os.environ).path), str(self.task / "index.js")],
            cwd=self.work,
            env={**self.environ, **given},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def run(self, command: str, more: Mapping[str, str] = NOTHING, /, **given: str) -> Ended:
        """Run a command with all that it needs said by inputs, and return how it ended."""
        known = names_by_command()[command]
        said = {name: value for name, value in DIRECT.items() if name in known}
        process = self.start(**inputs(command=command, **{**said, **more}), **given)
        out, _ = process.communicate(timeout=120)
        for secret in (SECRET, JOB_TOKEN):
            shown = [line for line in out.splitlines() if secret in line and "##vso[task.setsecret]" not in line]
            assert not shown
        return Ended(process.returncode, out)


@dataclass
class Ended:
    """What the agent heard."""

    code: int
    out: str

    @property
    def result(self) -> str:
        [result] = re.findall(r"##vso\[task\.complete result=(\w+)", self.out)
        return str(result)

    @property
    def outputs(self) -> dict[str, str]:
        found = re.findall(r"##vso\[task\.setvariable variable=(\w+);isOutput=true[^\]]*\](.*)", self.out)
        return dict(found)

    def ended(self, result: str, *words: str) -> Ended:
        assert (self.code, self.result) == (0, result), self.out
        for word in words:
            assert word in self.out, self.out
        return self


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extension")
    with zipfile.ZipFile(built_extension()) as archive:
        archive.extractall(folder)
    return folder / BUILT_TASK


@pytest.fixture
def agent(unpacked: Path, clouds: SimulatedClouds, tmp_path: Path) -> Agent:
    work = tmp_path / "work"
    for name in ("s", "a", "temp"):
        (work / name).mkdir(parents=True)
    environ = {
        **{name: value for name, value in clouds.environment().items() if not name.startswith("PYTHON")},
        **connection("SYSTEMVSSCONNECTION", clouds.azure.url + "/", "OAuth", AccessToken=JOB_TOKEN),
        **KEYS,
        **inputs(awsCredentials=AWS, pythonPath=sys.executable),
        "TF_BUILD": "True",
        "AGENT_TEMPDIRECTORY": str(work / "temp"),
        "SYSTEM_COLLECTIONURI": clouds.azure.url + "/",
        "SYSTEM_TEAMPROJECT": "platform",
        "SYSTEM_HOSTTYPE": "build",
        "SYSTEM_DEFAULTWORKINGDIRECTORY": str(work / "s"),
        "PIPELINE_WORKSPACE": str(work),
        "BUILD_ARTIFACTSTAGINGDIRECTORY": str(work / "a"),
        "BUILD_BUILDID": "55",
    }
    for name in ("ECS_CD_AZURE_DEVOPS_PAT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environ.pop(name, None)
    return Agent(unpacked, clouds, environ, work)


def test_deploy(agent: Agent, clouds: SimulatedClouds) -> None:
    ended = agent.run("deploy", {"tag": "102"}).ended("Succeeded", "##vso[task.uploadsummary]", "ecs-cd.report")
    assert (clouds.value(), clouds.serves()) == ("102", "102")
    outputs = ended.outputs
    assert (outputs["outcome"], outputs["imageTag"], outputs["previousImageTag"]) == ("deployed", "102", "101")
    assert ended.out.rstrip().splitlines()[-1].startswith("##vso[task.complete result=Succeeded")


def test_verify(agent: Agent) -> None:
    assert agent.run("verify", {"tag": "101"}).ended("Succeeded").outputs["outcome"] == "unchanged"


def test_read_tag_of_a_build_job(agent: Agent) -> None:
    (agent.work / "a" / ".buildId").write_text("102\n", encoding="utf-8")
    ended = agent.run("read-tag", {"tagVariable": "theTag"}).ended("Succeeded")
    assert ended.outputs["imageTag"] == "102"
    assert re.search(r"##vso\[task\.setvariable variable=theTag;[^\]]*\]102", ended.out)


def test_set_parameter(agent: Agent, clouds: SimulatedClouds) -> None:
    assert agent.run("set-parameter", {"tag": "102"}).ended("Succeeded").outputs["parameterName"] == PARAMETER
    assert clouds.value() == "102"
    assert not [write for write in clouds.writes() if write.startswith("POST")]


def test_queue_pipeline_and_wait(agent: Agent, clouds: SimulatedClouds) -> None:
    ended = agent.run("queue-pipeline", {"wait": "true"}).ended("Succeeded")
    assert clouds.azure.wait(int(ended.outputs["runId"])) == "succeeded"
    assert clouds.aws.requests == () or "PutParameter" not in [request.operation for request in clouds.aws.requests]


def test_a_promotion_from_nowhere_names_the_input(agent: Agent, clouds: SimulatedClouds) -> None:
    agent.run("promote", {"tag": "101"}).ended("Failed", "give input 'promoteFrom'")
    assert clouds.writes() == []


def test_rollback(agent: Agent, clouds: SimulatedClouds) -> None:
    agent.run("deploy", {"tag": "102"}).ended("Succeeded")
    ended = agent.run("rollback", {"tag": "101"}).ended("Succeeded", "rolled back to 101 and held there")
    assert (ended.outputs["outcome"], ended.outputs["imageTag"]) == ("rolled-back", "101")
    assert clouds.serves() == "101"


def test_a_deployment_job_finds_the_artifact_of_its_resource(agent: Agent, clouds: SimulatedClouds) -> None:
    drop = agent.work / "build" / "drop"
    drop.mkdir(parents=True)
    (drop / ".buildId").write_text("102\n", encoding="utf-8")
    given = {"SYSTEM_HOSTTYPE": "deployment", "ENVIRONMENT_NAME": "development"}
    agent.run("deploy", **given).ended("Succeeded")
    assert clouds.serves() == "102"


def test_a_classic_release_finds_the_artifact_of_its_trigger(agent: Agent, clouds: SimulatedClouds) -> None:
    artifacts = agent.work / "r1" / "a"
    (artifacts / "_my-api" / "drop").mkdir(parents=True)
    (artifacts / "_my-api" / "drop" / ".buildId").write_text("102\n", encoding="utf-8")
    given = {
        "SYSTEM_HOSTTYPE": "release",
        "SYSTEM_ARTIFACTSDIRECTORY": str(artifacts),
        "SYSTEM_DEFAULTWORKINGDIRECTORY": str(artifacts),
        "AGENT_RELEASEDIRECTORY": str(artifacts),
        "RELEASE_RELEASEID": "7",
        "RELEASE_RELEASENAME": "Release-7",
        "RELEASE_ENVIRONMENTNAME": "development",
        "RELEASE_PRIMARYARTIFACTSOURCEALIAS": "_my-api",
    }
    agent.run("deploy", **given).ended("Succeeded")
    assert clouds.serves() == "102"


def test_a_role_of_the_connection_is_assumed(agent: Agent, clouds: SimulatedClouds) -> None:
    with_role = connection(
        AWS, "https://aws.amazon.com/", SCHEME, username="AKIAEXAMPLE", password=SECRET, assumeRoleArn=ROLE
    )
    agent.run("set-parameter", {"tag": "102"}, **with_role).ended("Succeeded")
    assert [role["RoleArn"] for role in assumed(clouds)] == [ROLE]


def test_oidc_needs_no_secret_at_all(agent: Agent, clouds: SimulatedClouds) -> None:
    def call(context: StepContext) -> None:
        no_keys = {name: value for name, value in agent.environ.items() if f"_{AWS}" not in name}
        own = connection("SYSTEMVSSCONNECTION", clouds.azure.url + "/", "OAuth", AccessToken=context.access.token)
        oidc = connection(AWS, "https://aws.amazon.com/", SCHEME, assumeRoleArn=ROLE, useOIDC="true")
        agent.environ = {**no_keys, **own, **oidc, "SYSTEM_OIDCREQUESTURI": context.access.oidc_request_url}
        ended.append(agent.run("set-parameter", {"tag": "102"}))

    ended: list[Ended] = []
    clouds.during_apply = call
    clouds.azure.wait(queued(clouds), timeout=100)
    ended[0].ended("Succeeded")
    [role] = assumed(clouds, "AssumeRoleWithWebIdentity")
    assert role["RoleArn"] == ROLE
    assert role["WebIdentityToken"] not in ended[0].out


def test_the_toolkit_s_variables_serve_without_a_connection(agent: Agent) -> None:
    agent.environ = {name: value for name, value in agent.environ.items() if AWS not in value and f"_{AWS}" not in name}
    given = {
        "SECRET_AWS_ACCESSKEYID": "AKIAEXAMPLE",
        "SECRET_AWS_SECRETACCESSKEY": SECRET,
        "VSTS_SECRET_VARIABLES": json.dumps(["AWS.AccessKeyID", "AWS.SecretAccessKey"]),
    }
    agent.run("set-parameter", {"tag": "102"}, **given).ended("Succeeded")


def test_wrong_inputs_are_told_by_their_names_before_anything_is_asked(agent: Agent, clouds: SimulatedClouds) -> None:
    agent.run("deploy", {"tag": "102", "timeout": "soon", "order": "random"}).ended("Failed", "'timeout'", "'order'")
    agent.run("deploy", {"tag": "##vso[task.setvariable variable=x]y"}).ended("Failed", "not a Docker image tag")
    assert clouds.aws.requests == ()


def test_a_success_with_a_warning_is_partial(agent: Agent, clouds: SimulatedClouds) -> None:
    clouds.aws.inject("ssm", "LabelParameterVersion", ErrorAnswer("AccessDeniedException", "no", 400))
    agent.run("deploy", {"tag": "101"}).ended("SucceededWithIssues", "could not be marked as verified")


def test_a_failed_run_fails_the_task_with_the_reason(agent: Agent, clouds: SimulatedClouds) -> None:
    clouds.during_apply = lambda context: context.fail("Error acquiring the lock of another world")
    agent.run("deploy", {"tag": "102"}).ended("Failed", "Error acquiring the lock of another world")


def command_lines(root: int) -> list[str]:
    """Return the command lines of a process and of all below it."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    tree = {root}
    while more := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return [Path(f"/proc/{process}/cmdline").read_text() for process in tree]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_no_secret_is_on_a_command_line_while_it_runs(agent: Agent, clouds: SimulatedClouds) -> None:
    clouds.during_apply = lambda _: clouds.released.wait(60)
    process = agent.start(**inputs(command="deploy", **DIRECT, tag="102"))
    assert process.stdout
    for line in process.stdout:
        if "is running" in line:
            break
    lines = command_lines(process.pid)
    clouds.released.set()
    process.communicate(timeout=60)
    assert any("start.py" in line for line in lines)
    assert not [line for line in lines if SECRET in line or JOB_TOKEN in line]


def test_a_cancelled_task_ends_at_once_and_leaves_the_run_alone(agent: Agent, clouds: SimulatedClouds) -> None:
    clouds.during_apply = lambda _: clouds.released.wait(60)
    process = agent.start(**inputs(command="deploy", **DIRECT, tag="102"))
    assert process.stdout
    for line in process.stdout:
        if "is running" in line:
            break
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert "Interrupted" in out
    assert re.search(r"##vso\[task\.complete result=(Failed|Canceled)", out)
    clouds.released.set()
    assert clouds.azure.wait(1) == "succeeded"
