"""What sharing runs asks of Azure DevOps: the runs under way, their tags, and the end of one."""

from __future__ import annotations

import pytest

from ecs_cd.azure_devops import AzureDevOps
from ecs_cd.errors import AccessDenied, UnexpectedAnswer
from ecs_cd.model.run import Pipeline, RunRequest, RunState
from ecs_cd_sandbox.azure_devops.http.server import AzureDevOps as Server
from ecs_cd_sandbox.azure_devops.http.tokens import Token
from tests.integration.azure_devops.conftest import MAIN, PAT, PERSON, pipeline

INFRASTRUCTURE = Pipeline(7, "infrastructure")
REQUEST = RunRequest(INFRASTRUCTURE, MAIN)
SERVICE = "00000002-0000-8888-8000-000000000000"
SERVICE_NAME = "Microsoft.VisualStudio.Services.TFS"


def build(number: int, **more: object) -> dict[str, object]:
    return {
        "id": number,
        "buildNumber": f"20260101.{number}",
        "status": "notStarted",
        "definition": {"id": 7},
        "sourceBranch": MAIN,
        **more,
    }


def answer(server: Server, *builds: object, token: str = "") -> None:
    headers = {"x-ms-continuationtoken": token} if token else {}
    body = {"count": len(builds), "value": list(builds)}
    server.faults.answer("GET", "Builds$", status=200, body=body, headers=headers)


def test_lists_the_runs_of_the_pipeline_and_branch_that_are_not_over(azure: AzureDevOps, server: Server) -> None:
    server.define(pipeline(8, "other"))
    over = azure.queue(REQUEST)
    server.wait(over.id)
    with server.agents_offline():
        azure.queue(RunRequest(Pipeline(8, "other"), MAIN))
        ours = [azure.queue(REQUEST), azure.queue(REQUEST)]
        server.recorder.clear()
        found = azure.active(INFRASTRUCTURE, MAIN)
        assert azure.active(INFRASTRUCTURE, "refs/heads/other") == ()
    assert [run.id for run in found] == [run.id for run in ours]
    assert {run.state for run in found} == {RunState.WAITING}
    asked = server.recorder.exchanges[0].query
    assert {name: value for name, value in asked.items() if name != "api-version"} == {
        "definitions": "7",
        "branchName": MAIN,
        "statusFilter": "inProgress,notStarted,postponed",
        "queryOrder": "queueTimeAscending",
    }


def test_shows_what_a_run_was_asked_for_and_who_touched_it(azure: AzureDevOps, server: Server) -> None:
    with server.agents_offline():
        azure.queue(RunRequest(INFRASTRUCTURE, MAIN, {"environment": "production"}, {"PLAN_ONLY": "true"}))
        (run,) = azure.active(INFRASTRUCTURE, MAIN)
    assert run.template_parameters == {"environment": "production"}
    assert run.variables == {"PLAN_ONLY": "true"}
    assert (run.changed_by, run.by_service, run.tags) == ("Ann Author", False, ())


def test_follows_a_list_over_its_pages(azure: AzureDevOps, server: Server) -> None:
    answer(server, build(1), build(2), token="2")
    answer(server, build(3))
    assert [run.id for run in azure.active(INFRASTRUCTURE, MAIN)] == [1, 2, 3]
    assert [e.query.get("continuationToken") for e in server.recorder.exchanges] == [None, "2"]


