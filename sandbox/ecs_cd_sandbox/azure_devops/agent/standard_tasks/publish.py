"""`PublishPipelineArtifact@1` (`publish:`) and `PublishBuildArtifacts@1`.

Sources: the agent's `PipelineArtifactPluginV1.cs`, and `publishbuildartifacts.ts`.
"""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.logging_commands import escape
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.patterns import files_below
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import TaskFailed, TaskRun
from ecs_cd_sandbox.azure_devops.agent.step_output import process_line

_NO_FILE_SHARE = (
    "Publishing artifacts from a Linux or macOS agent to a file share is not supported. Change the artifact type to "
    "`Azure Pipelines` or use a Windows agent."
)
_FORBIDDEN = set('\\/":<>|*?')
_IGNORE_FILE = ".artifactignore"


def check_artifact_name(name: str) -> None:
    """Refuse a name that no artifact can have.

    Raises:
        TaskFailed: it has such a character.
    """
    if _FORBIDDEN & set(name):
        forbidden = """'\\', /', "', ':', '<', '>', '|', '*', and '?'"""
        raise TaskFailed(f"Artifact name is not valid: {name}. It cannot contain {forbidden}")


def publish_pipeline_artifact(run: TaskRun) -> None:
    """Publish a file or a folder, hidden files and all, as a pipeline artifact, whose name must be new in the run."""
    context = run.context
    path = run.path("path")
    if run.text("artifactType").lower() != "pipeline":
        raise TaskFailed(_NO_FILE_SHARE)
    if context.job.kind != "build":
        raise TaskFailed(f"Cannot upload to a pipeline artifact from {context.job.kind} environment.")
    name = run.text("artifactName")
    context.log(f"Artifact name input: {name}" if name else "Artifact name was not inserted for publishing.")
    name = name or re.sub(r"[^a-zA-Z0-9 \-.]", "", run.variable("System.JobIdentifier")).replace(".default", "")
    check_artifact_name(name)
    _check_properties(run.text("properties"))
    if not path.exists():
        raise TaskFailed(f"Path does not exist: {path}")
    if (path / _IGNORE_FILE).is_file():
        raise TaskFailed(f"The sandbox does not know what {_IGNORE_FILE} leaves out: publish a folder without one.")
    context.log(f"Uploading pipeline artifact from {path} for build #{context.run_id}")
    if any(known.name.lower() == name.lower() for known in context.artifacts(context.run_id)):
        raise TaskFailed(f"Artifact {name} already exists for build {context.run_id}.")
    context.publish(name, path)
    _associate(run, name)
    context.log("Uploading pipeline artifact finished.")


def _check_properties(text: str) -> None:
    """Refuse properties that are no JSON object of names with `user-`; the service keeps them, nobody here asks."""
    if not text:
        return
    try:
        names = [str(name) for name in dict(json.loads(text))]
    except (ValueError, TypeError) as error:
        raise TaskFailed(f"Artifact custom properties is not valid JSON: '{text}'") from error
    wrong = [name for name in names if not name.startswith("user-")]
    if wrong:
        raise TaskFailed(f"Artifact custom properties must be prefixed with 'user-'. Invalid property: '{wrong[0]}'")


def _associate(run: TaskRun, name: str) -> None:
    number = next(known.id for known in run.context.artifacts(run.context.run_id) if known.name == name)
    run.context.log(f"Associated artifact {number} with build {run.context.run_id}")


def publish_build_artifacts(run: TaskRun) -> None:
    """Upload a file or a folder, hidden files and all, into a container; what has been there before stays."""
    path, name = run.existing_path("PathtoPublish"), run.required("ArtifactName")
    if run.text("ArtifactType").lower() == "filepath":
        raise TaskFailed(_NO_FILE_SHARE)
    if run.context.job.kind != "build":
        raise TaskFailed("This task must run in a build to publish artifacts to Azure Pipelines.")
    uploaded = _tar(run, path, name) if run.switch("StoreAsTar") else path
    _warn_of_size(run, uploaded)
    place = escape(name)
    process_line(
        run.context, f"##vso[artifact.upload containerfolder={place};artifactname={place}]{escape(str(uploaded))}"
    )
    if run.context.commands_failed:
        return
    run.context.log(f"Upload '{uploaded}' to file container: '#/{run.context.run_id}/{name}'")


def _tar(run: TaskRun, path: Path, name: str) -> Path:
    target = run.context.job.workspace.temp / f"{name}.tar"
    with tarfile.open(target, "w") as archive:
        archive.add(path, path.name if path.is_file() else ".")
    return target


def _warn_of_size(run: TaskRun, path: Path) -> None:
    text = run.text("MaxArtifactSize")
    most = int(text) if text.isdecimal() else 0
    files = [path] if path.is_file() else [path / file for file in files_below(path)]
    size = sum(file.stat().st_size for file in files) if most else 0
    if size > most:
        run.context.warning(
            f"The size of artifacts being published is {size} bytes which is larger than the maximum limit {most} "
            "bytes set for the published size of artifacts."
        )
