"""What jobs and stages hand to those that depend on them, and what they make of it."""

from __future__ import annotations

from typing import Any

from ecs_cd_sandbox.azure_devops import (
    Hook,
    JobDefinition,
    PipelineResource,
    StageDefinition,
    StepContext,
    StepDefinition,
)
from tests.support.sandbox_api import Api, Serve
from tests.support.sandbox_pipelines import nothing, pipeline


def telling(name: str, value: str, *, secret: bool = False) -> StepDefinition:
    """A step called `say` that sets an output variable."""

    def tell(context: StepContext) -> None:
        context.set_output(name, value, secret=secret)

    return StepDefinition("say it", tell, ref_name="say")


def looking(into: list[Any], *names: str) -> StepDefinition:
    """A step that notes the values of variables as `$(name)` yields them."""
    return StepDefinition(
        "look", lambda context: into.append([context.job.all_variables().expand(f"$({name})") for name in names])
    )


def test_a_job_finds_results_and_outputs_of_the_jobs_it_depends_on(serve: Serve) -> None:
    seen: list[Any] = []
    variables = {
        "tag": "$[ dependencies.build.outputs['say.tag'] ]",
        "result": "$[ dependencies.build.result ]",
        "other": "$[ dependencies.aside.outputs['say.tag'] ]",
        "both": "$[ format('{0}-{1}', variables.tag, variables['Build.SourceBranchName']) ]",
        "plain": "v$(tag)",
    }
    jobs = (
        JobDefinition("build", (telling("tag", "226"),)),
        JobDefinition("aside", (telling("tag", "1"),)),
        JobDefinition(
            "use",
            (looking(seen, "tag", "result", "other", "both", "plain"),),
            variables=variables,
            depends_on=("build",),
            condition="eq(dependencies.build.outputs['SAY.TAG'], '226')",
        ),
    )
    api = serve(pipeline(stages=(StageDefinition("A", jobs),)))
    assert api.server.wait(api.run()) == "succeeded"
    assert seen == [["226", "Succeeded", "", "226-main", "v226"]]


def test_a_stage_finds_results_and_outputs_of_the_stages_it_depends_on(serve: Serve) -> None:
    seen: list[Any] = []
    first = StageDefinition("A", (JobDefinition("build", (telling("tag", "226"),)),))
    use = JobDefinition(
        "use",
        (looking(seen, "stageTag", "jobTag"),),
        variables={"jobTag": "$[ stageDependencies.A.build.outputs['say.tag'] ]"},
        condition="eq(stageDependencies.A.build.result, 'Succeeded')",
    )
    second = StageDefinition(
        "B",
        (use,),
        condition="and(eq(dependencies.A.result, 'Succeeded'), eq(dependencies.A.outputs['build.say.tag'], '226'))",
        variables={"stageTag": "$[ stageDependencies.A.build.outputs['say.tag'] ]"},
    )
    api = serve(pipeline(stages=(first, second)))
    assert api.server.wait(api.run()) == "succeeded"
    assert seen == [["226", "226"]]


def test_outputs_of_a_deployment_job_are_below_its_name_and_its_hook(serve: Serve) -> None:
    seen: list[Any] = []
    hooks = (Hook("preDeploy", (telling("a", "1"),)), Hook("deploy", (telling("b", "2"),)))
    variables = {
        "ofJob": "$[ dependencies.ship.outputs['ship.say.b'] ]",
        "ofHook": "$[ dependencies.ship.outputs['deploy.say.b'] ]",
        "first": "$[ dependencies.ship.outputs['preDeploy.say.a'] ]",
        "bare": "$[ dependencies.ship.outputs['say.b'] ]",
    }
    jobs = (
        JobDefinition("ship", kind="deployment", environment="production", hooks=hooks),
        JobDefinition(
            "use", (looking(seen, "ofJob", "ofHook", "first", "bare"),), variables=variables, depends_on=("ship",)
        ),
    )
    api = serve(pipeline(stages=(StageDefinition("A", jobs),)))
    assert api.server.wait(api.run()) == "succeeded"
    assert seen == [["2", "2", "1", ""]]


def test_what_is_made_of_a_secret_is_masked(serve: Serve) -> None:
    def show(context: StepContext) -> None:
        context.log(f"{context.variables['output']} {context.variables['own']} {context.variables['plain']}")

    variables = {
        "output": "$[ dependencies.build.outputs['say.key'] ]",
        "own": "$[ format('<{0}>', variables.password) ]",
        "plain": "$[ 'open' ]",
    }
    jobs = (
        JobDefinition("build", (telling("key", "hush-output", secret=True),)),
        JobDefinition("use", (StepDefinition("show", show),), variables=variables, depends_on=("build",)),
    )
    api = serve(pipeline(stages=(StageDefinition("A", jobs),), secrets={"password": "hush-own"}))
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    log = api.json("GET", f"build/builds/{run}/logs/2", headers={"Accept": "application/json"})["value"]
    assert log[0].partition(" ")[2] == "*** *** open"
    assert "hush" not in str(api.json("GET", f"build/builds/{run}/timeline"))


