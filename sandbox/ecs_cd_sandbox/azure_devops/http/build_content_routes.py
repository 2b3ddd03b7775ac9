"""The Build API's logs, artifacts and attachments."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from ecs_cd_sandbox.azure_devops.http.build_json import artifact_json, attachment_json, log_json
from ecs_cd_sandbox.azure_devops.http.errors import not_found
from ecs_cd_sandbox.azure_devops.http.handlers import Call, Reply, Route, Service, listing
from ecs_cd_sandbox.azure_devops.model.run import Artifact, Log, Run

LOGS = "35a80daf-7f30-45fc-86e8-6b813d9c90df"
ARTIFACTS = "1db06c96-014e-44e1-ac91-90b2d4b3e984"
ATTACHMENTS = "f2192269-89fa-4f94-baf6-8fb128c55159"
ATTACHMENT = "af5122d3-3438-485e-a25a-2dbbfde84ee6"


def find_log(run: Run, log_id: int) -> Log:
    """Return a log of a run; raises `ServiceError` 404 if there is none."""
    for log in run.logs:
        if log.id == log_id:
            return log
    raise not_found("BuildLogNotFoundException", f"Build log {log_id} of build {run.id} could not be found.")


def find_artifact(run: Run, name: str) -> Artifact:
    """Return an artifact of a run; raises `ServiceError` 404 if there is none."""
    for artifact in run.artifacts:
        if artifact.name.lower() == name.lower():
            return artifact
    raise not_found("ArtifactNotFoundException", f"Artifact {name} was not found for build {run.id}.")


def log_text(log: Log) -> str:
    """Return a whole log as text."""
    return "".join(f"{line}\n" for line in log.lines)


def artifact_zip(artifact: Artifact, buffer: io.BytesIO) -> bytes:
    """Return an artifact's files zipped, below a folder of the artifact's name."""
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in artifact.files.items():
            archive.writestr(f"{artifact.name}/{path}", content)
    return buffer.getvalue()


def list_logs(service: Service, call: Call) -> Reply:
    """List a build's logs, or answer all their texts in a zip."""
    run = service.build(call)
    if call.wants("application/zip"):
        files = {f"{log.id}.txt": log_text(log).encode() for log in run.logs}
        content = artifact_zip(Artifact(0, f"logs_{run.id}", "", files), io.BytesIO())
        return Reply(content, content_type="application/zip")
    return listing([log_json(log, run, call.links) for log in run.logs])


def get_log(service: Service, call: Call) -> Reply:
    """Return a log's lines, from `startLine` to `endLine` (both 1-based and included), as JSON or as text."""
    log = find_log(service.build(call), call.number("logId"))
    lines = _slice(log.lines, call.query.integer("startLine", 1), call.query.integer("endLine", len(log.lines)))
    if call.wants("text/plain"):
        return Reply("".join(f"{line}\n" for line in lines), content_type="text/plain")
    return listing(lines)


def _slice(lines: Sequence[str], first: int, last: int) -> Sequence[str]:
    return lines[max(first, 1) - 1 : max(last, 0)]


def get_artifacts(service: Service, call: Call) -> Reply:
    """List a build's artifacts; with `artifactName` return that one, or its content as a zip."""
    run = service.build(call)
    name = call.query.text("artifactName")
    if name is None:
        return listing([artifact_json(artifact, run, call.links) for artifact in run.artifacts])
    artifact = find_artifact(run, name)
    if call.wants("application/zip") or call.query.text("$format") == "zip":
        return Reply(artifact_zip(artifact, io.BytesIO()), content_type="application/zip")
    return Reply(artifact_json(artifact, run, call.links))


def list_attachments(service: Service, call: Call) -> Reply:
    """List the attachments of one type, over all tasks of a build."""
    run = service.build(call)
    kind = call.arguments["type"].lower()
    return listing([attachment_json(each, run, call.links) for each in run.attachments if each.type.lower() == kind])


def get_attachment(service: Service, call: Call) -> Reply:
    """Return an attachment's content."""
    run = service.build(call)
    wanted = (call.arguments["recordId"], call.arguments["type"].lower(), call.arguments["name"])
    for attachment in run.attachments:
        found = (attachment.record_id, attachment.type.lower(), attachment.name)
        if found == wanted and call.arguments["timelineId"] == run.timeline.id:
            return Reply(attachment.content, content_type="application/octet-stream")
    raise not_found("AttachmentNotFoundException", f"Attachment {wanted[2]} of build {run.id} could not be found.")


ROUTES = (
    Route("GET", LOGS, list_logs),
    Route("GET", LOGS, get_log, item="logId"),
    Route("GET", ARTIFACTS, get_artifacts),
    Route("GET", ATTACHMENTS, list_attachments, item="type"),
    Route("GET", ATTACHMENT, get_attachment, item="name"),
)
