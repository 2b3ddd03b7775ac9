from __future__ import annotations

from typing import Any

from ecs_cd_sandbox.azure_devops import JobDefinition, StageDefinition, StepContext, StepDefinition
from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import DEVELOP, BlockingStep, nothing, pipeline, stage


def fail(context: StepContext) -> None:
    context.fail("no")


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
    gate = BlockingStep()
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