def test_variables_of_the_pipeline_may_be_expressions_and_counters(serve: Serve) -> None:
    seen: list[Any] = []
    variables = {
        "isMain": "$[ eq(variables['Build.SourceBranch'], 'refs/heads/main') ]",
        "minor": "$[ counter(format('v{0}', variables.major), 7) ]",
        "major": "1",
        "next": "$[ counter(variables.major, 100) ]",
    }
    stages = (StageDefinition("A", (JobDefinition("job", (looking(seen, "isMain", "minor", "next"),)),)),)
    api = serve(pipeline(stages=stages, variables=variables))
    for _ in range(2):
        assert api.server.wait(api.run()) == "succeeded"
    assert seen == [["True", "7", "100"], ["True", "8", "101"]]


def test_variables_nearer_to_the_job_win(serve: Serve) -> None:
    seen: list[Any] = []
    job = JobDefinition("job", (looking(seen, "a", "b", "c", "d"),), variables={"d": "job"})
    stage = StageDefinition("A", (job,), variables={"c": "stage", "d": "stage"})
    api = serve(
        pipeline(
            stages=(stage,),
            variables={"a": "pipeline", "b": "pipeline", "c": "pipeline"},
            settable_variables=frozenset({"b"}),
        )
    )
    assert api.server.wait(api.run(variables={"b": {"value": "queued"}})) == "succeeded"
    assert seen == [["pipeline", "queued", "stage", "job"]]


def resources(api: Api, definition_id: int, **versions: str) -> Any:  # noqa: ANN401 - any JSON
    wanted = {alias: {"version": version} for alias, version in versions.items()}
    return api("POST", f"pipelines/{definition_id}/runs", json={"resources": {"pipelines": wanted}})


def test_a_run_uses_the_newest_run_its_resource_allows_or_the_one_asked_for(serve: Serve) -> None:
    seen: list[Any] = []
    look = looking(seen, "resources.pipeline.ci.runID", "resources.pipeline.ci.runName")
    stages = (StageDefinition("A", (JobDefinition("job", (look,)),)),)
    source = pipeline(id=1, name="ci", folder="\\team")
    resource = PipelineResource("ci", "\\team\\ci", branch="main", tags=("good",))
    api = serve(source, pipeline(stages=stages, resources=(resource,)), pipeline(id=2, name="ci"))
    add = api.server.add_completed_build
    runs = [
        add(source, "refs/heads/main", {}, tags=["good"]),
        add(source, "refs/heads/develop", {}, tags=["good"]),
        add(source, "refs/heads/main", {}),
        add(source, "refs/heads/main", {}, tags=["good"], result="failed"),
        add(pipeline(id=2, name="ci"), "refs/heads/main", {}, tags=["good"]),
    ]
    assert api.server.wait(api.run()) == "succeeded"
    number = api.build(runs[1])["buildNumber"]
    chosen = resources(api, 12, ci=number)
    assert api.server.wait(chosen.json()["id"]) == "succeeded"
    assert seen == [[str(runs[0]), api.build(runs[0])["buildNumber"]], [str(runs[1]), number]]


def test_a_run_that_does_not_exist_or_an_unknown_resource_is_refused(serve: Serve) -> None:
    api = serve(pipeline(id=1, name="ci"), pipeline(resources=(PipelineResource("ci", "ci"),)))
    unknown = resources(api, 12, ci="1.2.3")
    assert (unknown.status_code, unknown.json()["message"]) == (
        400,
        "Unable to resolve version '1.2.3' of the pipeline resource 'ci': ci has no such run.",
    )
    assert "'cd' is not declared" in resources(api, 12, cd="1").json()["message"]


def test_a_secret_of_the_pipeline_is_in_no_issue_about_a_condition(serve: Serve) -> None:
    condition = "gt(variables.password, 5)"
    stages = (StageDefinition("A", (JobDefinition("job", (StepDefinition("x", nothing),)),), condition=condition),)
    api = serve(pipeline(stages=stages, secrets={"password": "hush-own"}))
    run = api.run()
    api.server.wait(run)
    assert "hush" not in str(api.json("GET", f"build/builds/{run}/timeline"))
