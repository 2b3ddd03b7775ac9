from __future__ import annotations

from pathlib import Path
from typing import Any

from ecs_cd_sandbox.azure_devops import Hook, JobDefinition, StageDefinition, StepContext, StepDefinition
from tests.support.sandbox_api import Serve
from tests.support.sandbox_pipelines import BlockingStep, nothing, pipeline

HOOKS = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic", "on.failure", "on.success")


def fail(context: StepContext) -> None:
    context.fail("no")


def deployment(actions: dict[str, Any], **more: Any) -> Any:  # noqa: ANN401 - a pipeline of one deployment job
    hooks = tuple(Hook(name, (StepDefinition(name, actions.get(name, nothing)),)) for name in HOOKS)
    job = JobDefinition("ship", kind="deployment", environment="production", hooks=hooks, **more)
    return pipeline(stages=(StageDefinition("Deploy", (job,)),))


def outcome(api: Any, run: int) -> dict[str, str]:  # noqa: ANN401 - the client
    return {record["refName"]: record["result"] for record in api.records(run, "Job")}


def test_hooks_run_one_after_the_other_as_jobs_of_their_own_below_one_phase(serve: Serve) -> None:
    order: list[str] = []
    api = serve(deployment({name: lambda _, name=name: order.append(name) for name in HOOKS}), agents=3)
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    assert order == [name for name in HOOKS if name != "on.failure"]
    (phase,) = api.records(run, "Phase")
    assert (phase["name"], phase["result"]) == ("ship", "succeeded")
    assert {record["parentId"] for record in api.records(run, "Job")} == {phase["id"]}
    assert outcome(api, run) == {**dict.fromkeys(HOOKS, "succeeded"), "on.failure": "skipped"}


def test_after_a_failed_hook_only_on_failure_runs(serve: Serve) -> None:
    api = serve(deployment({"deploy": fail}))
    run = api.run()
    assert api.server.wait(run) == "failed"
    assert outcome(api, run) == {
        "preDeploy": "succeeded",
        "deploy": "failed",
        "routeTraffic": "skipped",
        "postRouteTraffic": "skipped",
        "on.failure": "succeeded",
        "on.success": "skipped",
    }


def test_a_cancelled_deployment_goes_on_with_no_hook(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(deployment({"deploy": gate}))
    run = api.run()
    gate.wait_started()
    api.cancel(run)
    assert api.server.wait(run) == "canceled"
    assert outcome(api, run) == {**dict.fromkeys(HOOKS, "canceled"), "preDeploy": "succeeded"}


def test_each_hook_has_folders_and_variables_of_its_own(serve: Serve) -> None:
    seen: dict[str, Any] = {}

    def look(context: StepContext) -> None:
        context.variables["mine"] = context.variables.get("mine", "") + "x"
        system = context.job.system
        seen[system["System.JobName"]] = (
            context.job.workspace.work,
            context.variables["mine"],
            *(system[name] for name in ("Environment.Name", "Environment.Id", "Strategy.Name", "Strategy.CycleName")),
        )

    api = serve(deployment({"preDeploy": look, "deploy": look, "on.success": look}))
    assert api.server.wait(api.run()) == "succeeded"
    folders: set[Path] = {values[0] for values in seen.values()}
    assert len(folders) == 3
    assert {name: values[1:] for name, values in seen.items()} == {
        "preDeploy": ("x", "production", "1", "runOnce", "PreIteration"),
        "deploy": ("x", "production", "1", "runOnce", "Iteration"),
        "on.success": ("x", "production", "1", "runOnce", "PostIteration"),
    }


def test_a_failed_deployment_that_may_fail_lets_the_run_succeed_partially(serve: Serve) -> None:
    api = serve(deployment({"deploy": fail}, continue_on_error=True))
    run = api.run()
    assert api.server.wait(run) == "partiallySucceeded"
    assert api.records(run, "Phase")[0]["result"] == "succeededWithIssues"
