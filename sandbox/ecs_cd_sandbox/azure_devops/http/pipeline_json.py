"""Runs and pipelines in the shapes of the Pipelines API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ecs_cd_sandbox.azure_devops.http.build_json import present, time_json
from ecs_cd_sandbox.azure_devops.model.definitions import PipelineDefinition
from ecs_cd_sandbox.azure_devops.model.identities import stable_guid
from ecs_cd_sandbox.azure_devops.model.links import Links
from ecs_cd_sandbox.azure_devops.model.run import Artifact, Log, Run

JsonObject = dict[str, Any]

_REPOSITORY_TYPES = {"TfsGit": "azureReposGit", "GitHub": "gitHub"}


def pipeline_reference_json(definition: PipelineDefinition, links: Links) -> JsonObject:
    """Return the part of a pipeline that runs carry."""
    return {
        "url": links.api(f"pipelines/{definition.id}?revision={definition.revision}"),
        "id": definition.id,
        "revision": definition.revision,
        "name": definition.name,
        "folder": definition.folder,
    }


def pipeline_json(definition: PipelineDefinition, links: Links, *, full: bool) -> JsonObject:
    """Return a pipeline as it is listed, or with its configuration."""
    body = pipeline_reference_json(definition, links)
    body["_links"] = {
        "self": {"href": body["url"]},
        "web": {"href": links.web(f"_build/definition?definitionId={definition.id}")},
    }
    if full:
        body["configuration"] = {
            "type": "yaml",
            "path": definition.yaml_path,
            "repository": _repository_json(definition),
        }
    return body


def _repository_json(definition: PipelineDefinition) -> JsonObject:
    repository = definition.repository
    return {"id": stable_guid("repository", repository.name), "type": _REPOSITORY_TYPES[repository.type]}


def run_json(run: Run, links: Links) -> JsonObject:
    """Return a run. It has no state for waiting and no result for partial success.

    What a run that has not started shows as its state is not documented; here it is `inProgress`.
    """
    states = {"cancelling": "canceling", "completed": "completed"}
    results = {"partiallySucceeded": "succeeded"}
    definition, request = run.definition, run.request
    pipeline = pipeline_reference_json(definition, links)
    return present(
        {
            "_links": {
                "self": {"href": links.run(definition.id, run.id)},
                "web": {"href": links.web(f"_build/results?buildId={run.id}")},
                "pipeline.web": {"href": links.web(f"_build/definition?definitionId={definition.id}")},
                "pipeline": {"href": pipeline["url"]},
            },
            "templateParameters": request.parameters,
            "pipeline": pipeline,
            "state": states.get(run.status, "inProgress"),
            "result": results.get(run.result, run.result) if run.result else None,
            "createdDate": time_json(run.queue_time),
            "finishedDate": time_json(run.finish_time),
            "url": links.run(definition.id, run.id),
            "resources": {
                "repositories": {
                    "self": {
                        "repository": _repository_json(definition),
                        "refName": request.source.branch,
                        "version": request.source.commit,
                    }
                }
            },
            "variables": {name: {"value": value} for name, value in request.variables.items()},
            "id": run.id,
            "name": run.number,
        }
    )


def run_log_json(log: Log, run: Run, links: Links) -> JsonObject:
    """Return what is known about a log of a run."""
    return {
        "createdOn": time_json(log.created),
        "lastChangedOn": time_json(log.changed),
        "id": log.id,
        "lineCount": len(log.lines),
        "url": links.run(run.definition.id, run.id, f"/logs/{log.id}"),
    }


def run_artifact_json(artifact: Artifact, run: Run, links: Links) -> JsonObject:
    """Return an artifact of a run."""
    url = links.run(run.definition.id, run.id, f"/artifacts?artifactName={artifact.name}")
    return {"name": artifact.name, "url": url}


def signed_json(url: str, expires: datetime) -> JsonObject:
    """Return a link that needs no credentials, for a while."""
    return {"url": url, "signatureExpires": time_json(expires)}


def final_yaml(definition: PipelineDefinition, parameters: Mapping[str, str] | None = None) -> str:
    """Return the pipeline's file; one that was not given is made from its stages, jobs and conditions.

    What a file that was not given would make of the template parameters is not known: they are in a comment.
    """
    comment = f"# parameters: {json.dumps(parameters, sort_keys=True)}\n" if parameters else ""
    if definition.yaml:
        return definition.yaml + comment
    lines = ["stages:"]
    for stage in definition.stages:
        lines.append(f"- stage: {stage.name}")
        if stage.depends_on is not None:
            lines.append(f"  dependsOn: {json.dumps(stage.depends_on)}")
        lines += [*_condition(stage.condition, "  "), "  jobs:"]
        for job in stage.jobs:
            lines += [f"  - job: {job.name}", *_condition(job.condition, "    ")]
            steps = job.steps if any(step.condition != _ALWAYS_WHEN_WELL for step in job.steps) else ()
            lines += ["    steps:"] if steps else []
            for step in steps:
                lines += [f"    - task: {json.dumps(step.task.name)}", f"      displayName: {json.dumps(step.name)}"]
                lines += _condition(step.condition, "      ")
    return "\n".join(lines) + "\n" + comment


_ALWAYS_WHEN_WELL = "succeeded()"


def _condition(condition: str, indent: str) -> list[str]:
    return [] if condition == _ALWAYS_WHEN_WELL else [f"{indent}condition: {json.dumps(condition)}"]
