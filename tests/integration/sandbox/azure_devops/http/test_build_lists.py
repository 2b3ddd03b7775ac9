from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from ecs_cd_sandbox.azure_devops import Token
from tests.support.sandbox_api import BOB_TOKEN, Api, Serve
from tests.support.sandbox_pipelines import ANN, BOB, DEVELOP, MAIN, pipeline

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Ticking:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self._now = START

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


@pytest.fixture
def api(serve: Serve) -> Iterator[Api]:
    """Six builds: 1 and 2 succeeded, 3 failed, 4 canceled, 5 and 6 wait (6 is Bob's)."""
    ci = pipeline(id=20, name="my-api")
    api = serve(pipeline(), pipeline(id=13, name="other"), ci, clock=Ticking())
    api.server.add_completed_build(ci, MAIN, {}, tags=["image", "Release"])
    api.server.add_completed_build(ci, DEVELOP, {}, tags=["image"])
    api.server.add_completed_build(ci, MAIN, {}, result="failed")
    with api.server.agents_offline():
        cancelled = api.run(12)
        api.cancel(cancelled)
        api.server.wait(cancelled)
        api.run(12, DEVELOP)
        Api(api.server, BOB_TOKEN.secret).run(13)
        yield api


@pytest.mark.parametrize(
    ("params", "ids"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"definitions": "12"}, [5, 4]),
        ({"definitions": "12,13"}, [6, 5, 4]),
        ({"branchName": DEVELOP}, [5, 2]),
        ({"branchName": "develop"}, []),
        ({"statusFilter": "inProgress,notStarted,postponed"}, [6, 5]),
        ({"statusFilter": "33"}, [6, 5]),
        ({"statusFilter": "all"}, [6, 5, 4, 3, 2, 1]),
        ({"statusFilter": "none"}, []),
        ({"resultFilter": "succeeded,partiallySucceeded"}, [2, 1]),
        ({"resultFilter": "failed,Canceled"}, [4, 3]),
        ({"reasonFilter": "manual"}, [6, 5, 4]),
        ({"reasonFilter": "individualCI"}, [3, 2, 1]),
        ({"tagFilters": "image"}, [2, 1]),
        ({"tagFilters": "image,release"}, [1]),
        ({"buildIds": "1,5,99"}, [5, 1]),
        ({"requestedFor": BOB.id}, [6]),
        ({"requestedFor": ANN.unique_name}, [5, 4]),
        ({"requestedFor": "bob example"}, [6]),
        ({"buildNumber": "20260101.1"}, [6, 4, 1]),
        ({"buildNumber": "20260101*"}, [6, 5, 4, 3, 2, 1]),
        ({"queryOrder": "queueTimeAscending"}, [1, 2, 3, 4, 5, 6]),
        ({"queryOrder": "finishTimeAscending", "statusFilter": "completed"}, [1, 2, 3, 4]),
        ({"queryOrder": "2", "$top": "2"}, [6, 5]),
        ({"maxBuildsPerDefinition": "1"}, [6, 5, 3]),
        ({"definitions": "12", "branchName": DEVELOP, "statusFilter": "notStarted"}, [5]),
    ],
)
def test_builds_are_filtered_and_ordered(api: Api, params: dict[str, str], ids: list[int]) -> None:
    assert api.ids(**params) == ids


def test_times_are_about_what_the_builds_are_ordered_by(api: Api) -> None:
    second = api.build(2)
    order = "queueTimeAscending"
    assert api.ids(queryOrder=order, maxTime=second["queueTime"]) == [1, 2]
    assert api.ids(queryOrder=order, minTime=second["queueTime"]) == [2, 3, 4, 5, 6]
    finished = api.ids(queryOrder="finishTimeAscending", minTime=api.build(3)["finishTime"])
    assert finished == [3, 4]
    assert api.ids(queryOrder="startTimeAscending", minTime="2026-01-01T00:00:00.1234567Z") == [1, 2, 3]


def test_pages_go_on_where_the_last_one_ended_even_if_builds_were_queued_meanwhile(api: Api) -> None:
    seen: list[int] = []
    token = ""
    for _ in range(3):
        params = {"$top": 2, "continuationToken": token}
        response = api("GET", "build/builds", params=params)
        seen += [build["id"] for build in response.json()["value"]]
        token = response.headers.get("x-ms-continuationtoken", "")
        api.run(12)
    assert (seen, token) == ([6, 5, 4, 3, 2, 1], "")


def test_a_continuation_token_that_is_not_of_this_list_is_refused(api: Api) -> None:
    token = api("GET", "build/builds", params={"$top": 1}).headers["x-ms-continuationtoken"]
    for params in (
        {"continuationToken": "zzz"},
        {"continuationToken": token, "queryOrder": "queueTimeAscending"},
    ):
        assert api("GET", "build/builds", params=params).status_code == 400


@pytest.mark.parametrize(
    "params",
    [
        {"statusFilter": "sleeping"},
        {"queryOrder": "best"},
        {"$top": "many"},
        {"$top": "0"},
        {"definitions": "deploy"},
        {"minTime": "yesterday"},
        {"repositoryId": "x"},
    ],
)
def test_values_that_cannot_be_understood_are_refused(api: Api, params: dict[str, str]) -> None:
    assert api("GET", "build/builds", params=params).status_code == 400


def test_builds_of_a_repository_are_found(api: Api) -> None:
    repository = api.build(1)["repository"]["id"]
    assert len(api.ids(repositoryId=repository, repositoryType="TfsGit")) == 6


def test_definitions_are_found_by_name_with_wildcards_path_and_id(serve: Serve) -> None:
    api = serve(
        pipeline(id=1, name="my-infrastructure"),
        pipeline(id=2, name="my-infrastructure", folder="\\Team\\infra"),
        pipeline(id=3, name="my-api"),
        pipeline(id=4, name="[odd]?"),
    )

    def found(**params: str) -> list[int]:
        return [each["id"] for each in api.json("GET", "build/definitions", params=params)["value"]]

    assert found() == [4, 3, 1, 2]
    assert found(name="my-infrastructure") == [1, 2]
    assert found(name="MY-INFRA*") == [1, 2]
    assert found(name="*api") == [3]
    assert found(name="[odd]?") == [4]
    assert found(name="my-infrastructure", path="\\team\\infra") == [2]
    assert found(definitionIds="3,1", queryOrder="definitionNameDescending") == [1, 3]
    assert found(
        yamlFilename="azure-pipelines.yml", includeAllProperties="true", queryOrder="lastModifiedAscending"
    ) == [
        1,
        2,
        3,
        4,
    ]
    first = api("GET", "build/definitions", params={"$top": 3})
    token = first.headers["x-ms-continuationtoken"]
    assert found(continuationToken=token) == [2]


def test_a_definition_in_full_names_its_file_repository_and_settable_variables(serve: Serve) -> None:
    api = serve(pipeline(variables={"TF_LOG": "off"}, settable_variables=frozenset({"tag"})))
    one = api.json("GET", "build/definitions/12")
    assert one["process"] == {"type": 2, "yamlFilename": "azure-pipelines.yml"}
    assert one["repository"]["defaultBranch"] == MAIN
    assert one["variables"] == {
        "TF_LOG": {"value": "off", "allowOverride": False},
        "tag": {"value": "", "allowOverride": True},
    }
    assert "process" not in api.json("GET", "build/definitions")["value"][0]


def test_a_token_of_somebody_unknown_lists_nothing_of_theirs(serve: Serve) -> None:
    api = serve(pipeline(), tokens=[Token("t", BOB)])
    api.server.wait(api.run())
    assert api.ids(requestedFor="Nobody") == []
