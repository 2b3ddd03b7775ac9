"""Whose credentials reach the clouds: each kind of service connection, variables, and the environment."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.utils import InstanceMetadataRegionFetcher

from ecs_cd.azure_task.agent import Agent
from ecs_cd.azure_task.oidc import request_url
from ecs_cd.errors import SettingsError
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from ecs_cd_sandbox.azure_devops import StepContext
from tests.integration.azure_task.library_side import DIRECT, Ran, Task, aws_connection
from tests.support.simulated_clouds import PAT, SimulatedClouds

ROLE = "arn:aws:iam::123456789012:role/deploy"
KEY = "AKIACONNECTION123456"
SECRET = "connection-secret-0123456789abcdefghijkl"
SESSION = "connection-session-0123456789abcdefghijkl"
GIVEN = {name: DIRECT[name] for name in ("service", "environment", "parameter", "regionName")} | {"tag": "102"}


def record(task: Task, **more: object) -> Ran:
    """Record a tag, the shortest way to AWS."""
    return task("set-parameter", GIVEN, **more)


def assumed(clouds: SimulatedClouds, operation: str = "AssumeRole") -> list[dict[str, Any]]:
    return [request.parameters for request in clouds.aws.requests if request.operation == operation]


def signed_with(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the access key of every request that is signed."""
    keys: list[str] = []
    add_auth = SigV4Auth.add_auth

    def noting(self: SigV4Auth, request: AWSRequest) -> None:
        assert self.credentials
        keys.append(str(self.credentials.access_key))
        add_auth(self, request)

    monkeypatch.setattr(SigV4Auth, "add_auth", noting)
    return keys


def test_static_keys_of_a_connection_win_over_the_environment(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = signed_with(monkeypatch)
    task.environ |= {"AWS_ACCESS_KEY_ID": "AKIAAMBIENT", "AWS_PROFILE": "nobody"}
    record(task, aws=aws_connection(username=KEY, password=SECRET)).ended("Succeeded")
    assert set(keys) == {KEY}


def test_a_session_of_a_connection_is_used(
    task: Task, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = signed_with(monkeypatch)
    record(task, aws=aws_connection(username=KEY, password=SECRET, sessionToken=SESSION)).ended("Succeeded")
    assert set(keys) == {KEY}


def test_a_connection_s_role_is_assumed_and_says_who_writes(task: Task, clouds: SimulatedClouds) -> None:
    connection = aws_connection(username=KEY, password=SECRET, assumeRoleArn=ROLE, externalId="partner-7")
    variables = {"maxDuration": "1800"}
    record(task, aws=connection, awsVariables=variables).ended("Succeeded")
    [role] = assumed(clouds)
    assert role["RoleArn"] == ROLE
    assert role["ExternalId"] == "partner-7"
    assert role["RoleSessionName"] == "ecs-cd.my-api.102.build-55"
    assert role["DurationSeconds"] == "1800"


def test_a_connection_s_own_session_name_is_kept(task: Task, clouds: SimulatedClouds) -> None:
    record(task, aws=aws_connection(assumeRoleArn=ROLE, roleSessionName="release-team")).ended("Succeeded")
    assert assumed(clouds)[0]["RoleSessionName"] == "release-team"


def test_the_role_of_the_settings_is_assumed_with_the_connection_s(task: Task, clouds: SimulatedClouds) -> None:
    connection = aws_connection(username=KEY, password=SECRET, assumeRoleArn=f"{ROLE}-first")
    task("set-parameter", {**GIVEN, "roleArn": ROLE}, aws=connection).ended("Succeeded")
    assert [role["RoleArn"] for role in assumed(clouds)] == [f"{ROLE}-first", ROLE]


@pytest.mark.parametrize("said", ["899", "43201", "an hour", "-900", "9" * 5000])
def test_a_wrong_duration_is_told_by_its_variable(task: Task, clouds: SimulatedClouds, said: str) -> None:
    ran = record(task, aws=aws_connection(assumeRoleArn=ROLE), awsVariables={"maxDuration": said})
    ran.ended("Failed", "aws.rolecredential.maxduration")
    assert clouds.aws.requests == ()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "keys are not complete"),
        ({"username": KEY}, "keys are not complete"),
        ({"password": SECRET}, "keys are not complete"),
        ({"useOIDC": "true"}, "names no role"),
        ({"assumeRoleArn": "deploy"}, "service connection's role"),
    ],
)
def test_an_incomplete_connection_is_told(task: Task, parameters: dict[str, str], words: str) -> None:
    assert SECRET not in record(task, aws=aws_connection(**parameters)).ended("Failed", words).told


