"""The Build API: definitions, builds, their stages and timelines."""

from __future__ import annotations

from typing import Any

from ecs_cd_sandbox.azure_devops.http.build_json import build_json, definition_json, timeline_json
from ecs_cd_sandbox.azure_devops.http.build_query import query_builds, query_definitions
from ecs_cd_sandbox.azure_devops.http.errors import ServiceError, invalid_build_request, not_found, unknown_definition
from ecs_cd_sandbox.azure_devops.http.handlers import Call, Reply, Route, Service, listing
from ecs_cd_sandbox.azure_devops.http.run_requests import from_build_body, queue
from ecs_cd_sandbox.azure_devops.http.tokens import EXECUTE
from ecs_cd_sandbox.azure_devops.model.definitions import PipelineDefinition
from ecs_cd_sandbox.azure_devops.model.run import Run

BUILDS = "0cd358e1-9217-4d94-8269-1c1ee6f93dcf"
DEFINITIONS = "dbeaf647-6167-421a-bda9-c9327b25e2e6"
TIMELINE = "8baac422-4c6e-4de5-8532-db96d92acffa"
STAGES = "b8aac6c9-744b-46e1-88fc-3550969f9313"

_CANCELLING = {"cancelling", "4"}


def _body(call: Call) -> dict[str, Any]:
    return call.body if isinstance(call.body, dict) else {}


def _definition(service: Service, definition_id: int) -> PipelineDefinition:
    definition = service.state.definitions.get(definition_id)
    if definition is None:
        raise unknown_definition(definition_id)
    return definition


def list_definitions(service: Service, call: Call) -> Reply:
    """List definitions."""
    full = call.query.boolean("includeAllProperties")
    shown, continuation = query_definitions(list(service.state.definitions.values()), call.query)
    return listing([definition_json(definition, call.links, full=full) for definition in shown], continuation)


def get_definition(service: Service, call: Call) -> Reply:
    """Return one definition in full."""
    return Reply(definition_json(_definition(service, call.number("definitionId")), call.links, full=True))


def list_builds(service: Service, call: Call) -> Reply:
    """List builds."""
    shown, continuation = query_builds(list(service.state.runs.values()), call.query)
    return listing([build_json(run, call.links) for run in shown], continuation)


def get_build(service: Service, call: Call) -> Reply:
    """Return one build."""
    return Reply(build_json(service.build(call), call.links))


def queue_build(service: Service, call: Call) -> Reply:
    """Queue a build; the official service answers 200, not 201."""
    given = _body(call).get("definition")
    definition_id = given.get("id") if isinstance(given, dict) else None
    wanted = int(definition_id) if definition_id else call.query.integer("definitionId", 0)
    if not wanted:
        raise invalid_build_request("The definition of the build is missing.")
    request = from_build_body(service, _definition(service, wanted), call)
    return Reply(build_json(queue(service, request, invalid_build_request), call.links))


def update_build(service: Service, call: Call) -> Reply:
    """Cancel a build, retry its failed stages (`?retry=true`), or keep it for ever."""
    run = service.build(call)
    body = _body(call)
    if call.query.boolean("retry"):
        call.require_queue(run.definition)
        _retry_failed(service, call, run)
    if str(body.get("status", "")).lower() in _CANCELLING:
        call.require_stop(run.definition)
        _cancel(service, call, run)
    if "keepForever" in body:
        call.require_update(run.definition)
        run.keep_forever = bool(body["keepForever"])
        run.change(call.token.identity, service.state.clock())
    return Reply(build_json(run, call.links))


def _cancel(service: Service, call: Call, run: Run) -> None:
    if run.status == "completed":
        message = f"The build {run.id} is completed; its status cannot be changed to Cancelling."
        raise ServiceError(400, "BuildStatusInvalidChangeException", message)
    if run.status != "cancelling":
        service.orchestrator.cancel(run, call.token.identity)


def _retry_failed(service: Service, call: Call, run: Run) -> None:
    stages = [record for record in run.timeline.records if record.type == "Stage"]
    failed = [record.identifier for record in stages if record.result in {"failed", "canceled"}]
    if run.status != "completed" or not failed:
        raise ServiceError(400, "InvalidBuildRetryException", f"The build {run.id} has nothing to retry.")
    for stage in failed:
        service.orchestrator.retry_stage(run, stage, call.token.identity, all_jobs=False)


def delete_build(service: Service, call: Call) -> Reply:
    """Delete a build that is over."""
    run = service.build(call)
    call.require_stop(run.definition)
    if run.phase != "done":
        raise ServiceError(400, "BuildStatusInvalidChangeException", f"The build {run.id} is not completed.")
    service.state.forget(run)
    return Reply(status=204)


def update_stage(service: Service, call: Call) -> Reply:
    """Cancel a stage, or retry one that is over."""
    run = service.build(call)
    name = call.arguments["stageRefName"]
    record = run.timeline.stage(name)
    if record is None:
        raise not_found("StageNotFoundException", f"Stage {name} of build {run.id} could not be found.")
    asked = str(_body(call).get("state", "")).lower()
    by = call.token.identity
    if asked in {"cancel", "0"} and record.state != "completed":
        call.require_stop(run.definition)
        service.orchestrator.cancel_stage(run, name, by)
    elif asked in {"retry", "1"} and run.phase == "done":
        call.require_queue(run.definition)
        service.orchestrator.retry_stage(run, name, by, all_jobs=bool(_body(call).get("forceRetryAllJobs")))
    else:
        message = f"The stage {record.identifier} of build {run.id} cannot be updated to '{asked}'."
        raise ServiceError(400, "InvalidStageUpdateException", message)
    return Reply()


def get_timeline(service: Service, call: Call) -> Reply:
    """Return a build's timeline, or what changed in it after `changeId`."""
    run = service.build(call)
    wanted = call.arguments.get("timelineId")
    if wanted is not None and wanted.lower() != run.timeline.id:
        raise not_found("TimelineNotFoundException", f"Timeline {wanted} of build {run.id} could not be found.")
    return Reply(timeline_json(run, call.links, call.query.integer("changeId", 0)))


ROUTES = (
    Route("GET", DEFINITIONS, list_definitions),
    Route("GET", DEFINITIONS, get_definition, item="definitionId"),
    Route("GET", BUILDS, list_builds),
    Route("GET", BUILDS, get_build, item="buildId"),
    Route("POST", BUILDS, queue_build, scope=EXECUTE),
    Route("PATCH", BUILDS, update_build, item="buildId", scope=EXECUTE),
    Route("DELETE", BUILDS, delete_build, item="buildId", scope=EXECUTE),
    Route("PATCH", STAGES, update_stage, item="stageRefName", scope=EXECUTE),
    Route("GET", TIMELINE, get_timeline),
    Route("GET", TIMELINE, get_timeline, item="timelineId"),
)
