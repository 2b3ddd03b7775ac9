from __future__ import annotations

from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import JobDefinition, StageDefinition, StepContext, StepDefinition
from ecs_cd_sandbox.azure_devops.model.conditions import GraphStatus, StepStatus

from .conftest import Serve
from .support import DEVELOP, Gate, nothing, pipeline, stage


def fail(context: StepContext) -> None:
    context.fail("no")


@pytest.mark.parametrize(
    ("results", "cancelled", "expected"),
    [
        ({}, False, (True, False, True)),
        ({"a": "succeeded", "b": "succeededWithIssues"}, False, (True, False, True)),
        ({"a": "succeeded", "b": "failed"}, False, (False, True, True)),
        ({"a": "succeeded", "b": "skipped"}, False, (False, False, True)),
        ({"a": "canceled"}, False, (False, False, False)),
        ({"a": "succeeded"}, True, (False, False, False)),
        ({"a": "failed"}, True, (False, False, False)),
    ],
)
def test_status_functions_of_jobs_and_stages(
    results: dict[str, Any], cancelled: bool, expected: tuple[bool, ...]
) -> None:
    status = GraphStatus(results, cancelled=cancelled)
    assert (status.succeeded(()), status.failed(()), status.succeededOrFailed(())) == expected
    assert (status.always(), status.canceled()) == (True, cancelled)


def test_status_functions_of_jobs_look_at_those_named_alone() -> None:
    status = GraphStatus({"A": "succeeded", "b": "failed", "c": "skipped"})
    assert status.succeeded(["a"])
    assert not status.succeeded(["a", "b"])
    assert status.failed(["B"])
    assert not status.failed(["a", "c"])
    assert status.succeededOrFailed(["b", "c"])
    assert not status.succeededOrFailed(["c"])
    assert not status.succeeded(["nobody"])


def test_a_stage_somebody_chose_to_skip_is_as_if_it_were_not_there() -> None:
    assert GraphStatus({"A": "skipped"}, left_out=frozenset({"a"})).succeeded(())


@pytest.mark.parametrize(
    ("results", "cancelled", "expected"),
    [
        ([], False, (True, False, True, False)),
        (["succeeded", "skipped"], False, (True, False, True, False)),
        (["failed", "succeeded"], False, (False, True, True, False)),
        (["succeeded"], True, (False, False, False, True)),
    ],
)
def test_status_functions_of_steps(results: list[Any], cancelled: bool, expected: tuple[bool, ...]) -> None:
    status = StepStatus(results, cancelled=cancelled)
    found = (status.succeeded(()), status.failed(()), status.succeededOrFailed(()), status.canceled())
    assert found == expected


def results(api: Any, run: int, kind: str) -> dict[str, str]:  # noqa: ANN401 - the client
    return {record["refName"] or record["name"]: record["result"] for record in api.records(run, kind)}


def test_a_step_sees_what_steps_before_it_have_set(serve: Serve) -> None:
    def switch(context: StepContext) -> None:
        context.variables["go"] = "Yes"

    steps = (
        StepDefinition("set", switch),
        StepDefinition("on", nothing, "and(succeeded(), eq(variables.go, 'yes'))"),
        StepDefinition("off", nothing, "eq(variables['go'], 'no')"),
        StepDefinition("branch", nothing, "eq(variables['Build.SourceBranch'], 'refs/heads/develop')"),
        StepDefinition("disabled", fail, enabled=False),
    )
    api = serve(pipeline(stages=(StageDefinition("A", (JobDefinition("job", steps),)),)))
    run = api.run(branch=DEVELOP)
    assert api.server.wait(run) == "succeeded"
    assert [record["result"] for record in api.records(run, "Task")] == [
        "succeeded",
        "succeeded",
        "skipped",
        "succeeded",
        "skipped",
    ]


