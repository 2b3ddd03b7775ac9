"""The variables that the service and the agent set for a job, by their documented names.

Source: https://learn.microsoft.com/azure/devops/pipelines/build/variables, .../release/variables, and the agent's
`Constants.cs`. What nobody asks for in a sandbox (queue, pull request, containers) is left out.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping

from ecs_cd_sandbox.azure_devops.agent.job import JobAccess
from ecs_cd_sandbox.azure_devops.agent.workspace import Workspace
from ecs_cd_sandbox.azure_devops.model.definitions import JobDefinition
from ecs_cd_sandbox.azure_devops.model.environments import KnownEnvironment
from ecs_cd_sandbox.azure_devops.model.identities import stable_guid
from ecs_cd_sandbox.azure_devops.model.links import Links
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.run_variables import build_variables, prefixed, resource_variables
from ecs_cd_sandbox.azure_devops.model.timeline import Record
from ecs_cd_sandbox.azure_devops.model.variables import Variables

AGENT_VERSION = "4.265.1"
"""The first version of the agent that has Node 24."""

_OS = {"Linux": "Linux", "Darwin": "Darwin", "Windows": "Windows_NT"}
_ARCHITECTURES = {"x86_64": "X64", "amd64": "X64", "aarch64": "ARM64", "arm64": "ARM64"}


def predefined(
    run: Run,
    record: Record,
    definition: JobDefinition,
    access: JobAccess,
    workspace: Workspace,
    *,
    resources: Mapping[str, Run],
    deployment: Mapping[str, str],
) -> Variables:
    """Return the variables of a job whose timeline record is given.

    `resources` are runs it uses, by alias; `deployment` is what `deployment_variables` gave, if it is such a job.
    """
    links = access.links
    values = {
        **_system(run, record, access, workspace),
        **_agent(record, workspace),
    }
    if definition.kind == "release":
        primary = next(iter(resources), "")
        values |= _build(resources[primary], links) if primary else {}
        values |= _release(run, definition, links)
        values |= {"Release.PrimaryArtifactSourceAlias": primary} if primary else {}
        for alias, source in resources.items():
            values |= prefixed(f"Release.Artifacts.{alias}", _release_artifact(source, links))
    else:
        values |= {**_build(run, links), **_build_folders(workspace), "Pipeline.Workspace": str(workspace.pipeline)}
        values |= {**resource_variables(run, resources, links.project), **deployment}
    return Variables(values)


def deployment_variables(environment: KnownEnvironment, hook: str) -> dict[str, str]:
    """Return the variables of a deployment job, or of one hook of it."""
    cycle = {"preDeploy": "PreIteration", "on.failure": "PostIteration", "on.success": "PostIteration"}
    return {
        "Environment.Name": environment.name,
        "Environment.Id": str(environment.id),
        "Strategy.Name": "runOnce",
        "Strategy.CycleName": cycle.get(hook, "Iteration"),
    }


def _system(run: Run, record: Record, access: JobAccess, workspace: Workspace) -> dict[str, str]:
    links = access.links
    collection = f"{links.organization}/"
    phase = run.timeline.parent(record)
    stage = run.timeline.parent(phase) if phase else None
    values = {
        "CollectionId": stable_guid("organization", links.project.organization),
        "CollectionUri": collection,
        "TeamFoundationCollectionUri": collection,
        "TeamFoundationServerUri": collection,
        "TeamProject": links.project.name,
        "TeamProjectId": links.project.id,
        "DefinitionId": str(run.definition.id),
        "DefinitionName": run.definition.name,
        "HostType": "release" if workspace.kind == "release" else "build",
        "ServerType": "Hosted",
        "Culture": "en-US",
        "PlanId": run.plan_id,
        "TimelineId": run.timeline.id,
        "JobId": record.id,
        "JobIdentifier": record.identifier,
        "JobName": record.ref_name or record.name,
        "JobDisplayName": record.name,
        "JobAttempt": str(record.attempt),
        "PhaseName": phase.ref_name or phase.name if phase else "",
        "PhaseDisplayName": phase.name if phase else "",
        "PhaseAttempt": str(phase.attempt) if phase else "1",
        "StageName": stage.ref_name or stage.name if stage else "",
        "StageDisplayName": stage.name if stage else "",
        "StageAttempt": str(stage.attempt) if stage else "1",
        "DefaultWorkingDirectory": str(workspace.default),
        "ArtifactsDirectory": str(workspace.artifacts),
        "WorkFolder": str(workspace.work),
        "EnableAccessToken": "SecretVariable",
        "OidcRequestUri": access.oidc_request_url,
    }
    return {"System": "build", **prefixed("System", values), "TF_BUILD": "True"}


def _agent(record: Record, workspace: Workspace) -> dict[str, str]:
    system, machine = platform.system(), platform.machine().lower()
    values = {
        "Id": "1",
        "Name": record.worker or "",
        "MachineName": platform.node(),
        "OS": _OS.get(system, system),
        "OSArchitecture": _ARCHITECTURES.get(machine, machine.upper()),
        "JobName": record.name,
        "JobStatus": "Succeeded",
        "Version": AGENT_VERSION,
        "HomeDirectory": str(workspace.work.parent),
        "RootDirectory": str(workspace.work),
        "WorkFolder": str(workspace.work),
        "BuildDirectory": str(workspace.pipeline),
        "TempDirectory": str(workspace.temp),
        "ToolsDirectory": str(workspace.tools),
    }
    return prefixed("Agent", values)


def _build(run: Run, links: Links) -> dict[str, str]:
    return {**build_variables(run), "Build.Repository.Uri": links.repository(run.definition.repository.name)}


def _build_folders(workspace: Workspace) -> dict[str, str]:
    return {
        "Build.SourcesDirectory": str(workspace.sources),
        "Build.Repository.LocalPath": str(workspace.sources),
        "Build.ArtifactStagingDirectory": str(workspace.artifacts),
        "Build.StagingDirectory": str(workspace.artifacts),
        "Build.BinariesDirectory": str(workspace.binaries),
        "Common.TestResultsDirectory": str(workspace.pipeline / "TestResults"),
    }


def _release(run: Run, definition: JobDefinition, links: Links) -> dict[str, str]:
    person = run.request.requested_by
    environment = str(run.id * 10 + 1)
    values = {
        "ReleaseId": str(run.id),
        "ReleaseName": run.number,
        "ReleaseDescription": "",
        "ReleaseUri": f"vstfs:///ReleaseManagement/Release/{run.id}",
        "ReleaseWebUrl": links.web(f"_release?releaseId={run.id}&_a=release-summary"),
        "DefinitionId": str(run.definition.id),
        "DefinitionName": run.definition.name,
        "EnvironmentId": environment,
        "EnvironmentName": definition.environment,
        "EnvironmentUri": f"vstfs:///ReleaseManagement/Environment/{environment}",
        "AttemptNumber": "1",
        "Reason": f"{run.request.reason[:1].upper()}{run.request.reason[1:]}",
        "RequestedFor": person.display_name,
        "RequestedForId": person.id,
        "RequestedForEmail": person.unique_name,
    }
    return prefixed("Release", values)


def _release_artifact(run: Run, links: Links) -> dict[str, str]:
    return {
        "Type": "Build",
        "ProjectId": links.project.id,
        "ProjectName": links.project.name,
        "DefinitionId": str(run.definition.id),
        "DefinitionName": run.definition.name,
        "BuildId": str(run.id),
        "BuildNumber": run.number,
        "BuildUri": f"vstfs:///Build/Build/{run.id}",
        "SourceBranch": run.request.source.branch,
        "SourceBranchName": run.request.source.branch.rpartition("/")[2],
        "SourceVersion": run.request.source.commit,
        "RequestedFor": run.request.requested_by.display_name,
        "RequestedForId": run.request.requested_by.id,
    }
