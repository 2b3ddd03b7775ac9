"""Facts of Azure DevOps, from a few runs of a pipeline that only sleeps."""

from __future__ import annotations

from typing import Any

from tools.real.facts import Found, Need, NotSettled, fact
from tools.real.world import World

_ITSELF = "00000002-0000-8888-8000-000000000000"
_NO_PIPELINE = 999999999
_CONDITION = "eq(variables['Build.SourceBranch'], 'refs/heads/ecs-cd-real-elsewhere')"
"""That of the stage `elsewhere` in `pipeline.yml`."""


@fact("connection-data", "connectionData has the id by which a run's requestedBy names the same person", Need.AZURE)
def connection_data(world: World) -> Found:
    """Compare the two."""
    user = world.azure.get("GET", "connectionData", project=False, **{"api-version": "7.1-preview.1"})
    requested = world.build(world.run)["requestedBy"]
    mine = user["authenticatedUser"]["id"]
    return Found("the same id" if requested["id"] == mine else "another id", requested["id"] == mine)


@fact("defaults-in-run", "whether a run shows template parameters that were left at their defaults", Need.AZURE)
def defaults_in_run(world: World) -> Found:
    """Queue a run without parameters and look at it through both APIs."""
    run = world.queue()
    build = world.build(int(run["id"]))
    shown = {"run": run.get("templateParameters"), "build": build.get("templateParameters")}
    return Found(", ".join(f"{where}: {value or 'nothing'}" for where, value in shown.items()))


@fact("parameter-in-run", "a run shows a template parameter that was given", Need.AZURE)
def parameter_in_run(world: World) -> Found:
    """Queue a run with a parameter and look at it through the Build API."""
    run = world.queue(templateParameters={"seconds": "2"})
    shown = world.build(int(run["id"])).get("templateParameters") or {}
    return Found(str(shown or "nothing"), shown.get("seconds") == "2")


@fact("list-after-queue", "the list of runs has a run as soon as queueing it was answered", Need.AZURE)
def list_after_queue(world: World) -> Found:
    """Queue a run and list the pipeline's until it is there."""
    run = int(world.queue()["id"])
    pipeline = str(world.azure_settings.pipeline)

    def listed() -> bool:
        answer = world.azure.get("GET", "build/builds", definitions=pipeline)
        return run in {each["id"] for each in answer["value"]}

    looks = world.looks_until(listed)
    if not looks:
        raise NotSettled("the list never had the run")
    return Found(f"seen at look {looks}")


@fact("missing-branch", "a preview of a branch that does not exist is refused with HTTP 400", Need.AZURE)
def missing_branch(world: World) -> Found:
    """Preview a branch with the check's own name."""
    body = {"previewRun": True, "resources": {"repositories": {"self": {"refName": f"refs/heads/{world.name}"}}}}
    answer = world.azure.ask("POST", f"pipelines/{world.azure_settings.pipeline}/preview", body)
    return Found(answer.error, answer.status == 400)  # noqa: PLR2004 - the status in question


@fact("preview-makes-no-run", "a preview returns the expanded file and makes no run", Need.AZURE)
def preview_makes_no_run(world: World) -> Found:
    """Count the pipeline's runs before and after a preview."""
    pipeline = world.azure_settings.pipeline

    def count() -> int:
        return len(world.azure.get("GET", "build/builds", definitions=str(pipeline))["value"])

    before = count()
    answer = world.azure.get("POST", f"pipelines/{pipeline}/preview", {"previewRun": True, "resources": {}})
    made = count() - before
    return Found(
        f"{made} runs, finalYaml: {bool(answer.get('finalYaml'))}", made == 0 and bool(answer.get("finalYaml"))
    )


@fact("preview-checks-parameters", "a preview with a wrong template parameter is refused with HTTP 400", Need.AZURE)
def preview_checks_parameters(world: World) -> Found:
    """Preview with a text where a number must be."""
    body = {"previewRun": True, "resources": {}, "templateParameters": {"seconds": "soon"}}
    answer = world.azure.ask("POST", f"pipelines/{world.azure_settings.pipeline}/preview", body)
    return Found(answer.error, answer.status == 400)  # noqa: PLR2004 - the status in question


@fact("conditions-in-preview", "a condition stands in a preview as it was written", Need.AZURE)
def conditions_in_preview(world: World) -> Found:
    """Look for the condition of the stage `elsewhere`."""
    body = {"previewRun": True, "resources": {}}
    answer = world.azure.get("POST", f"pipelines/{world.azure_settings.pipeline}/preview", body)
    lines = [line.strip() for line in str(answer.get("finalYaml")).splitlines() if "condition:" in line]
    return Found("; ".join(lines) or "no condition", f"condition: {_CONDITION}" in lines)


@fact("skipped-stage", "a stage whose condition is false is skipped in the timeline", Need.AZURE)
def skipped_stage(world: World) -> Found:
    """Let a run end and look at the stage `elsewhere`."""
    world.finished(world.run)
    result = _stage(world, world.run, "elsewhere").get("result")
    return Found(str(result), result == "skipped")


