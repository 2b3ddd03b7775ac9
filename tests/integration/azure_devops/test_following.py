"""A run followed to its end in Azure DevOps, and why it failed: failing task, first error lines, link (rule 11)."""

from __future__ import annotations

from datetime import timezone

import pytest

from ecs_cd.azure_devops import AzureDevOps
from ecs_cd.errors import UnexpectedAnswer
from ecs_cd.model.run import Pipeline, RunProgress, RunRequest, RunState
from ecs_cd.run.failure import explain_failure
from ecs_cd.run.pipelines import Pipelines
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from tests.integration.azure_devops.conftest import MAIN

REQUEST = RunRequest(Pipeline(7, "infrastructure"), MAIN)
BUILD = {"id": 5, "buildNumber": "20260101.1", "definition": {"id": 7}, "sourceBranch": MAIN}


def test_is_what_the_pipeline_step_asks_for(azure: AzureDevOps) -> None:
    pipelines: Pipelines = azure
    assert pipelines.find("7")


def test_follows_a_run_from_the_queue_to_its_end(azure: AzureDevOps, server: Server) -> None:
    with server.agents_offline():
        queued = azure.queue(REQUEST)
        assert azure.run(queued.id).state is RunState.WAITING
    server.wait(queued.id)
    ended = azure.run(queued.id)
    assert ended.state is RunState.FAILED
    assert (ended.id, ended.name, ended.url, ended.branch) == (queued.id, queued.name, queued.url, MAIN)
    assert ended.queued_at
    assert ended.queued_at.tzinfo is timezone.utc
    assert ended.finished_at
    assert ended.changed_by


@pytest.mark.parametrize(
    ("status", "result", "state"),
    [
        ("notStarted", None, RunState.WAITING),
        ("postponed", None, RunState.WAITING),
        ("inProgress", None, RunState.RUNNING),
        ("InProgress", None, RunState.RUNNING),
        ("cancelling", None, RunState.CANCELLING),
        ("completed", "succeeded", RunState.SUCCEEDED),
        ("completed", "partiallySucceeded", RunState.PARTIALLY_SUCCEEDED),
        ("completed", "failed", RunState.FAILED),
        ("completed", "canceled", RunState.CANCELLED),
        ("completed", "abandoned", RunState.CANCELLED),
        ("completed", None, RunState.FAILED),
        ("completed", "somethingNew", RunState.FAILED),
    ],
)
def test_knows_every_state_of_a_build(
    azure: AzureDevOps, server: Server, status: str, result: str | None, state: RunState
) -> None:
    server.faults.answer("GET", "Builds/5", status=200, body={**BUILD, "status": status, "result": result})
    assert azure.run(5).state is state


@pytest.mark.parametrize("body", [{**BUILD, "status": "somethingNew"}, {"status": "inProgress"}, "null", {**BUILD}])
def test_a_build_that_cannot_be_read_is_an_odd_answer(azure: AzureDevOps, server: Server, body: object) -> None:
    server.faults.answer("GET", "Builds/5", status=200, body=body)
    with pytest.raises(UnexpectedAnswer, match="looking at run 5"):
        azure.run(5)


@pytest.mark.parametrize("status", [404, 400])
def test_a_run_that_is_gone_is_said_to_be(azure: AzureDevOps, server: Server, status: int) -> None:
    body = {"message": "The requested build 5 could not be found.", "typeKey": "BuildNotFoundException"}
    server.faults.answer("GET", "Builds/5", status=status, body=body)
    with pytest.raises(UnexpectedAnswer) as raised:
        azure.run(5)
    assert " ".join([raised.value.message, *raised.value.details]).count("could not be found") == 1


