from __future__ import annotations

import pytest

from ecs_cd.azure_devops import AzureDevOps
from ecs_cd.errors import PipelineNotFound, UnexpectedAnswer, WrongInput
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from tests.integration.azure_devops.conftest import pipeline


@pytest.fixture(autouse=True)
def pipelines(server: Server) -> None:
    server.define(pipeline(8, "infrastructure", "\\team"))
    server.define(pipeline(9, "infrastructure", "\\team\\Other"))
    server.define(pipeline(10, "infrastructure-old"))


@pytest.mark.parametrize(
    ("reference", "ids"),
    [
        ("7", [7]),
        ("99", []),
        ("infrastructure", [7, 8, 9]),
        ("INFRASTRUCTURE", [7, 8, 9]),
        ("\\infrastructure", [7]),
        ("/infrastructure", [7]),
        ("\\team\\infrastructure", [8]),
        ("/team/infrastructure", [8]),
        ("team/infrastructure", [8]),
        ("Team/other/Infrastructure", [9]),
        ("nothing", []),
        ("other/infrastructure", []),
    ],
)
def test_finds_what_a_reference_means_with_one_request(
    azure: AzureDevOps, server: Server, reference: str, ids: list[int]
) -> None:
    assert sorted(found.id for found in azure.find(reference)) == ids
    assert len(server.recorder.exchanges) == 1


def test_tells_folder_name_and_link(azure: AzureDevOps) -> None:
    (found,) = azure.find("team/infrastructure")
    assert found.path == "\\team\\infrastructure"
    assert found.url.endswith("_build/definition?definitionId=8")


@pytest.mark.parametrize("reference", ["", " ", "infra*", "*", "a?b", "team/", "a\nb", 'a"b', "tea*m/infra", "x" * 401])
def test_refuses_what_no_pipeline_can_be_called_before_asking(
    azure: AzureDevOps, server: Server, reference: str
) -> None:
    with pytest.raises(WrongInput):
        azure.find(reference)
    assert not server.recorder.exchanges


@pytest.mark.parametrize("changed", [{"quality": "draft"}, {"queueStatus": "deleted"}, {"name": "infrastructure2"}])
def test_leaves_out_drafts_deleted_ones_and_near_misses(
    azure: AzureDevOps, server: Server, changed: dict[str, str]
) -> None:
    row = {"id": 3, "name": "infrastructure", "path": "\\", "quality": "definition", **changed}
    server.faults.answer("GET", "Definitions", status=200, body={"count": 1, "value": [row]})
    assert azure.find("infrastructure") == ()


def test_reads_every_page(azure: AzureDevOps, server: Server) -> None:
    for number, token in ((1, "next page"), (2, "")):
        server.faults.answer(
            "GET",
            "Definitions",
            status=200,
            body={"count": 1, "value": [{"id": number, "name": "infrastructure", "path": "\\"}]},
            headers={"x-ms-continuationtoken": token} if token else {},
        )
    assert [found.id for found in azure.find("infrastructure")] == [1, 2]
    assert [exchange.query.get("continuationToken") for exchange in server.recorder.exchanges] == [None, "next page"]


def test_does_not_read_the_same_page_for_ever(azure: AzureDevOps, server: Server) -> None:
    server.faults.answer(
        "GET",
        "Definitions",
        status=200,
        body={"count": 0, "value": []},
        headers={"x-ms-continuationtoken": "again"},
        times=9,
    )
    with pytest.raises(UnexpectedAnswer, match="same page"):
        azure.find("infrastructure")


def test_a_missing_project_is_not_a_missing_pipeline(server: Server, azure: AzureDevOps) -> None:
    body = {"message": "TF200016: The following project does not exist: platform.", "typeKey": "ProjectDoesNotExist"}
    server.faults.answer("GET", "Definitions", status=404, body=body, times=2)
    for reference in ("7", "infrastructure"):
        with pytest.raises(PipelineNotFound, match="no project 'platform' of http") as raised:
            azure.find(reference)
        assert "TF200016" in raised.value.details[0]


@pytest.mark.parametrize(
    "body",
    [{"count": 1, "value": [{"name": "infrastructure"}]}, {"count": 1, "value": 5}, {"count": 1, "value": [7]}, None],
)
def test_an_odd_answer_is_said_to_be_odd(azure: AzureDevOps, server: Server, body: object) -> None:
    server.faults.answer("GET", "Definitions", status=200, body=body or "null")
    with pytest.raises(UnexpectedAnswer):
        azure.find("infrastructure")