@fact("deselected-stage", "a stage that was deselected is skipped in the timeline, too", Need.AZURE)
def deselected_stage(world: World) -> Found:
    """Queue a run without the stage `wait`."""
    run = int(world.queue(stagesToSkip=["wait"])["id"])
    world.finished(run)
    result = _stage(world, run, "wait").get("result")
    return Found(str(result), result == "skipped")


def _stage(world: World, run: int, name: str) -> dict[str, Any]:
    """Return the record of a stage; empty where the timeline has none."""
    records = world.azure.get("GET", f"build/builds/{run}/timeline").get("records") or []
    found: dict[str, Any] = next(
        (each for each in records if each.get("type") == "Stage" and each.get("identifier") == name), {}
    )
    return found


@fact(
    "unknown-pipeline",
    "queueing a pipeline that does not exist answers HTTP 500, PipelineNotFoundException",
    Need.AZURE,
)
def unknown_pipeline(world: World) -> Found:
    """Preview a pipeline of an id that nothing has."""
    answer = world.azure.ask("POST", f"pipelines/{_NO_PIPELINE}/preview", {"previewRun": True, "resources": {}})
    kind = answer.body.get("typeKey")
    return Found(answer.error, answer.status == 500 and kind == "PipelineNotFoundException")  # noqa: PLR2004 - likewise


@fact("disabled-pipeline", "queueing a disabled pipeline is refused with HTTP 400", Need.DISABLED)
def disabled_pipeline(world: World) -> Found:
    """Try to queue it."""
    path = f"pipelines/{world.azure_settings.disabled_pipeline}/runs"
    answer = world.azure.ask("POST", path, {"resources": {}})
    if answer.ok:
        run = answer.body["id"]
        raise NotSettled(f"the pipeline is not disabled: run {run} was queued, cancel it")
    return Found(answer.error, answer.status == 400)  # noqa: PLR2004 - likewise


@fact("tag-a-run", "PUT build/builds/ID/tags/TAG answers with all tags of the run", Need.AZURE)
def tag_a_run(world: World) -> Found:
    """Put a second tag on a run."""
    answer = world.azure.get("PUT", f"build/builds/{world.run}/tags/{world.name}-second")
    tags = set(answer.get("value", []))
    return Found(", ".join(sorted(tags)), tags >= {world.name, f"{world.name}-second"})


@fact("right-to-tag", "who may not tag is told which permission is needed: Edit build quality", Need.RESTRICTED)
def right_to_tag(world: World) -> Found:
    """Tag a run as somebody who may not."""
    answer = world.restricted.ask("PUT", f"build/builds/{world.run}/tags/{world.name}-restricted")
    if answer.ok:
        raise NotSettled("ECS_CD_REAL_RESTRICTED_PAT is of somebody who may tag runs")
    return Found(answer.error, "needs Edit build quality permission" in answer.error)


@fact("timeline-records", "the timeline of a finished run has records Stage, Phase, Job and Task", Need.AZURE)
def timeline_records(world: World) -> Found:
    """Let a run end and list the kinds of its records."""
    world.finished(world.run)
    records = world.azure.get("GET", f"build/builds/{world.run}/timeline").get("records") or []
    kinds = {str(record.get("type")) for record in records}
    return Found(", ".join(sorted(kinds)), kinds >= {"Stage", "Phase", "Job", "Task"})


@fact(
    "finished-by-itself",
    "a run that ended by itself was last changed by Azure DevOps itself, of a known id",
    Need.AZURE,
)
def finished_by_itself(world: World) -> Found:
    """Let a run end and see who changed it last."""
    build = world.finished(int(world.queue()["id"]))  # one that nobody tags meanwhile
    who: dict[str, Any] = build.get("lastChangedBy") or {}
    known = who.get("id") == _ITSELF
    return Found("Azure DevOps itself" if known else f"another: id {who.get('id')}", known)


@fact("cancelled-run", "a cancelled run was last changed by who cancelled it, or says so in an issue", Need.AZURE)
def cancelled_run(world: World) -> Found:
    """Cancel a run, and look for a name while it is cancelled and afterwards."""
    run = world.queue(templateParameters={"seconds": "60"})
    asked = world.azure.get("PATCH", f"build/builds/{run['id']}", {"status": "cancelling"})
    ended = world.finished(int(run["id"]))
    me = asked["requestedBy"]["id"]
    records = world.azure.get("GET", f"build/builds/{run['id']}/timeline").get("records") or []
    issues = [str(issue.get("message")) for record in records for issue in record.get("issues") or []]
    words = [each for each in issues if "cancel" in each.lower()]
    during, after = ((each.get("lastChangedBy") or {}).get("id") == me for each in (asked, ended))
    return Found(
        f"result {ended.get('result')}; last changed by us: while cancelling {during}, afterwards {after}; "
        f"issues: {'; '.join(words) or 'none'}"
    )