def test_the_variables_of_the_toolkit_are_used(
    task: Task, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = signed_with(monkeypatch)
    variables = {"accessKeyId": KEY, "secretAccessKey": SECRET, "sessionToken": SESSION, "region": "eu-west-1"}
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        del task.environ[name]
    given = {name: value for name, value in GIVEN.items() if name != "regionName"}
    task("set-parameter", given, awsVariables=variables).ended("Succeeded")
    assert set(keys) == {KEY}
    assert {request.region for request in clouds.aws.requests} == {"eu-west-1"}


def test_an_input_wins_over_the_region_of_the_variables(task: Task, clouds: SimulatedClouds) -> None:
    record(task, awsVariables={"region": "us-east-1"}).ended("Succeeded")
    assert {request.region for request in clouds.aws.requests} == {"eu-west-1"}


def test_a_wrong_region_is_told_by_its_variable(task: Task) -> None:
    record(task, awsVariables={"region": "eu west"}).ended("Failed", "variable 'AWS.Region'")


@pytest.mark.parametrize(("zone", "region"), [("eu-west-1b", "eu-west-1"), ("", "")])
def test_an_agent_on_ec2_is_asked_for_its_region_last(
    task: Task, clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch, zone: str, region: str
) -> None:
    monkeypatch.setattr(InstanceMetadataRegionFetcher, "retrieve_region", lambda _: zone[:-1])
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        task.environ.pop(name, None)
    given = {name: value for name, value in GIVEN.items() if name != "regionName"}
    ran = task("set-parameter", given, aws=aws_connection(username=KEY, password=SECRET))
    if region:
        ran.ended("Succeeded")
    else:
        ran.ended("Failed", "it is not known in which AWS region")
    assert {request.region for request in clouds.aws.requests} == {region} - {""}


def test_without_credentials_those_of_the_environment_are_used(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = signed_with(monkeypatch)
    record(task).ended("Succeeded")
    assert set(keys) == {"sandbox"}


@pytest.mark.parametrize("address", ["given", "built"])
@pytest.mark.parametrize("refusals", [0, 2])
def test_oidc_assumes_the_role_with_the_job_s_token_alone(
    task: Task, clouds: SimulatedClouds, address: str, refusals: int
) -> None:
    def call(context: StepContext) -> None:
        uri = context.access.oidc_request_url
        found = re.fullmatch(r"(.*)/([^/]+)/_apis/distributedtask/hubs/build/plans/([^/]+)/jobs/([^/]+)/oidctoken", uri)
        assert found
        if address == "given":
            task.environ["SYSTEM_OIDCREQUESTURI"] = uri
        else:
            names = ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID", "SYSTEM_PLANID", "SYSTEM_JOBID")
            task.environ |= dict(zip(names, found.groups(), strict=True))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del task.environ[name]
        fault = ErrorAnswer("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider")
        if refusals:
            clouds.azure.faults.answer("POST", "oidctoken", status=500, body={}, times=refusals)
            clouds.aws.inject("sts", "AssumeRoleWithWebIdentity", fault, times=refusals)
        connection = aws_connection(assumeRoleArn=ROLE, useOIDC="true")
        connection["connection"] = ""
        ran.append(record(task, aws=connection, accessToken=context.access.token))

    ran: list[Ran] = []
    clouds.during_apply = call
    assert clouds.azure.wait(queued(clouds)) == "succeeded", ran
    ran[0].ended("Succeeded")
    roles = assumed(clouds, "AssumeRoleWithWebIdentity")
    assert len(roles) == 1 + refusals
    token = roles[-1]["WebIdentityToken"]
    assert token.count(".") == 2
    assert token not in ran[0].told
    assert roles[-1]["RoleSessionName"] == "ecs-cd.my-api.102.build-55"
    assert assumed(clouds) == []


def queued(clouds: SimulatedClouds) -> int:
    """Queue the infrastructure pipeline as a person does, and return the run's id."""
    asked = urllib.request.Request(
        f"{clouds.azure.url}/platform/_apis/pipelines/1/runs?api-version=7.1",
        data=json.dumps({"resources": {"repositories": {"self": {"refName": "refs/heads/main"}}}}).encode(),
        headers={
            "Authorization": "Basic " + base64.b64encode(f":{PAT}".encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(asked) as answer:
        return int(json.load(answer)["id"])


def test_a_connection_the_job_may_not_use_is_told_at_once(task: Task, clouds: SimulatedClouds) -> None:
    task.environ["SYSTEM_OIDCREQUESTURI"] = f"{clouds.azure.url}/x/oidctoken"
    clouds.azure.faults.answer("POST", "oidctoken", status=403, body={}, times=9)
    ran = record(task, aws=aws_connection(assumeRoleArn=ROLE, useOIDC="true"))
    ran.ended("Failed", "no identity token")
    assert len(clouds.azure.recorder.find("POST")) == 1
    assert clouds.aws.requests == ()


def test_the_job_s_token_is_sent_to_no_unsafe_address() -> None:
    with pytest.raises(SettingsError, match="https"):
        request_url(Agent({"SYSTEM_OIDCREQUESTURI": "http://dev.azure.com/x"}), "id")


def queue(task: Task, inputs: dict[str, str] | None = None, **more: object) -> Ran:
    return task("queue-pipeline", {"pipeline": "my-infrastructure", "branch": "develop", **(inputs or {})}, **more)


def test_azure_devops_is_asked_with_the_job_s_own_token(task: Task, clouds: SimulatedClouds) -> None:
    queue(task).ended("Succeeded")
    run = clouds.azure.recorder.find("POST")[0].response_json
    assert run["id"] == 1


def test_a_connection_is_asked_with_its_own_token_and_address(task: Task, clouds: SimulatedClouds) -> None:
    task.environ["SYSTEM_COLLECTIONURI"] = "https://dev.azure.com/elsewhere/"
    connection = {"url": clouds.azure.url, "token": PAT, "scheme": "Token"}
    queue(task, {"project": "platform"}, azureDevOps=connection, accessToken="").ended("Succeeded")


def test_the_job_s_project_is_not_one_of_another_organization(task: Task, clouds: SimulatedClouds) -> None:
    task.environ["SYSTEM_COLLECTIONURI"] = "https://dev.azure.com/elsewhere/"
    connection = {"url": clouds.azure.url, "token": PAT, "scheme": "Token"}
    queue(task, azureDevOps=connection).ended("Failed", "input 'project'")


def test_a_connection_s_token_goes_to_its_organization_alone(task: Task, clouds: SimulatedClouds) -> None:
    connection = {"url": "https://dev.azure.com/other", "token": PAT, "scheme": "Token"}
    ran = queue(task, {"project": "platform", "organization": clouds.azure.url}, azureDevOps=connection)
    ran.ended("Failed", "dev.azure.com/other")
    assert clouds.azure.recorder.exchanges == []


def test_the_job_s_token_goes_to_its_organization_alone(task: Task, clouds: SimulatedClouds) -> None:
    task.environ["SYSTEM_COLLECTIONURI"] = "https://dev.azure.com/elsewhere/"
    ran = queue(task, {"organization": clouds.azure.url}).ended("Failed", "dev.azure.com/elsewhere")
    assert "input 'azureDevOpsConnection'" in ran.out
    assert clouds.azure.recorder.exchanges == []


def test_without_any_token_the_input_is_named(task: Task) -> None:
    ran = queue(task, accessToken="").ended("Failed", "no token")
    assert "azureDevOpsConnection" in ran.out
