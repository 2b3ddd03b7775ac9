"""What is asked of Azure DevOps only where a run cannot be judged without: the newest run, and approvals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from ecs_cd.azure_devops import AzureDevOps
from ecs_cd.model.run import Approval, ApprovalStatus, Pipeline, RunRequest
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from tests.integration.azure_devops.conftest import MAIN, pipeline

PIPELINE = Pipeline(7, "infrastructure")
REQUEST = RunRequest(PIPELINE, MAIN)


def test_the_newest_run_is_found_on_any_branch_and_in_any_state(azure: AzureDevOps, server: Server) -> None:
    server.define(replace(pipeline(), branches={MAIN: "a" * 40, "refs/heads/other": "b" * 40}))
    server.wait(azure.queue(REQUEST).id)
    newest = azure.queue(replace(REQUEST, branch="refs/heads/other"))
    server.wait(newest.id)
    found = azure.newest(PIPELINE)
    assert found and (found.id, found.branch, found.state.ended) == (newest.id, "refs/heads/other", True)


REJECTED = {
    "id": "AAB27959-a5be-4ee3-97ca-f19b3602cd2f",
    "status": "rejected",
    "lastModifiedOn": "2020-11-19T10:00:00Z",
    "steps": [
        {"status": "skipped", "assignedApprover": {"displayName": "Bob"}},
        {
            "status": "rejected",
            "comment": "not today",
            "assignedApprover": {"displayName": "[platform]\\Leads"},
            "actualApprover": {"displayName": "Ann"},
            "lastModifiedOn": "2020-11-19T09:57:54.2525051Z",
        },
    ],
}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            REJECTED,
            Approval(
                "aab27959-a5be-4ee3-97ca-f19b3602cd2f",
                ApprovalStatus.REJECTED,
                "Ann",
                datetime(2020, 11, 19, 9, 57, 54, tzinfo=timezone.utc),
                "not today",
                ("Bob", "[platform]\\Leads"),
            ),
        ),
        ({"id": "a", "status": "timedOut", "lastModifiedOn": "soon"}, Approval("a", ApprovalStatus.TIMED_OUT)),
        ({"id": "a", "status": "failed", "steps": None}, Approval("a", ApprovalStatus.OTHER)),
        ({"status": 7, "steps": ["x", {"assignedApprover": "x"}]}, Approval("", ApprovalStatus.OTHER)),
        ("x", Approval("", ApprovalStatus.OTHER)),
    ],
)
def test_reads_an_approval_as_far_as_it_can(
    azure: AzureDevOps, server: Server, shown: object, expected: Approval
) -> None:
    server.faults.answer("GET", "approvals", status=200, body={"count": 1, "value": [shown]})
    assert azure.approvals(["a", "b"]) == (expected,)
    exchange = server.recorder.find("GET", "approvals")[0]
    assert exchange.query == {"approvalIds": "a,b", "$expand": "steps"}


@pytest.mark.parametrize("body", [{"count": 0}, {"value": None}])
def test_an_answer_without_approvals_has_none(azure: AzureDevOps, server: Server, body: object) -> None:
    server.faults.answer("GET", "approvals", status=200, body=body)
    assert azure.approvals(["a"]) == ()