def test_reads_the_timeline(azure: AzureDevOps, server: Server) -> None:
    run = azure.queue(REQUEST)
    server.wait(run.id)
    records = azure.records(run.id)
    assert [record.kind for record in records] == ["Stage", "Phase", "Job", "Task", "Task"]
    stage, phase, job, plan, apply = records
    assert (phase.parent_id, job.parent_id, apply.parent_id) == (stage.id, phase.id, job.id)
    assert (plan.name, plan.result, plan.errors) == ("Plan", "succeeded", ())
    assert (apply.name, apply.state, apply.result) == ("Apply", "completed", "failed")
    assert apply.errors == ("Terraform exited with code 1.",)
    assert apply.log_id is not None
    assert stage.worker == "" and job.worker.startswith("sandbox-agent-")
    assert {record.attempt for record in records} == {1}


def test_keeps_what_a_run_waits_for_and_leaves_out_other_kinds(azure: AzureDevOps, server: Server) -> None:
    kinds = ["Stage", "Checkpoint", "Checkpoint.Approval", "Process", "Task"]
    rows = [
        {"id": kind, "type": kind, "name": None, "state": "inProgress", "lastModified": "0001-01-01T00:00:00"}
        for kind in kinds
    ]
    issues = [{"type": "warning", "message": "w"}, {"type": "error", "message": "\x1b[1me"}, {"type": "error"}]
    rows[-1] |= {"issues": issues}  # type: ignore[dict-item]  # a JSON object
    server.faults.answer("GET", "Timeline", status=200, body={"records": rows})
    records = azure.records(5)
    assert [record.kind for record in records] == ["Stage", "Checkpoint", "Checkpoint.Approval", "Task"]
    assert records[-1].errors == ("e", "")
    assert {record.attempt for record in records} == {0}, "it is not said"


@pytest.mark.parametrize(
    ("status", "body"),
    [(204, None), (200, "null"), (200, {}), (404, {"message": "No timeline.", "typeKey": "TimelineNotFoundException"})],
)
def test_no_timeline_yet_is_no_records(azure: AzureDevOps, server: Server, status: int, body: object) -> None:
    server.faults.answer("GET", "Timeline", status=status, body=body)
    assert azure.records(5) == ()


def test_the_timeline_of_an_unknown_run_is_not_an_empty_one(azure: AzureDevOps) -> None:
    with pytest.raises(UnexpectedAnswer):
        azure.records(99)


def test_reads_only_the_end_of_a_log(azure: AzureDevOps, server: Server) -> None:
    run = azure.queue(REQUEST)
    server.wait(run.id)
    plan = next(record for record in azure.records(run.id) if record.name == "Plan")
    assert plan.log_id
    server.recorder.clear()
    assert azure.log_tail(run.id, plan.log_id, 3) == ("line 47", "line 48", "line 49")
    _, read = server.recorder.exchanges
    assert len(read.response_json["value"]) < 6


def test_reads_a_whole_log_that_is_short(azure: AzureDevOps, server: Server) -> None:
    run = azure.queue(REQUEST)
    server.wait(run.id)
    apply = next(record for record in azure.records(run.id) if record.name == "Apply")
    assert apply.log_id
    assert azure.log_tail(run.id, apply.log_id, 200) == (
        "Error: no such module",
        "##[error]Terraform exited with code 1.",
    )


def test_a_log_line_stays_one_line(azure: AzureDevOps, server: Server) -> None:
    server.faults.answer("GET", "logs$", status=200, body={"count": 0, "value": []})
    lines = ["\ufeff2026-01-01T00:00:00.1234567Z a\nb\r\nc", "2026-01-01T00:00:00Z", "x" * 9999]
    server.faults.answer("GET", "logs/3", status=200, body={"count": 2, "value": lines})
    one, two, three = azure.log_tail(5, 3, 10)
    assert (one, two) == ("a b c", "")
    assert len(three) < 9999


def test_a_failed_run_is_explained_from_the_real_thing(azure: AzureDevOps, server: Server) -> None:
    run = azure.queue(REQUEST)
    server.wait(run.id)
    error = explain_failure(azure, RunProgress(azure.run(run.id), azure.records(run.id)))
    assert "'Apply'" in error.message
    assert error.details[0] == "Error: no such module"
