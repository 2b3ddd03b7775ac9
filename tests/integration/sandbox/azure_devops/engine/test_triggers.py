from __future__ import annotations

from dataclasses import replace
from typing import Any

from ecs_cd_sandbox.azure_devops import (
    BranchFilter,
    Expansion,
    JobDefinition,
    PipelineDefinition,
    PipelineResource,
    Repository,
    StageDefinition,
    StepContext,
    StepDefinition,
    Triggers,
    ValidationFailed,
)
from tests.support.sandbox_api import Api, Serve
from tests.support.sandbox_pipelines import ANN, DEVELOP, MAIN, BlockingStep, MadeFile, nothing, pipeline, stage


def refuse(definition: PipelineDefinition, wanted: Expansion) -> PipelineDefinition:
    raise ValidationFailed(["/a.yml: this is wrong", "/a.yml: so is that"])


def made(number: int, name: str, starts: Triggers | None = None, make: Any = None, **more: Any) -> PipelineDefinition:  # noqa: ANN401 - passed on
    """A pipeline with a file of one stage."""
    stages = more.pop("stages", (stage("A", nothing),))
    resources = starts.pipelines if starts else ()

    def expand(definition: PipelineDefinition, wanted: Expansion) -> PipelineDefinition:
        return replace(definition, stages=stages, resources=resources)

    file = MadeFile(make or expand, lambda branch: starts or Triggers())
    defaults: dict[str, Any] = {"stages": (), "branches": {}, "repository": Repository("app"), "file": file}
    return pipeline(**{**defaults, "id": number, "name": name, **more})


def push(api: Api, branch: str = MAIN, *changed: str, message: str = "") -> list[int]:
    return api.server.pushed("App", branch, changed or ("src/app.py",), ANN, message=message)


def test_a_push_starts_the_pipelines_of_the_repository_that_it_concerns(serve: Serve) -> None:
    of_src = Triggers(BranchFilter(("main",)), BranchFilter(("src",)))
    api = serve(
        made(1, "all", Triggers(BranchFilter())),
        made(2, "src", of_src),
        made(3, "none", Triggers()),
        made(4, "elsewhere", Triggers(BranchFilter()), repository=Repository("other")),
        made(5, "disabled", Triggers(BranchFilter()), queue_status="disabled"),
        pipeline(id=6, name="no file"),
    )
    started = push(api)
    builds = [api.build(run) for run in started]
    assert [build["definition"]["name"] for build in builds] == ["all", "src"]
    assert {(build["reason"], build["sourceBranch"], build["sourceVersion"]) for build in builds} == {
        ("individualCI", MAIN, "a" * 40)
    }
    assert builds[0]["triggerInfo"]["ci.sourceBranch"] == MAIN
    assert builds[0]["requestedFor"]["displayName"] == "Ann Example"
    assert [api.server.wait(run) for run in started] == ["succeeded"] * 2
    assert [api.build(run)["definition"]["name"] for run in push(api, DEVELOP)] == ["all"]
    assert [api.build(run)["definition"]["name"] for run in push(api, MAIN, "docs/a.md")] == ["all"]
    assert push(api, message="small fix [skip ci]") == []
    assert push(api, "refs/heads/nowhere") == []


def test_a_pipeline_that_cannot_be_run_after_a_push_leaves_a_failed_run_that_says_why(serve: Serve) -> None:
    def broken(branch: str) -> Triggers:
        raise ValidationFailed([f"/a.yml: not even the trigger can be read on {branch}"])

    unreadable = replace(made(2, "unreadable"), file=MadeFile(refuse, broken))
    api = serve(made(1, "wrong", Triggers(BranchFilter()), refuse), unreadable)
    wrong, worse = push(api)
    assert [api.server.wait(run) for run in (wrong, worse)] == ["failed", "failed"]
    (record,) = api.records(wrong, "Stage")
    assert [issue["message"] for issue in record["issues"]] == ["/a.yml: this is wrong", "/a.yml: so is that"]
    assert [each["message"] for each in api.build(worse)["validationResults"]] == [
        f"/a.yml: not even the trigger can be read on {MAIN}"
    ]


def following(number: int, resource: PipelineResource, seen: list[Any], **more: Any) -> PipelineDefinition:  # noqa: ANN401 - passed on
    """A pipeline that starts after another one, and notes what it finds."""

    def look(context: StepContext) -> None:
        names = ("Build.Reason", "Resources.TriggeringAlias", "Resources.TriggeringCategory", "Build.SourceBranch")
        seen.append([context.job.system[name] for name in (*names, f"resources.pipeline.{resource.alias}.runID")])

    stages = (StageDefinition("A", (JobDefinition("job", (StepDefinition("look", look),)),)),)
    return made(number, f"p{number}", Triggers(pipelines=(resource,)), stages=stages, **more)


