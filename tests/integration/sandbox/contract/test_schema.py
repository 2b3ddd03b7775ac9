from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import Exchange

from .schema import KNOWN_BEYOND, KNOWN_QUERY, check_exchange, operation_of

BUILDS = Exchange(
    method="GET",
    path="/sandbox/platform/_apis/build/builds",
    query={"api-version": "7.1"},
    request_headers={},
    request_json=None,
    status=200,
    response_headers={"content-type": "application/json; charset=utf-8; api-version=7.1"},
    response_json={"count": 1, "value": [{"id": 1, "status": "completed", "queueTime": "2026-01-01T00:00:00Z"}]},
)
RUN = replace(
    BUILDS,
    method="POST",
    path="/sandbox/platform/_apis/pipelines/12/runs",
    request_json={"templateParameters": {"environment": "production"}},
    response_json={"id": 1, "name": "20260101.1", "state": "inProgress"},
)
CANCEL = replace(
    BUILDS,
    method="PATCH",
    path="/sandbox/platform/_apis/build/builds/1",
    request_json={"status": "Cancelling"},
    response_json={"id": 1, "status": "cancelling"},
)
GOOD = [
    BUILDS,
    RUN,
    CANCEL,
    replace(BUILDS, path="/Sandbox/PLATFORM/_apis/Build/Builds"),
    replace(BUILDS, query={}, request_headers={"accept": "application/json;api-version=7.1-preview.7"}),
    replace(BUILDS, query={"api-version": "7.1", "statusFilter": "inprogress,NotStarted", "queryOrder": "2"}),
    replace(
        BUILDS, response_json={"count": 1, "value": [{"id": 1, "result": None, "_links": {"self": {"href": "x"}}}]}
    ),
    replace(BUILDS, status=None, response_headers={}, response_json=None),
    replace(BUILDS, method="OPTIONS", path="/sandbox/_apis"),
    replace(BUILDS, path="/sandbox/_apis/ResourceAreas"),
    replace(BUILDS, method="DELETE", path="/sandbox/platform/_apis/build/builds/1", status=204, response_headers={}),
]


@pytest.mark.parametrize("exchange", GOOD)
def test_what_the_documents_describe_is_no_violation(exchange: Exchange) -> None:
    assert check_exchange(exchange) == []


def answer(exchange: Exchange, **body: Any) -> Exchange:  # noqa: ANN401 - any JSON
    return replace(exchange, response_json={**exchange.response_json, **body})


@pytest.mark.parametrize(
    ("exchange", "problem"),
    [
        (replace(BUILDS, path="/sandbox/platform/_apis/build/nothing"), "no such operation"),
        (replace(BUILDS, method="PUT"), "no such operation"),
        (replace(BUILDS, path="/sandbox/platform/_apis/build/builds/one"), "buildId is not a number: one"),
        (replace(BUILDS, query={}), "the api-version is missing"),
        (replace(BUILDS, query={**BUILDS.query, "branch": "main"}), "the query parameter branch does not exist"),
        (replace(BUILDS, query={**BUILDS.query, "statusFilter": "waiting"}), "waiting is no value of statusFilter"),
        (replace(BUILDS, query={**BUILDS.query, "$top": "all"}), "$top is not a number: all"),
        (replace(BUILDS, query={**BUILDS.query, "minTime": "today"}), "minTime is no date-time: today"),
        (replace(CANCEL, query={**BUILDS.query, "retry": "yes"}), "retry is not a boolean: yes"),
        (replace(BUILDS, request_json={}), "the request has a body"),
        (replace(RUN, request_json=None), "the request's body is missing"),
        (replace(RUN, request_json={"branch": "main"}), "request: Additional properties are not allowed ('branch'"),
        (replace(RUN, request_json={"templateParameters": {"a": 1}}), "request.templateParameters.a: 1 is not of type"),
        (replace(CANCEL, request_json={"status": "stop"}), "request.status: 'stop' is not valid"),
        (replace(BUILDS, status=201), "the status 201 is not described"),
        (replace(BUILDS, response_json=[]), "response: [] is not of type 'object'"),
        (answer(BUILDS, count="1"), "response.count: '1' is not of type 'integer'"),
        (answer(RUN, state="queued"), "response.state: 'queued' is not one of"),
        (answer(RUN, state="InProgress"), "response.state: 'InProgress' is not one of"),
        (answer(RUN, createdDate="today"), "response.createdDate: 'today' is not a 'date-time'"),
        (answer(RUN, createdDate=5), "response.createdDate: 5 is not of type 'string'"),
        (answer(RUN, retries=1), "response: Additional properties are not allowed ('retries'"),
        (answer(CANCEL, plans=[{"planId": "x"}]), "response.plans[0].planId: 'x' is not a 'uuid'"),
        (replace(BUILDS, status=404, response_json={"message": "gone"}), "the error envelope lacks"),
    ],
)
def test_what_the_documents_do_not_describe_is_named(exchange: Exchange, problem: str) -> None:
    assert any(problem in violation for violation in check_exchange(exchange)), check_exchange(exchange)


def test_operations_told_apart_by_their_query_are_found() -> None:
    artifacts = replace(BUILDS, path="/sandbox/platform/_apis/build/builds/1/artifacts")
    one = replace(artifacts, query={"artifactName": "tag", "api-version": "7.1"})
    ids = [operation.id for operation in map(operation_of, (artifacts, one)) if operation]
    assert ids == ["Artifacts_List", "Artifacts_Get Artifact"]


def test_a_timeline_is_read_with_or_without_its_id() -> None:
    path = "/sandbox/platform/_apis/build/builds/1/timeline"
    timeline = replace(BUILDS, path=path, response_json={"records": []})
    assert check_exchange(timeline) == []
    assert check_exchange(replace(timeline, path=f"{path}/11111111-2222-3333-4444-555555555555")) == []
    assert check_exchange(replace(timeline, path=f"{path}/x")) != []


def test_everything_known_beyond_the_documents_says_why() -> None:
    assert all({**KNOWN_BEYOND, **KNOWN_QUERY}.values())
