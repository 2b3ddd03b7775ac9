"""Runs and pipelines in the shapes of the Build API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ecs_cd_sandbox.azure_devops.model.definitions import PipelineDefinition
from ecs_cd_sandbox.azure_devops.model.identities import Identity, stable_guid
from ecs_cd_sandbox.azure_devops.model.links import Links
from ecs_cd_sandbox.azure_devops.model.run import CONTAINER, PIPELINE_ARTIFACT, Artifact, Attachment, Log, Run
from ecs_cd_sandbox.azure_devops.model.timeline import Issue, Record

JsonObject = dict[str, Any]

AUTHOR = Identity("Sandbox Author", "author@example.com")
POOL = {"id": 1, "name": "Sandbox", "isHosted": False}
_NEVER = "0001-01-01T00:00:00"


def time_json(value: datetime | None) -> str | None:
    """Return a UTC time as the service writes it."""
    return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z" if value else None


def present(body: Mapping[str, Any]) -> JsonObject:
    """Leave out what is None: the Build API does not send properties without a value."""
    return {name: value for name, value in body.items() if value is not None}


def identity_json(identity: Identity, links: Links) -> JsonObject:
    """Return an identity reference."""
    avatar = f"{links.organization}/_apis/GraphProfile/MemberAvatars/{identity.id}"
    return {
        "displayName": identity.display_name,
        "url": f"{links.organization}/_apis/Identities/{identity.id}",
        "_links": {"avatar": {"href": avatar}},
        "id": identity.id,
        "uniqueName": identity.unique_name,
        "imageUrl": avatar,
        "descriptor": f"aad.{identity.id.replace('-', '')}",
    }


def project_json(links: Links) -> JsonObject:
    """Return the reference of the project."""
    return {
        "id": links.project.id,
        "name": links.project.name,
        "url": f"{links.organization}/_apis/projects/{links.project.id}",
        "state": "wellFormed",
        "revision": 1,
        "visibility": "private",
        "lastUpdateTime": "2026-01-01T00:00:00Z",
    }


def repository_json(definition: PipelineDefinition, links: Links) -> JsonObject:
    """Return the repository of a pipeline."""
    repository = definition.repository
    return {
        "id": stable_guid("repository", repository.name),
        "type": repository.type,
        "name": repository.name,
        "url": links.repository(repository.name),
        "clean": None,
        "checkoutSubmodules": False,
    }


def definition_reference_json(definition: PipelineDefinition, links: Links) -> JsonObject:
    """Return the part of a definition that builds carry."""
    return {
        "drafts": [],
        "id": definition.id,
        "name": definition.name,
        "url": links.api(f"build/Definitions/{definition.id}?revision={definition.revision}"),
        "uri": f"vstfs:///Build/Definition/{definition.id}",
        "path": definition.folder,
        "type": "build",
        "queueStatus": definition.queue_status,
        "revision": definition.revision,
        "project": project_json(links),
    }


def definition_json(definition: PipelineDefinition, links: Links, *, full: bool) -> JsonObject:
    """Return a definition as it is listed, or in full."""
    href = links.api(f"build/Definitions/{definition.id}?revision={definition.revision}")
    web = links.web(f"_build/definition?definitionId={definition.id}")
    body = {
        "_links": {
            "self": {"href": href},
            "web": {"href": web},
            "editor": {"href": web},
            "badge": {"href": links.api(f"build/status/{definition.id}")},
        },
        "quality": "definition",
        "authoredBy": identity_json(AUTHOR, links),
        "queue": _queue_json(links),
        "createdDate": "2026-01-01T00:00:00Z",
        **definition_reference_json(definition, links),
    }
    if not full:
        return body
    return {
        **body,
        "process": {"type": 2, "yamlFilename": definition.yaml_path.lstrip("/")},
        "repository": {**repository_json(definition, links), "defaultBranch": definition.default_branch},
        "triggers": [],
        "variables": {
            name: {"value": definition.variables.get(name, ""), "allowOverride": name in definition.settable_variables}
            for name in sorted({*definition.variables, *definition.settable_variables})
        },
        "variableGroups": [],
        "properties": {},
        "tags": [],
        "jobAuthorizationScope": "project",
        "jobTimeoutInMinutes": 60,
        "jobCancelTimeoutInMinutes": 5,
    }


def _queue_json(links: Links) -> JsonObject:
    return {"id": 1, "name": POOL["name"], "url": links.api("build/Queues/1"), "pool": POOL}


def build_json(run: Run, links: Links) -> JsonObject:
    """Return a run as a build."""
    request = run.request
    return present(
        {
            "_links": {
                "self": {"href": links.build(run.id)},
                "web": {"href": links.web(f"_build/results?buildId={run.id}")},
                "sourceVersionDisplayUri": {"href": links.build(run.id, "/sources")},
                "timeline": {"href": links.build(run.id, "/Timeline")},
                "badge": {"href": links.api(f"build/status/{run.definition.id}")},
            },
            "properties": {},
            "tags": run.tags,
            "validationResults": [{"result": "error", "message": message} for message in run.problems],
            "plans": [{"planId": run.plan_id}],
            "triggerInfo": dict(request.trigger_info),
            "id": run.id,
            "buildNumber": run.number,
            "buildNumberRevision": run.revision,
            "status": run.status,
            "result": run.result,
            "queueTime": time_json(run.queue_time),
            "startTime": time_json(run.start_time),
            "finishTime": time_json(run.finish_time),
            "url": links.build(run.id),
            "definition": definition_reference_json(run.definition, links),
            "project": project_json(links),
            "uri": f"vstfs:///Build/Build/{run.id}",
            "sourceBranch": request.source.branch,
            "sourceVersion": request.source.commit,
            "queue": _queue_json(links),
            "priority": "normal",
            "reason": request.reason,
            "requestedFor": identity_json(request.requested_by, links),
            "requestedBy": identity_json(request.requested_by, links),
            "lastChangedDate": time_json(run.changed),
            "lastChangedBy": identity_json(run.changed_by, links),
            "parameters": json.dumps(request.variables) if request.variables else None,
            "templateParameters": request.parameters,
            "orchestrationPlan": {"planId": run.plan_id},
            "logs": {"id": 0, "type": "Container", "url": links.build(run.id, "/logs")},
            "repository": repository_json(run.definition, links),
            "keepForever": run.keep_forever,
            "retainedByRelease": False,
            "appendCommitMessageToRunName": True,
        }
    )


def timeline_json(run: Run, links: Links, since: int = 0) -> JsonObject:
    """Return the timeline, or its records changed after a change id."""
    timeline = run.timeline
    return {
        "records": [record_json(record, run, links) for record in timeline.records if record.change_id > since],
        "lastChangedBy": run.changed_by.id,
        "lastChangedOn": time_json(timeline.changed),
        "id": timeline.id,
        "changeId": timeline.change_id,
        "url": links.build(run.id, f"/Timeline/{timeline.id}"),
    }


def record_json(record: Record, run: Run, links: Links) -> JsonObject:
    """Return a timeline record. Unlike elsewhere, what has no value is sent as null."""
    body = {
        "previousAttempts": [
            {"attempt": old.attempt, "timelineId": old.timeline_id, "recordId": old.record_id}
            for old in record.previous_attempts
        ],
        "id": record.id,
        "parentId": record.parent_id,
        "type": record.type,
        "name": record.name,
        "startTime": time_json(record.start_time),
        "finishTime": time_json(record.finish_time),
        "currentOperation": record.current_operation,
        "percentComplete": record.percent_complete,
        "state": record.state,
        "result": record.result,
        "resultCode": None,
        "changeId": record.change_id,
        "lastModified": _NEVER,
        "workerName": record.worker,
        "queueId": 1 if record.type == "Job" else None,
        "order": record.order,
        "details": None,
        "errorCount": record.error_count,
        "warningCount": record.warning_count,
        "url": None,
        "log": _log_reference_json(record.log_id, run, links),
        "task": vars(record.task) if record.task else None,
        "attempt": record.attempt,
        "identifier": record.identifier,
    }
    if record.ref_name is not None:
        body["refName"] = record.ref_name
    if record.issues:
        body["issues"] = [_issue_json(issue) for issue in record.issues]
    return body


def _issue_json(issue: Issue) -> JsonObject:
    data: dict[str, str] = {"type": issue.type, **issue.data}
    if issue.log_line is not None:
        data["logFileLineNumber"] = str(issue.log_line)
    return {"type": issue.type, "category": issue.category, "message": issue.message, "data": data}


def _log_reference_json(log_id: int | None, run: Run, links: Links) -> JsonObject | None:
    if log_id is None:
        return None
    return {"id": log_id, "type": "Container", "url": links.build(run.id, f"/logs/{log_id}")}


def log_json(log: Log, run: Run, links: Links) -> JsonObject:
    """Return what is known about a log."""
    return {
        "lineCount": len(log.lines),
        "createdOn": time_json(log.created),
        "lastChangedOn": time_json(log.changed),
        "id": log.id,
        "type": "Container",
        "url": links.build(run.id, f"/logs/{log.id}"),
    }


def artifact_json(artifact: Artifact, run: Run, links: Links) -> JsonObject:
    """Return an artifact and where its content is."""
    found: JsonObject = {"id": artifact.id, "name": artifact.name, "source": artifact.source}
    if artifact.kind not in {PIPELINE_ARTIFACT, CONTAINER}:
        return {**found, "resource": {"type": artifact.kind, "data": artifact.data, "properties": {}}}
    properties = {"artifactsize": str(sum(len(content) for content in artifact.files.values()))}
    data = artifact.data
    if artifact.kind == PIPELINE_ARTIFACT:
        data = stable_guid("artifact", str(run.id), artifact.name).replace("-", "").upper()
        properties |= {"RootId": data, "HashType": "DEDUPNODEORCHUNK", "DomainId": "0"}
    resource = {
        "type": artifact.kind,
        "data": data,
        "properties": properties,
        "url": links.build(run.id, f"/artifacts?artifactName={artifact.name}"),
        "downloadUrl": links.artifact_zip(run.id, artifact.name),
    }
    return {**found, "resource": resource}


def attachment_json(attachment: Attachment, run: Run, links: Links) -> JsonObject:
    """Return an attachment's name and where its content is."""
    path = f"/{run.timeline.id}/{attachment.record_id}/attachments/{attachment.type}/{attachment.name}"
    return {"name": attachment.name, "_links": {"self": {"href": links.build(run.id, path)}}}


def properties_json(properties: Mapping[str, object]) -> JsonObject:
    """Return a properties collection, each value with its type."""
    names = {str: "System.String", int: "System.Int32", bool: "System.Boolean"}
    values = {
        key: {"$type": names.get(type(value), "System.String"), "$value": value} for key, value in properties.items()
    }
    return {"count": len(values), "value": values}