def runs_of(api: Api, definition: int) -> list[int]:
    return api.ids(definitions=definition, queryOrder="queueTimeAscending")


def wait_for_run(api: Api, definition: int, count: int = 1) -> int:
    """Wait until a pipeline has so many runs, and the last one is over."""
    state = api.server._state
    state.wait_for(lambda: sum(run.definition.id == definition for run in state.runs.values()) >= count, 20)
    run = max(runs_of(api, definition))
    api.server.wait(run)
    return run


def test_the_end_of_a_run_starts_the_pipelines_that_wait_for_it(serve: Serve) -> None:
    seen: list[Any] = []
    api = serve(
        pipeline(id=1, name="ci", folder="\\team", repository=Repository("app")),
        following(2, PipelineResource("upstream", "\\team\\ci", trigger=BranchFilter()), seen),
        following(3, PipelineResource("upstream", "ci", trigger=BranchFilter(("main",))), seen),
        following(4, PipelineResource("upstream", "ci"), seen),
        following(5, PipelineResource("upstream", "other", trigger=BranchFilter()), seen),
    )
    first = api.run(1, branch=DEVELOP)
    started = wait_for_run(api, 2)
    assert seen == [["ResourceTrigger", "upstream", "pipeline", DEVELOP, str(first)]]
    build = api.build(started)
    assert (build["reason"], build["triggerInfo"]["version"]) == ("resourceTrigger", api.build(first)["buildNumber"])
    second = api.run(1)
    wait_for_run(api, 2, 2), wait_for_run(api, 3)
    assert sorted(seen[1:]) == [["ResourceTrigger", "upstream", "pipeline", MAIN, str(second)]] * 2
    assert (runs_of(api, 4), runs_of(api, 5)) == ([], [])


def test_a_pipeline_of_another_repository_starts_on_its_default_branch(serve: Serve) -> None:
    seen: list[Any] = []
    resource = PipelineResource("ci", "ci", trigger=BranchFilter())
    api = serve(pipeline(id=1, name="ci"), following(2, resource, seen, default_branch=MAIN))
    api.run(1, branch=DEVELOP)
    wait_for_run(api, 2)
    assert [values[3] for values in seen] == [MAIN]


def test_a_failed_run_starts_nothing_and_one_without_the_tags_neither(serve: Serve) -> None:
    def fail(context: StepContext) -> None:
        context.fail("no")

    seen: list[Any] = []
    api = serve(
        pipeline(fail, id=1, name="bad"),
        pipeline(lambda context: context.add_tag("good"), id=2, name="ci"),
        following(3, PipelineResource("ci", "bad", trigger=BranchFilter()), seen),
        following(4, PipelineResource("ci", "ci", trigger=BranchFilter(), trigger_tags=("good",)), seen),
        following(5, PipelineResource("ci", "ci", trigger=BranchFilter(), trigger_tags=("good", "signed")), seen),
    )
    assert api.server.wait(api.run(1)) == "failed"
    api.run(2)
    wait_for_run(api, 4)
    assert (runs_of(api, 3), runs_of(api, 5)) == ([], [])


def test_the_end_of_some_stages_starts_a_pipeline_once_before_the_run_is_over(serve: Serve) -> None:
    gate, seen = BlockingStep(), list[Any]()
    stages = (stage("A", nothing), stage("B", nothing, depends_on=()), stage("C", gate))
    resource = PipelineResource("ci", "ci", trigger=BranchFilter(), trigger_stages=("a", "B"))
    api = serve(pipeline(id=1, name="ci", stages=stages), following(2, resource, seen))
    run = api.run(1)
    gate.wait_started()
    wait_for_run(api, 2)
    assert api.build(run)["status"] == "inProgress"
    gate.open()
    api.server.wait(run)
    assert len(runs_of(api, 2)) == 1


def test_a_pipeline_without_a_file_is_started_by_its_resources(serve: Serve) -> None:
    resource = PipelineResource("ci", "ci", trigger=BranchFilter())
    api = serve(pipeline(id=1, name="ci"), pipeline(id=2, name="cd", resources=(resource,)))
    run = api.run(1)
    started = wait_for_run(api, 2)
    assert api.server._state.runs[started].resources == {"ci": run}


def test_a_file_that_is_wrong_when_another_run_ends_leaves_a_failed_run(serve: Serve) -> None:
    starts = Triggers(pipelines=(PipelineResource("ci", "ci", trigger=BranchFilter()),))
    api = serve(pipeline(id=1, name="ci"), made(2, "cd", starts, refuse))
    api.run(1)
    started = wait_for_run(api, 2)
    build = api.build(started)
    assert (build["result"], build["reason"]) == ("failed", "resourceTrigger")
    assert api.records(started, "Stage")[0]["issues"][0]["message"] == "/a.yml: this is wrong"