@pytest.mark.parametrize(
    ("identity", "by_service"),
    [
        ({"displayName": "Ann Author", "id": "8546ffd5-88f3-69c1-ad8f-30c41e8ce5ad"}, False),
        ({"displayName": "whatever it is called here", "id": SERVICE.upper()}, True),
        ({"displayName": SERVICE_NAME, "id": "8546ffd5-88f3-69c1-ad8f-30c41e8ce5ad"}, False),
        ({"displayName": SERVICE_NAME}, True),
        ({"displayName": "", "uniqueName": f"{SERVICE}@2c895908-04e0-4952-89fd-54b0046d6288"}, True),
        ({}, False),
        (None, False),
    ],
)
def test_tells_azure_devops_itself_from_people(
    azure: AzureDevOps, server: Server, identity: object, *, by_service: bool
) -> None:
    answer(server, build(1, lastChangedBy=identity))
    assert azure.active(INFRASTRUCTURE, MAIN)[0].by_service is by_service


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        (None, {}),
        ({"apps": "[a, b]"}, {"apps": "[a, b]"}),
        ({"apps": ["a"], "fast": True}, {"apps": '["a"]', "fast": "true"}),
    ],
)
def test_reads_template_parameters_of_any_kind_whosever_run_it_is(
    azure: AzureDevOps, server: Server, shown: object, read: object
) -> None:
    answer(server, build(1, templateParameters=shown))
    assert azure.active(INFRASTRUCTURE, MAIN)[0].template_parameters == read


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        (None, {}),
        ("", {}),
        ('{"a": "1", "b": 2}', {"a": "1", "b": "2"}),
        ("not json", {"": "not json"}),
        ("[1]", {"": "[1]"}),
    ],
)
def test_variables_that_cannot_be_read_are_like_no_others(
    azure: AzureDevOps, server: Server, shown: object, read: object
) -> None:
    answer(server, build(1, parameters=shown))
    assert azure.active(INFRASTRUCTURE, MAIN)[0].variables == read


def test_a_tag_goes_on_and_off(azure: AzureDevOps, server: Server) -> None:
    with server.agents_offline():
        run = azure.queue(REQUEST)
        azure.tag(run.id, "one")
        azure.tag(run.id, "one")
        azure.tag(run.id, "two, with: anything/in it?")
        assert azure.run(run.id).tags == ("one", "two, with: anything/in it?")
        azure.untag(run.id, "two, with: anything/in it?")
        azure.untag(run.id, "three")
        assert azure.active(INFRASTRUCTURE, MAIN)[0].tags == ("one",)
    assert {e.method for e in server.recorder.find(path="tags")} == {"PATCH"}


def test_a_run_is_cancelled_in_the_name_of_whoever_asked(azure: AzureDevOps, server: Server) -> None:
    with server.agents_offline():
        run = azure.queue(REQUEST)
        azure.cancel(run.id)
        server.wait(run.id)
        assert azure.active(INFRASTRUCTURE, MAIN) == ()
    ended = azure.run(run.id)
    assert (ended.state, ended.changed_by) == (RunState.CANCELLED, "Ann Author")
    (asked,) = server.recorder.find("PATCH")
    assert asked.request_json == {"status": "cancelling"}


def test_a_run_that_is_over_is_not_cancelled(azure: AzureDevOps, server: Server) -> None:
    run = azure.queue(REQUEST)
    server.wait(run.id)
    with pytest.raises(UnexpectedAnswer, match=f"while cancelling run {run.id}"):
        azure.cancel(run.id)


@pytest.mark.parametrize(("right", "missing"), [("may_stop", "Stop builds"), ("may_tag", "Edit build quality")])
def test_says_which_right_is_missing_and_for_whom(azure: AzureDevOps, server: Server, right: str, missing: str) -> None:
    with server.agents_offline():
        run = azure.queue(REQUEST)
        server.tokens.add(Token(PAT, PERSON, **{right: False}))  # type: ignore[arg-type]  # a switch by its name
        with pytest.raises(AccessDenied) as raised:
            azure.cancel(run.id) if right == "may_stop" else azure.tag(run.id, "x")
    assert "'Ann Author'" in raised.value.message
    assert missing in raised.value.message


def test_says_which_scope_the_pat_lacks(azure: AzureDevOps, server: Server) -> None:
    with server.agents_offline():
        run = azure.queue(REQUEST)
        server.tokens.add(Token(PAT, PERSON, scopes=frozenset({"vso.build"})))
        with pytest.raises(AccessDenied) as raised:
            azure.cancel(run.id)
    assert "vso.build_execute" in raised.value.hint


def test_a_pipeline_known_by_its_id_alone_is_named_by_it(azure: AzureDevOps, server: Server) -> None:
    server.set_queue_status(7, "disabled")
    with pytest.raises(Exception, match="queueing pipeline 7 on 'refs/heads/main'"):
        azure.queue(RunRequest(Pipeline(7), MAIN))
