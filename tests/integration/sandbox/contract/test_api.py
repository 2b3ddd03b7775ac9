"""The sandbox's Azure DevOps speaks the official API: the official client works, every exchange fits the documents."""

from __future__ import annotations

import gc
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from azure.devops import client as sdk_client
from azure.devops import connection as sdk_connection
from azure.devops.connection import Connection
from azure.devops.exceptions import AzureDevOpsAuthenticationError, AzureDevOpsServiceError
from azure.devops.v7_1.build.models import Build, UpdateStageParameters, UpdateTagParameters
from azure.devops.v7_1.pipelines.models import (
    RepositoryResourceParameters,
    RunPipelineParameters,
    RunResourcesParameters,
)
from msrest.authentication import BasicAuthentication

from ecs_cd_sandbox.azure_devops import (
    AzureDevOps,
    Environment,
    Identity,
    JobDefinition,
    PipelineDefinition,
    ServiceEndpoint,
    StageDefinition,
    StepContext,
    StepDefinition,
    Token,
)
from ecs_cd_sandbox.azure_devops.http.security_routes import BUILD_NAMESPACE
from ecs_cd_sandbox.azure_devops.model.run import Run

from .schema import DOCUMENTS, check_exchange, operation_of, operations

PROJECT = "platform"
SECRET = "secret-pat"
CONNECTION = ServiceEndpoint("11111111-2222-3333-4444-555555555555", "aws", "AWS", "https://aws.amazon.com")
BRANCHES = {"refs/heads/main": "a" * 40}


def apply(context: StepContext) -> None:
    context.log("Apply complete!")
    context.warning("deprecated")
    context.attach("report", "report.json", b"{}")
    url = f"{context.access.oidc_request_url}?api-version=7.1"
    requests.post(url, json={}, headers={"Authorization": f"Bearer {context.access.token}"}, timeout=20)


def fail(context: StepContext) -> None:
    context.fail("Error acquiring the state lock")


def definition(number: int, name: str, action: Any, **more: Any) -> PipelineDefinition:  # noqa: ANN401 - passed on
    job = JobDefinition("apply", (StepDefinition("terraform", action),))
    stages = (StageDefinition("Apply", (job,)),)
    return PipelineDefinition(number, name, stages, branches=BRANCHES, **more)


ANN = Identity("Ann Example")
PRODUCTION = Environment("production", approvers=(ANN, Identity("Bob Example")), exclusive_lock=True)
GUARDED = PipelineDefinition(
    16,
    "guarded",
    (StageDefinition("Apply", (JobDefinition("apply", (), kind="deployment", environment="production"),)),),
    branches=BRANCHES,
)
DEPLOY = definition(12, "deploy", apply, settable_variables=frozenset({"tag"}), variables={"TF_LOG": "off"})
FAILING = definition(13, "failing", fail)
WAITING = definition(14, "waiting", apply, queue_status="paused")


@pytest.fixture
def server() -> Iterator[AzureDevOps]:
    parts: dict[str, Any] = {
        "definitions": [DEPLOY, FAILING, WAITING],
        "tokens": [Token(SECRET, ANN)],
        "endpoints": [CONNECTION],
        "environments": [PRODUCTION],
    }
    with AzureDevOps(**parts) as server:
        yield server


