"""Which run of another pipeline a run uses: `resources.pipelines` of a file.

Source: https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/resources-pipelines-pipeline. A manual run may
name the run to use by its number; else it is the newest successful one that `version`, `branch` and `tags` allow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ecs_cd_sandbox.azure_devops.engine.branch_filters import full_name
from ecs_cd_sandbox.azure_devops.model.definitions import PipelineDefinition, PipelineResource
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.state import State

_SUCCEEDED = {"succeeded", "partiallySucceeded"}


class ResourceError(Exception):
    """A run that was asked for does not exist; the message says which."""


def is_source(resource: PipelineResource, definition: PipelineDefinition) -> bool:
    """Say whether a resource means a pipeline: by name, or by folder and name."""
    folder, _, name = resource.source.rpartition("\\")
    same_folder = not folder or folder.strip("\\").lower() == definition.folder.strip("\\").lower()
    return same_folder and name.lower() == definition.name.lower()


def choose_runs(
    state: State, definition: PipelineDefinition, versions: Mapping[str, str], known: Collection[str] = ()
) -> dict[str, int]:
    """Return the run to use of each resource, by alias; one that has no run yet is left out.

    `versions` are the numbers of the runs asked for, by alias; `known` are aliases whose runs are known already.

    Raises:
        ResourceError: a run asked for, or named in the file, does not exist.
    """
    declared = {resource.alias.lower() for resource in definition.resources}
    unknown = [alias for alias in versions if alias.lower() not in declared]
    if unknown:
        raise ResourceError(f"The pipeline resource '{unknown[0]}' is not declared in {definition.yaml_path}.")
    wanted = {alias.lower(): version for alias, version in versions.items()}
    found = {}
    for resource in definition.resources:
        if resource.alias in known:
            continue
        version = wanted.get(resource.alias.lower()) or resource.version
        run = _newest(state, resource, version, chosen=resource.alias.lower() in wanted)
        if run:
            found[resource.alias] = run.id
        elif version:
            raise ResourceError(
                f"Unable to resolve version '{version}' of the pipeline resource '{resource.alias}': "
                f"{resource.source} has no such run."
            )
    return found


def _newest(state: State, resource: PipelineResource, version: str, *, chosen: bool) -> Run | None:
    """Return the newest run that fits; one that somebody chose need not be of the resource's branch and tags."""
    runs = [run for run in state.runs.values() if is_source(resource, run.definition) and run.phase == "done"]
    if version:
        runs = [run for run in runs if run.number == version]
    if not version:
        runs = [run for run in runs if run.result in _SUCCEEDED]
    if not chosen:
        runs = [run for run in runs if set(resource.tags) <= set(run.tags)]
        if resource.branch:
            runs = [run for run in runs if run.request.source.branch == full_name(resource.branch)]
    return max(runs, key=lambda run: run.id, default=None)
