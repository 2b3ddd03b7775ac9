from __future__ import annotations

from typing import Any

import pytest

from ecs_cd_sandbox.azure_devops import (
    JobDefinition,
    PipelineDefinition,
    StageDefinition,
    StepContext,
    StepDefinition,
)
from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import BlockingStep, nothing, pipeline, stage


def job(name: str, *actions: Any, **more: Any) -> JobDefinition:  # noqa: ANN401 - passed on
    steps = tuple(StepDefinition(f"step {number}", action) for number, action in enumerate(actions, start=1))
    return JobDefinition(name, steps, **more)


def jobs(*definitions: JobDefinition, **more: Any) -> PipelineDefinition:  # noqa: ANN401 - passed on
    return pipeline(stages=(StageDefinition("Build", definitions),), **more)


def noting(into: list[str], name: str) -> Any:  # noqa: ANN401 - an action
    return lambda context: into.append(name)


def test_jobs_that_do_not_depend_on_each_other_go_on_at_once(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(jobs(job("one", gate), job("two", gate)), agents=2)
    run = api.run()
    gate.wait_started(2)
    assert {record["workerName"] for record in api.records(run, "Job")} == {"sandbox-agent-1", "sandbox-agent-2"}
    gate.open(2)
    assert api.server.wait(run) == "succeeded"


def test_a_job_waits_for_all_it_depends_on(serve: Serve) -> None:
    gate, done = BlockingStep(), list[str]()
    last = job("last", noting(done, "last"), depends_on=("ONE", "two"))
    api = serve(jobs(job("one", gate), job("two", noting(done, "two")), last), agents=3)
    run = api.run()
    gate.wait_started()
    api.server.wait_until(run, lambda run: any(r.name == "two" and r.result for r in run.timeline.records))
    assert done == ["two"]
    gate.open()
    assert api.server.wait(run) == "succeeded"
    assert done == ["two", "last"]


def test_stages_without_dependencies_go_on_at_once_and_another_one_waits_for_both(serve: Serve) -> None:
    gate, late = BlockingStep(), BlockingStep()
    stages = (
        stage("A", gate),
        stage("B", gate, depends_on=()),
        stage("C", late, depends_on=("A", "B")),
    )
    api = serve(pipeline(stages=stages), agents=3)
    run = api.run()
    gate.wait_started(2)
    gate.open()
    api.server.wait_until(run, lambda run: any(r.type == "Stage" and r.result for r in run.timeline.records))
    assert late.started == []
    gate.open()
    late.open()
    assert api.server.wait(run) == "succeeded"
    assert late.started == [run]


def test_with_one_agent_the_jobs_of_the_oldest_run_come_first(serve: Serve) -> None:
    order: list[tuple[int, str]] = []

    def note(name: str) -> Any:  # noqa: ANN401 - an action
        return lambda context: order.append((context.run_id, name))

    api = serve(jobs(job("one", note("one")), job("two", note("two"))), agents=1)
    with api.server.agents_offline():
        runs = [api.run(), api.run()]
        for run in runs:
            api.server.wait_until(run, lambda run: len(run.jobs) == 2)
    assert [api.server.wait(run) for run in runs] == ["succeeded"] * 2
    assert order == [(run, name) for run in runs for name in ("one", "two")]


def test_between_its_jobs_a_run_gives_its_agent_to_an_older_run(serve: Serve) -> None:
    gates = {"old": BlockingStep(), "new": BlockingStep()}
    old = jobs(job("one", gates["old"]), id=12, name="old", queue_status="paused")
    new = jobs(job("one", gates["new"]), job("two", gates["new"], depends_on=("one",)), id=13, name="new")
    api = serve(old, new, agents=1)
    first, second = api.run(12), api.run(13)
    gates["new"].wait_started()
    api.server.set_queue_status(12, "enabled")
    api.server.wait_until(first, lambda run: len(run.jobs) == 1)
    gates["new"].open()
    gates["old"].wait_started()
    assert gates["new"].started == [second]
    gates["old"].open()
    gates["new"].open()
    assert [api.server.wait(first), api.server.wait(second)] == ["succeeded"] * 2


def test_a_run_that_waits_for_a_lock_holds_no_agent(serve: Serve) -> None:
    gate = BlockingStep()
    locked = pipeline(gate, lock_behavior="sequential")
    api = serve(locked, pipeline(id=13, name="other"), agents=2)
    api.run(), api.run()
    gate.wait_started()
    assert api.server.wait(api.run(13)) == "succeeded"
    gate.open(2)


def test_a_failed_job_leaves_jobs_beside_it_alone_and_skips_those_after_it(serve: Serve) -> None:
    def fail(context: StepContext) -> None:
        context.fail("no")

    api = serve(jobs(job("bad", fail), job("good", nothing), job("after", nothing, depends_on=("bad",))))
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert {record["refName"]: record["result"] for record in api.records(run, "Phase")} == {
        "bad": "failed",
        "good": "succeeded",
        "after": "skipped",
    }


def test_a_retried_stage_keeps_the_outputs_of_the_jobs_it_does_not_repeat(serve: Serve) -> None:
    outcomes, seen = iter([False, True]), list[str]()

    def tell(context: StepContext) -> None:
        context.set_output("tag", "226")

    def second_time_lucky(context: StepContext) -> None:
        seen.append(context.variables["tag"])
        if not next(outcomes):
            context.fail("not yet")

    good = JobDefinition("good", (StepDefinition("say", tell, ref_name="say"),))
    variables = {"tag": "$[ dependencies.good.outputs['say.tag'] ]"}
    bad = job("bad", second_time_lucky, depends_on=("good",), variables=variables)
    api = serve(jobs(good, bad))
    run = api.run()
    assert api.server.wait(run) == "failed"
    before = api.records(run, "Phase")[0]["id"]
    api("PATCH", f"build/builds/{run}/stages/Build", json={"state": "retry"})
    assert api.server.wait(run) == "succeeded"
    assert seen == ["226", "226"]
    phases = {record["refName"]: record for record in api.records(run, "Phase")}
    assert phases["good"]["id"] == before
    assert phases["good"]["parentId"] == phases["bad"]["parentId"] == api.records(run, "Stage")[0]["id"]


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ((stage("A", nothing, depends_on=("Z",)),), "Stage A depends on unknown stage Z."),
        ((stage("A", nothing, depends_on=("B",)), stage("B", nothing)), "Stage A depends on itself."),
        (
            (StageDefinition("A", (job("x", nothing, depends_on=("x",)),)),),
            "Job x of stage A depends on itself.",
        ),
    ],
)
def test_a_graph_that_has_no_end_is_refused(serve: Serve, stages: Any, message: str) -> None:  # noqa: ANN401 - stages
    response = serve(pipeline(stages=stages))("POST", "pipelines/12/runs", json={})
    assert (response.status_code, response.json()["message"]) == (400, message)
