"""The Pipelines API: pipelines, runs, preview, and the logs and artifacts of runs."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ecs_cd_sandbox.azure_devops.http.build_content_routes import artifact_zip, find_artifact, find_log, log_text
from ecs_cd_sandbox.azure_devops.http.errors import invalid_pipeline, unknown_build, unknown_pipeline
from ecs_cd_sandbox.azure_devops.http.handlers import Call, Reply, Route, Service, listing
from ecs_cd_sandbox.azure_devops.http.paging import page
from ecs_cd_sandbox.azure_devops.http.pipeline_json import (
    pipeline_json,
    run_artifact_json,
    run_json,
    run_log_json,
    signed_json,
)
from ecs_cd_sandbox.azure_devops.http.run_requests import from_run_body, queue
from ecs_cd_sandbox.azure_devops.http.run_requests import preview as preview_yaml
from ecs_cd_sandbox.azure_devops.http.tokens import EXECUTE
from ecs_cd_sandbox.azure_devops.model.definitions import PipelineDefinition
from ecs_cd_sandbox.azure_devops.model.run import Log, Run

PIPELINES = "28e1305e-2afe-47bf-abaf-cbb0e6a91988"
RUNS = "7859261e-d2e9-4a68-b820-a5d84cc5bb3d"
PREVIEW = "53df2d18-29ea-46a9-bee0-933540f80abf"
RUN_ARTIFACTS = "85023071-bd5e-4438-89b0-2a5bf362a19d"
RUN_LOGS = "fb1b6d27-3957-43d5-a14b-a2d70403e545"

SIGNATURE_LIFETIME = timedelta(hours=1)
_DEFAULT_TOP = 1000


def _pipeline(service: Service, call: Call, missing: int = 404) -> PipelineDefinition:
    pipeline_id = call.number("pipelineId")
    definition = service.state.definitions.get(pipeline_id)
    if definition is None:
        raise unknown_pipeline(pipeline_id, missing)
    return definition


def _run(service: Service, call: Call) -> Run:
    definition = _pipeline(service, call)
    run = service.state.runs.get(call.number("runId"))
    if run is None or run.definition.id != definition.id:
        raise unknown_build(call.number("runId"))
    return run


def list_pipelines(service: Service, call: Call) -> Reply:
    """List the pipelines by name; there is no filter."""
    shown, continuation = page(
        list(service.state.definitions.values()),
        lambda definition: [definition.name.lower(), definition.id],
        order="name",
        descending=(call.query.text("orderBy") or "").lower().endswith("desc"),
        top=call.query.integer("$top", _DEFAULT_TOP),
        token=call.query.text("continuationToken"),
    )
    return listing([pipeline_json(definition, call.links, full=False) for definition in shown], continuation)


def get_pipeline(service: Service, call: Call) -> Reply:
    """Return one pipeline."""
    return Reply(pipeline_json(_pipeline(service, call), call.links, full=True))


def list_runs(service: Service, call: Call) -> Reply:
    """List a pipeline's runs, newest first."""
    definition = _pipeline(service, call)
    runs = [run for run in service.state.runs.values() if run.definition.id == definition.id]
    return listing([run_json(run, call.links) for run in sorted(runs, key=lambda run: -run.id)])


def get_run(service: Service, call: Call) -> Reply:
    """Return one run."""
    return Reply(run_json(_run(service, call), call.links))


def run_pipeline(service: Service, call: Call) -> Reply:
    """Queue a run; with `previewRun` only say what its file expands to."""
    definition = _pipeline(service, call, missing=500)
    if isinstance(call.body, dict) and call.body.get("previewRun"):
        call.require_queue(definition)
        return Reply({"id": 0, "name": "", "state": "unknown", "finalYaml": preview_yaml(definition, call)})
    request = from_run_body(service, definition, call)
    return Reply(run_json(queue(service, request, invalid_pipeline), call.links))


def preview(service: Service, call: Call) -> Reply:
    """Say what the pipeline's file expands to. Nothing is checked but the file and the request itself."""
    return Reply({"finalYaml": preview_yaml(_pipeline(service, call, missing=500), call)})


def list_run_logs(service: Service, call: Call) -> Reply:
    """List a run's logs, in the Pipelines API's own wrapping."""
    run = _run(service, call)
    logs = [_log(service, call, run, log) for log in run.logs]
    return Reply({"logs": logs, "url": call.links.run(run.definition.id, run.id, "/logs")})


def get_run_log(service: Service, call: Call) -> Reply:
    """Return what is known about one log, with a signed link to its text if asked."""
    run = _run(service, call)
    return Reply(_log(service, call, run, find_log(run, call.number("logId"))))


def _log(service: Service, call: Call, run: Run, log: Log) -> dict[str, Any]:
    body = run_log_json(log, run, call.links)
    return _expanded(service, call, body, lambda: Reply(log_text(log), content_type="text/plain"))


def get_run_artifact(service: Service, call: Call) -> Reply:
    """Return one artifact, with a signed link to its content if asked."""
    run = _run(service, call)
    artifact = find_artifact(run, call.query.text("artifactName") or "")
    body = run_artifact_json(artifact, run, call.links)
    return Reply(
        _expanded(
            service, call, body, lambda: Reply(artifact_zip(artifact, io.BytesIO()), content_type="application/zip")
        )
    )


def _expanded(service: Service, call: Call, body: dict[str, Any], content: Callable[[], Reply]) -> dict[str, Any]:
    if call.query.choice("$expand", ["none", "signedContent"]) == "signedContent":
        url = call.links.signed(service.sign(content))
        body["signedContent"] = signed_json(url, service.state.clock() + SIGNATURE_LIFETIME)
    return body


ROUTES = (
    Route("GET", PIPELINES, list_pipelines),
    Route("GET", PIPELINES, get_pipeline, item="pipelineId"),
    Route("GET", RUNS, list_runs),
    Route("GET", RUNS, get_run, item="runId"),
    Route("POST", RUNS, run_pipeline, scope=EXECUTE),
    Route("POST", PREVIEW, preview),
    Route("GET", RUN_ARTIFACTS, get_run_artifact),
    Route("GET", RUN_LOGS, list_run_logs),
    Route("GET", RUN_LOGS, get_run_log, item="logId"),
)