@pytest.fixture
def connection(server: AzureDevOps, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """The official client with nothing cached, so that it discovers everything."""
    monkeypatch.setattr(sdk_client, "OPTIONS_FILE_CACHE", defaultdict(lambda: None))
    monkeypatch.setattr(sdk_connection, "RESOURCE_FILE_CACHE", defaultdict(lambda: None))
    monkeypatch.setattr(sdk_client.Client, "_locations_cache", {})
    return Connection(base_url=server.url, creds=BasicAuthentication("", SECRET))


@contextmanager
def answer_left_unread() -> Iterator[None]:
    """The official client never reads an answer it expects nothing from: the collector closes its socket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


def violations(server: AzureDevOps) -> list[str]:
    return [problem for exchange in server.recorder.exchanges for problem in check_exchange(exchange)]


def test_the_official_client_discovers_queues_follows_and_reads_a_run(
    server: AzureDevOps, connection: Connection
) -> None:
    pipelines = connection.clients_v7_1.get_pipelines_client()
    builds = connection.clients_v7_1.get_build_client()
    source = {"self": RepositoryResourceParameters(ref_name="refs/heads/main")}
    parameters = RunPipelineParameters(resources=RunResourcesParameters(repositories=source))
    run = pipelines.run_pipeline(parameters, PROJECT, 12)
    server.wait(run.id)
    found = builds.get_builds(
        PROJECT, definitions=[12], branch_name="refs/heads/main", status_filter="completed", top=5
    )
    assert [(build.id, build.result) for build in found] == [(run.id, "succeeded")]
    timeline = builds.get_build_timeline(PROJECT, run.id)
    assert {record.type for record in timeline.records} == {"Stage", "Phase", "Job", "Task"}
    assert builds.get_build_log_lines(PROJECT, run.id, 1)[0].endswith("Apply complete!")
    assert b"Apply complete!" in b"".join(builds.get_build_log(PROJECT, run.id, 1))
    assert pipelines.get_run(PROJECT, 12, run.id).result == "succeeded"
    assert [each.id for each in pipelines.list_runs(PROJECT, 12)] == [run.id]
    assert pipelines.preview(RunPipelineParameters(preview_run=True), PROJECT, 12).final_yaml
    assert violations(server) == []


def test_the_official_client_reads_definitions_projects_logs_and_artifacts(
    server: AzureDevOps, connection: Connection
) -> None:
    build_id = server.add_completed_build(DEPLOY, "refs/heads/main", {"tag": {".buildId": b"226"}})
    pipelines = connection.clients_v7_1.get_pipelines_client()
    builds = connection.clients_v7_1.get_build_client()
    core = connection.clients_v7_1.get_core_client()
    assert [project.name for project in core.get_projects()] == [PROJECT]
    assert core.get_project(PROJECT).name == PROJECT
    assert [each.name for each in pipelines.list_pipelines(PROJECT)] == ["deploy", "failing", "waiting"]
    assert pipelines.get_pipeline(PROJECT, 12).configuration.type == "yaml"
    assert [each.id for each in builds.get_definitions(PROJECT, name="dep*", path="\\")] == [12]
    assert builds.get_definition(PROJECT, 12).repository.default_branch == "refs/heads/main"
    assert [each.name for each in builds.get_artifacts(PROJECT, build_id)] == ["tag"]
    assert builds.get_artifact(PROJECT, build_id, "tag").resource.type == "PipelineArtifact"
    assert b"".join(builds.get_artifact_content_zip(PROJECT, build_id, "tag")).startswith(b"PK")
    assert pipelines.get_artifact(PROJECT, 12, build_id, "tag", expand="signedContent").signed_content.url
    assert pipelines.list_logs(PROJECT, 12, build_id).logs == []
    assert violations(server) == []


def test_the_official_client_queues_cancels_retries_and_tags_builds(
    server: AzureDevOps, connection: Connection
) -> None:
    builds = connection.clients_v7_1.get_build_client()
    waiting = builds.queue_build(Build(definition={"id": 14}), PROJECT)
    assert waiting.status == "notStarted"
    assert builds.update_build(Build(status="cancelling"), PROJECT, waiting.id).id == waiting.id
    server.wait(waiting.id)
    assert builds.get_build(PROJECT, waiting.id).result == "canceled"
    failed = builds.queue_build(Build(definition={"id": 13}), PROJECT)
    server.wait(failed.id)
    with answer_left_unread():
        retry = UpdateStageParameters(state="retry", force_retry_all_jobs=True)
        builds.update_stage(retry, failed.id, "Apply", PROJECT)
    server.wait_until(failed.id, lambda run: any(record.attempt == 2 for record in run.timeline.records))
    server.wait(failed.id)
    assert builds.add_build_tag(PROJECT, failed.id, "a") == ["a"]
    assert builds.add_build_tags(["b"], PROJECT, failed.id) == ["a", "b"]
    change = UpdateTagParameters(tags_to_add=["c"], tags_to_remove=["a"])
    assert builds.update_build_tags(change, PROJECT, failed.id) == ["b", "c"]
    assert builds.delete_build_tag(PROJECT, failed.id, "b") == ["c"]
    assert builds.get_build_tags(PROJECT, failed.id) == ["c"]
    patch = [{"op": "add", "path": "/key", "value": "x"}]
    assert builds.update_build_properties(patch, PROJECT, failed.id)["count"] == 1
    assert builds.get_build_properties(PROJECT, failed.id)["value"]["key"]["$value"] == "x"
    with answer_left_unread():
        builds.delete_build(PROJECT, failed.id)
    assert violations(server) == []


def test_the_official_client_understands_the_refusals(server: AzureDevOps, connection: Connection) -> None:
    pipelines = connection.clients_v7_1.get_pipelines_client()
    source = {"self": RepositoryResourceParameters(ref_name="refs/heads/nope")}
    parameters = RunPipelineParameters(resources=RunResourcesParameters(repositories=source))
    with pytest.raises(AzureDevOpsServiceError) as refused:
        pipelines.run_pipeline(parameters, PROJECT, 12)
    assert refused.value.type_key == "PipelineValidationException"
    with pytest.raises(AzureDevOpsServiceError) as unknown:
        pipelines.run_pipeline(RunPipelineParameters(), PROJECT, 999)
    assert unknown.value.type_key == "PipelineNotFoundException"
    server.tokens.revoke(SECRET)
    with pytest.raises(AzureDevOpsAuthenticationError):
        pipelines.list_pipelines(PROJECT)
    assert violations(server) == []


def surface(run: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation of the documents, each in the form a plain HTTP client would use."""
    build, one = f"{PROJECT}/_apis/build/builds/{run}", f"{PROJECT}/_apis/pipelines/12"
    patch = {
        "headers": {"Content-Type": "application/json-patch+json"},
        "json": [{"op": "add", "path": "/k", "value": 1}],
    }
    return [
        ("GET", "_apis/projects", {}),
        ("GET", f"_apis/projects/{PROJECT}", {}),
        ("GET", "_apis/connectionData", {"params": {"api-version": "7.1-preview"}}),
        ("GET", f"_apis/permissions/{BUILD_NAMESPACE}/128", {"params": {"tokens": "a/12,b"}}),
        ("GET", f"{PROJECT}/_apis/serviceendpoint/endpoints", {"params": {"endpointNames": "aws"}}),
        ("GET", f"{PROJECT}/_apis/serviceendpoint/endpoints", {"params": {"type": "AWS"}}),
        ("GET", f"{PROJECT}/_apis/serviceendpoint/endpoints/{CONNECTION.id}", {}),
        ("GET", f"{PROJECT}/_apis/pipelines", {}),
        ("GET", one, {}),
        ("POST", f"{one}/preview", {"json": {"previewRun": True}}),
        ("POST", f"{one}/runs", {"json": {"variables": {"tag": {"value": "226"}}, "stagesToSkip": ["Apply"]}}),
        ("GET", f"{one}/runs", {}),
        ("GET", f"{one}/runs/{run}", {}),
        ("GET", f"{one}/runs/{run}/logs", {"params": {"$expand": "signedContent"}}),
        ("GET", f"{one}/runs/{run}/logs/1", {}),
        ("GET", f"{one}/runs/2/artifacts", {"params": {"artifactName": "tag", "$expand": "signedContent"}}),
        ("GET", f"{PROJECT}/_apis/build/definitions", {"params": {"includeAllProperties": "true", "name": "*"}}),
        ("GET", f"{PROJECT}/_apis/build/definitions/12", {}),
        ("GET", f"{PROJECT}/_apis/build/builds", {"params": {"statusFilter": "all", "definitions": "12,13"}}),
        ("POST", f"{PROJECT}/_apis/build/builds", {"json": {"definition": {"id": 14}}}),
        ("GET", build, {}),
        ("PATCH", build, {"json": {"keepForever": True}}),
        ("GET", f"{build}/timeline", {}),
        ("GET", f"{build}/logs", {}),
        ("GET", f"{build}/logs/1", {"params": {"startLine": 1, "endLine": 1}}),
        ("GET", f"{PROJECT}/_apis/build/builds/2/artifacts", {}),
        ("GET", f"{PROJECT}/_apis/build/builds/2/artifacts", {"params": {"artifactName": "tag", "$format": "zip"}}),
        ("GET", f"{build}/attachments/report", {}),
        ("GET", f"{build}/tags", {}),
        ("PUT", f"{build}/tags/a", {}),
        ("POST", f"{build}/tags", {"json": ["b"]}),
        ("PATCH", f"{build}/tags", {"json": {"tagsToAdd": ["c"]}}),
        ("DELETE", f"{build}/tags/a", {}),
        ("GET", f"{build}/properties", {}),
        ("PATCH", f"{build}/properties", patch),
        ("PATCH", f"{build}/stages/Apply", {"json": {"state": "retry"}}),
    ]


def environment_surface(approval: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation about environments; the last one lets the run that waits go on."""
    base = f"{PROJECT}/_apis/pipelines"
    answer = [{"approvalId": approval, "status": "approved", "comment": "fine"}]
    settings = {"api-version": "7.1-preview", "$expand": "settings", "resourceType": "environment", "resourceId": "1"}
    return [
        ("GET", f"{base}/environments", {}),
        ("GET", f"{base}/environments/1", {}),
        ("GET", f"{PROJECT}/_apis/distributedtask/environments", {"params": {"name": "production"}}),
        ("GET", f"{base}/checks/configurations", {"params": {"api-version": "7.1-preview"}}),
        ("GET", f"{base}/checks/configurations", {"params": settings}),
        ("GET", f"{base}/approvals", {"params": {"approvalIds": approval, "$expand": "steps", "state": "pending"}}),
        ("GET", f"{base}/approvals/{approval}", {"params": {"$expand": "steps"}}),
        ("PATCH", f"{base}/approvals", {"json": answer}),
    ]


def waiting_approval(server: AzureDevOps, run: int) -> str:
    """Wait until a run asks for an approval, and return its id."""
    found: list[str] = []

    def asked(run: Run) -> bool:
        found[:] = [record.id for record in run.timeline.records if record.type == "Checkpoint.Approval"]
        return bool(found)

    server.wait_until(run, asked)
    return found[0]


def test_every_described_operation_is_served_as_described(server: AzureDevOps) -> None:
    session = requests.Session()
    session.auth = ("", SECRET)

    def call(method: str, url: str, **more: Any) -> requests.Response:  # noqa: ANN401 - passed on
        params = {"api-version": "7.1", **more.pop("params", {})}
        response = session.request(method, url, params=params, timeout=20, **more)
        assert response.ok, (method, url, response.text)
        return response

    with session:
        server.define(GUARDED)
        guarded = call("POST", f"{server.url}/{PROJECT}/_apis/pipelines/16/runs", json={}).json()["id"]
        approval = waiting_approval(server, guarded)
        for method, path, more in environment_surface(approval):
            call(method, f"{server.url}/{path}", **more)
        server.wait(guarded)
        call("DELETE", f"{server.url}/{PROJECT}/_apis/build/builds/{guarded}")
        run = call("POST", f"{server.url}/{PROJECT}/_apis/pipelines/12/runs", json={}).json()["id"]
        server.wait(run)
        server.add_completed_build(DEPLOY, "refs/heads/main", {"tag": {".buildId": b"226"}})
        for method, path, more in surface(run):
            call(method, f"{server.url}/{path}", **more)
        listed = call("GET", f"{server.url}/{PROJECT}/_apis/build/builds/{run}/attachments/report").json()["value"]
        server.wait(run)
        call("DELETE", f"{server.url}/{PROJECT}/_apis/build/builds/2")
        attachment = session.get(listed[0]["_links"]["self"]["href"], params={"api-version": "7.1"}, timeout=20)
    assert attachment.content == b"{}"
    assert violations(server) == []
    found = [operation_of(exchange) for exchange in server.recorder.exchanges]
    served = {(operation.document, operation.id) for operation in found if operation}
    assert served == {(operation.document, operation.id) for operation in operations()}
    assert {document for document, _ in served} == set(DOCUMENTS)


def test_every_stage_of_a_run_is_described(server: AzureDevOps) -> None:
    """Also a waiting, a running, a cancelling and a canceled run fit the documents, the lock's record included."""
    session = requests.Session()
    session.auth = ("", SECRET)
    server.define(definition(15, "locked", lambda context: context.cancelled.wait(), lock_behavior="sequential"))
    url = f"{server.url}/{PROJECT}/_apis"

    def look(build_id: int) -> str:
        for path in (f"build/builds/{build_id}", f"build/builds/{build_id}/timeline", f"pipelines/15/runs/{build_id}"):
            answer = session.get(f"{url}/{path}", params={"api-version": "7.1"}, timeout=20)
        return str(answer.json()["state"])

    with session:
        ids = [
            session.post(f"{url}/pipelines/15/runs", params={"api-version": "7.1"}, json={}, timeout=20).json()["id"]
            for _ in range(2)
        ]
        server.wait_until(ids[1], lambda run: run.phase == "waiting")
        server.wait_until(ids[0], lambda run: run.phase == "running")
        assert [look(build_id) for build_id in ids] == ["inProgress", "inProgress"]
        for build_id in reversed(ids):
            body = {"status": "cancelling"}
            session.patch(f"{url}/build/builds/{build_id}", params={"api-version": "7.1"}, json=body, timeout=20)
            look(build_id)
            server.wait(build_id)
            assert look(build_id) == "completed"
    assert violations(server) == []