def test_a_skipped_stage_skips_all_that_depend_on_it_unless_their_condition_says_otherwise(serve: Serve) -> None:
    stages = (
        stage("A", nothing, condition="false"),
        stage("B", nothing),
        stage("C", nothing, condition="in(dependencies.B.result, 'Succeeded', 'Skipped')"),
        stage("D", nothing),
    )
    api = serve(pipeline(stages=stages))
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    assert results(api, run, "Stage") == {"A": "skipped", "B": "skipped", "C": "succeeded", "D": "skipped"}


def test_stages_after_one_that_was_chosen_to_be_skipped_run(serve: Serve) -> None:
    api = serve(pipeline(stages=(stage("A", nothing), stage("B", nothing))))
    run = api.run(stagesToSkip=["a"])
    assert api.server.wait(run) == "succeeded"
    assert results(api, run, "Stage") == {"A": "skipped", "B": "succeeded"}


def test_a_job_runs_when_another_one_failed_and_a_stage_by_the_branch(serve: Serve) -> None:
    jobs = (
        JobDefinition("bad", (StepDefinition("x", fail),)),
        JobDefinition("mend", (StepDefinition("x", nothing),), depends_on=("bad",), condition="failed('bad')"),
    )
    stages = (
        StageDefinition("A", jobs),
        stage("B", nothing, condition="eq(variables['Build.SourceBranch'], 'refs/heads/develop')"),
        stage("C", nothing, condition="and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/develop'))"),
    )
    api = serve(pipeline(stages=stages))
    run = api.run(branch=DEVELOP)
    assert api.server.wait(run) == "failed"
    assert results(api, run, "Phase") == {"bad": "failed", "mend": "succeeded", "job": "skipped"}
    assert results(api, run, "Stage") == {"A": "failed", "B": "succeeded", "C": "skipped"}


def test_conditions_decide_what_runs_after_a_cancellation(serve: Serve) -> None:
    gate = Gate()
    stages = (
        stage("A", gate),
        stage("always", nothing, condition="always()"),
        stage("by branch", nothing, depends_on=("A",), condition="ne(variables['Build.SourceBranch'], '')"),
        stage("default", nothing, depends_on=("A",)),
        stage("failed", nothing, depends_on=("A",), condition="succeededOrFailed()"),
        stage("canceled", nothing, depends_on=("A",), condition="canceled()"),
    )
    api = serve(pipeline(stages=stages))
    run = api.run()
    gate.wait_started()
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert results(api, run, "Stage") == {
        "A": "canceled",
        "always": "succeeded",
        "by branch": "succeeded",
        "default": "canceled",
        "failed": "canceled",
        "canceled": "succeeded",
    }


def test_what_cannot_be_evaluated_fails_and_says_so(serve: Serve) -> None:
    step = StepDefinition("x", nothing, "eq(1")
    jobs = (
        JobDefinition("steps", (step, StepDefinition("after", nothing))),
        JobDefinition("condition", (StepDefinition("x", nothing),), condition="gt('a', 1, 2)"),
        JobDefinition("variable", (StepDefinition("x", nothing),), variables={"a": "$[ nonsense() ]"}),
    )
    stages = (
        StageDefinition("A", jobs),
        stage("B", nothing, depends_on=(), condition="dependencies"),
        stage("C", nothing, depends_on=(), condition="nonsense"),
    )
    api = serve(pipeline(stages=stages))
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert results(api, run, "Stage") == {"A": "failed", "B": "succeeded", "C": "failed"}
    assert results(api, run, "Phase")["condition"] == "failed"
    messages = [
        issue["message"]
        for record in api.json("GET", f"build/builds/{run}/timeline")["records"]
        for issue in record.get("issues", [])
    ]
    assert len(messages) == 4
    for start in (
        "The condition 'eq(1' could not be evaluated: ",
        "The condition 'gt('a', 1, 2)' could not be evaluated: ",
        "The runtime expression $[ nonsense() ] of a could not be evaluated: ",
        "The condition 'nonsense' could not be evaluated: ",
    ):
        assert any(message.startswith(start) for message in messages), messages
