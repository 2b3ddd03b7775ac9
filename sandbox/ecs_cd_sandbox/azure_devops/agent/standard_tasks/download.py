"""`DownloadPipelineArtifact@2` (`download:`) and `DownloadBuildArtifacts@1`.

Sources: the agent's `PipelineArtifactPluginV2.cs` and `BuildArtifactPluginV1.cs` (which run),
`PipelineArtifactServer.cs`, `PipelineArtifactProvider.cs` and `FileContainerProvider.cs` (which files, and where to).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.patterns import select
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.publish import check_artifact_name
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import TaskFailed, TaskRun
from ecs_cd_sandbox.azure_devops.model.run import CONTAINER, PIPELINE_ARTIFACT, Artifact, Run


@dataclass(frozen=True)
class _Names:
    """What the inputs that choose a run are called."""

    source: str
    pipeline: str
    prefer_triggering: str
    version: str
    branch: str
    run_id: str
    allow_failed: str = ""


_PIPELINE = _Names(
    "source", "pipeline", "preferTriggeringPipeline", "runVersion", "runBranch", "runId", "allowFailedBuilds"
)
_BUILD = _Names(
    "buildType", "definition", "specificBuildWithTriggering", "buildVersionToDownload", "branchName", "buildId"
)


def download_pipeline_artifact(run: TaskRun) -> None:
    """Download one artifact's files into `path`, or all artifacts' into a folder each below it."""
    name, target = run.text("artifact"), run.path("path")
    check_artifact_name(name)
    found = _artifacts(run, _chosen_run(run, _PIPELINE), name)
    target.mkdir(parents=True, exist_ok=True)
    run.context.log(f"Download artifact to: {target}")
    for artifact in found:
        _download(run, artifact, target if name else target / artifact.name, run.text("patterns"), named=not name)
    run.context.log("Downloading artifact finished.")


def download_build_artifacts(run: TaskRun) -> None:
    """Download one artifact's files, or all artifacts', into a folder of the artifact's name below `downloadPath`."""
    target = run.path("downloadPath")
    name = run.required("artifactName") if run.text("downloadType").lower() == "single" else ""
    found = _artifacts(run, _chosen_run(run, _BUILD), name)
    if run.switch("cleanDestinationFolder") and target.is_dir():
        shutil.rmtree(target)
    target.mkdir(parents=True, exist_ok=True)
    run.context.log(f"Download artifact to: {target}")
    for artifact in found:
        _download(run, artifact, target / artifact.name, run.text("itemPattern"), named=True)
    run.context.log("Downloading artifact finished.")


def _chosen_run(run: TaskRun, names: _Names) -> int:
    """Return the id of the run to download from, and set the output variable that has it for historical reasons."""
    if run.text(names.source).lower() == "current":
        number = _current(run)
    else:
        _check_project(run, run.required("project"))
        number = _triggering(run, names) or _specific(run, names)
    run.context.log(f"Download from the specified build: #{number}")
    run.set_variable("BuildNumber", str(number))
    return number


def _current(run: TaskRun) -> int:
    """Return the run itself, in a classic release the build that is its primary artifact."""
    number = run.variable("Build.BuildId")
    if not number.isdecimal():
        kind = run.context.job.kind
        raise TaskFailed(
            f"Trying to download pipeline artifact in '{kind}' environment but build id is not present. Can only "
            f"download a pipeline artifact in '{kind}' environment if the artifact is a build."
        )
    return int(number)


def _check_project(run: TaskRun, project: str) -> None:
    known = run.context.access.links.project
    if project.lower() not in {known.name.lower(), known.id.lower()}:
        raise TaskFailed(f"Get project failed for project: {project}. The sandbox has the project {known.name} alone.")


def _triggering(run: TaskRun, names: _Names) -> int:
    """Return the run that started this one, if it is asked for and is one of the pipeline; else 0."""
    if not run.switch(names.prefer_triggering):
        return 0
    prefix = "Build.TriggeredBy"
    if run.context.job.kind == "release":
        prefix = f"Release.Artifacts.{run.variable('Release.TriggeringArtifact.Alias')}"
    if run.variable(f"{prefix}.DefinitionId") != str(_definition(run, run.required(names.pipeline))):
        return 0
    return int(run.variable(f"{prefix}.BuildId") or 0)


def _definition(run: TaskRun, pipeline: str) -> int:
    """Return the id of the pipeline that an id or a name stands for."""
    if pipeline.isdecimal():
        return int(pipeline)
    name = pipeline.rpartition("\\")[2].lower()
    found = run.context.find_runs(lambda each: each.definition.name.lower() == name)
    if not found:
        raise TaskFailed(
            f"The following pipeline does not exist: {pipeline}. Please verify the name of the pipeline. "
            "(The sandbox looks among the pipelines that have run.)"
        )
    return found[0].definition.id


def _specific(run: TaskRun, names: _Names) -> int:
    version = run.text(names.version).lower()
    if version == "specific":
        wanted = run.text(names.run_id)
        if not wanted.isdecimal():
            raise TaskFailed(f"Run Id is not valid: {wanted}")
        return int(wanted)
    definition = _definition(run, run.required(names.pipeline))
    branch = run.text(names.branch) if version == "latestfrombranch" else ""
    tags = {tag.strip().lower() for tag in run.text("tags").split(",") if tag.strip()}
    results = _results(run, names)

    def fits(each: Run) -> bool:
        return (
            each.definition.id == definition
            and each.result in results
            and tags <= {tag.lower() for tag in each.tags}
            and branch in {"", each.request.source.branch}
        )

    found = [(each.finish_time, each.id) for each in run.context.find_runs(fits) if each.finish_time]
    if not found:
        raise TaskFailed("No builds currently exist in the pipeline definition supplied.")
    return max(found)[1]


def _results(run: TaskRun, names: _Names) -> set[str]:
    results = {"succeeded"}
    if run.switch("allowPartiallySucceededBuilds"):
        results.add("partiallySucceeded")
    if names.allow_failed and run.switch(names.allow_failed):
        results.add("failed")
    return results


def _artifacts(run: TaskRun, number: int, name: str) -> list[Artifact]:
    """Return the artifact of a name, or all that can be downloaded."""
    known = run.context.artifacts(number)
    if not name:
        return [artifact for artifact in known if artifact.kind in {PIPELINE_ARTIFACT, CONTAINER}]
    found = [artifact for artifact in known if artifact.name.lower() == name.lower()]
    if not found:
        raise TaskFailed(f"Artifact {name} was not found for build {number}.")
    if found[0].kind not in {PIPELINE_ARTIFACT, CONTAINER}:
        raise TaskFailed(f"The artifact {name} is not on the server: it is of the kind {found[0].kind}.")
    return found


def _download(run: TaskRun, artifact: Artifact, target: Path, patterns: str, *, named: bool) -> None:
    """Write the files that patterns select. Patterns know the artifact's name in a container, or where `named`."""
    prefix = f"{artifact.name}/" if named or artifact.kind == CONTAINER else ""
    files: Mapping[str, bytes] = {f"{prefix}{path}": content for path, content in artifact.files.items()}
    for path in artifact.files:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise TaskFailed(f"The artifact {artifact.name} has a file outside of it: {path!r}")
    for path in select(files, (patterns or "**").split("\n")):
        place = target / path.removeprefix(prefix)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(files[path])
        run.context.log(f"Downloaded {place}")
