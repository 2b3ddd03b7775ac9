"""The variables of a run that the service knows without an agent: of the run itself, and of the runs it uses.

Source: https://learn.microsoft.com/azure/devops/pipelines/build/variables and
https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/resources-pipelines-pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping

from ecs_cd_sandbox.azure_devops.model.identities import stable_guid
from ecs_cd_sandbox.azure_devops.model.links import Project
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.variables import Variables

Resources = Mapping[str, Run]
"""The runs of other pipelines that a run uses, by alias."""


def prefixed(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the values under longer names."""
    return {f"{prefix}.{name}": value for name, value in values.items()}


def build_variables(run: Run) -> dict[str, str]:
    """Return `Build.*` as far as it needs no agent and no address."""
    person, source, repository = run.request.requested_by, run.request.source, run.definition.repository
    values = {
        "BuildId": str(run.id),
        "BuildNumber": run.number,
        "BuildUri": f"vstfs:///Build/Build/{run.id}",
        "ContainerId": str(run.id),
        "DefinitionName": run.definition.name,
        "DefinitionVersion": str(run.definition.revision),
        "Reason": f"{run.request.reason[:1].upper()}{run.request.reason[1:]}",
        "QueuedBy": person.display_name,
        "QueuedById": person.id,
        "RequestedFor": person.display_name,
        "RequestedForId": person.id,
        "RequestedForEmail": person.unique_name,
        "SourceBranch": source.branch,
        "SourceBranchName": source.branch.rpartition("/")[2],
        "SourceVersion": source.commit,
        "Repository.Id": stable_guid("repository", repository.name),
        "Repository.Name": repository.name,
        "Repository.Provider": repository.type,
    }
    return prefixed("Build", values)


def resource_variables(run: Run, resources: Resources, project: Project) -> dict[str, str]:
    """Return `resources.pipeline.<alias>.*`, and which of them started the run."""
    values: dict[str, str] = {}
    for alias, source in resources.items():
        values |= prefixed(f"resources.pipeline.{alias}", pipeline_resource(source, project))
    if run.request.triggering_alias:
        values |= {
            "Resources.TriggeringAlias": run.request.triggering_alias,
            "Resources.TriggeringCategory": "pipeline",
        }
    return values


def pipeline_resource(run: Run, project: Project) -> dict[str, str]:
    """Return what is known about a run that another one uses."""
    return {
        "projectName": project.name,
        "projectID": project.id,
        "pipelineName": run.definition.name,
        "pipelineID": str(run.definition.id),
        "runName": run.number,
        "runID": str(run.id),
        "runURI": f"vstfs:///Build/Build/{run.id}",
        "sourceBranch": run.request.source.branch,
        "sourceCommit": run.request.source.commit,
        "sourceProvider": run.definition.repository.type,
        "requestedFor": run.request.requested_by.display_name,
        "requestedForID": run.request.requested_by.id,
    }


def service_variables(run: Run, resources: Resources, project: Project) -> Variables:
    """Return what conditions and expressions outside of a job find in `variables`, but for the pipeline's own."""
    system = {
        "TeamProject": project.name,
        "TeamProjectId": project.id,
        "DefinitionId": str(run.definition.id),
        "DefinitionName": run.definition.name,
        "PlanId": run.plan_id,
        "TimelineId": run.timeline.id,
        "HostType": "build",
        "Culture": "en-US",
    }
    return Variables(
        {
            "System": "build",
            **prefixed("System", system),
            **build_variables(run),
            **resource_variables(run, resources, project),
        }
    )
