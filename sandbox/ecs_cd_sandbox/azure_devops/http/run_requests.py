"""Checks what somebody asks to run, and turns it into a request the orchestrator takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ecs_cd_sandbox.azure_devops.engine.pipeline_resources import ResourceError, choose_runs
from ecs_cd_sandbox.azure_devops.engine.run_creation import RunRefused
from ecs_cd_sandbox.azure_devops.http.errors import ServiceError, invalid_build_request, invalid_pipeline
from ecs_cd_sandbox.azure_devops.http.handlers import Call, Service
from ecs_cd_sandbox.azure_devops.http.pipeline_json import final_yaml
from ecs_cd_sandbox.azure_devops.model.definitions import Expansion, PipelineDefinition, ValidationFailed
from ecs_cd_sandbox.azure_devops.model.run import QueueRequest, Run, Source

_Made = TypeVar("_Made")


class _Refusal(Exception):
    """Why the request cannot be queued."""


def from_run_body(service: Service, definition: PipelineDefinition, call: Call) -> QueueRequest:
    """Read the body of the Pipelines API's "run pipeline".

    Raises:
        ServiceError: 400 or 403, the caller, the pipeline or the body does not allow it.
    """
    call.require_queue(definition)
    body = _mapping(call.body)
    resources = _mapping(body.get("resources"))
    repository = _mapping(_mapping(resources.get("repositories")).get("self"))
    variables = _given_variables(body)
    versions = {
        alias: str(_mapping(given)["version"])
        for alias, given in _mapping(resources.get("pipelines")).items()
        if _mapping(given).get("version")
    }

    def make() -> QueueRequest:
        source = _source(definition, repository.get("refName"), repository.get("version"))
        expanded = _expanded(definition, source, body.get("templateParameters"), variables)
        call.require_configuration(expanded, _mapping(body.get("templateParameters")), variables=bool(variables))
        return QueueRequest(
            definition=expanded,
            source=source,
            requested_by=call.token.identity,
            parameters=_parameters(expanded, body.get("templateParameters")),
            variables=_variables(expanded, variables),
            stages_to_skip=_stages(expanded, body.get("stagesToSkip") or []),
            resources=choose_runs(service.state, expanded, versions),
        )

    return _checked(make, invalid_pipeline)


def from_build_body(service: Service, definition: PipelineDefinition, call: Call) -> QueueRequest:
    """Read the body of the Build API's "queue build".

    Raises:
        ServiceError: 400 or 403, the caller, the pipeline or the body does not allow it.
    """
    call.require_queue(definition)
    body = _mapping(call.body)
    variables = _queue_variables(body.get("parameters"))
    reason = str(body.get("reason") or "manual")

    def make() -> QueueRequest:
        source = _source(definition, body.get("sourceBranch"), body.get("sourceVersion"))
        expanded = _expanded(definition, source, body.get("templateParameters"), variables, reason)
        call.require_configuration(expanded, _mapping(body.get("templateParameters")), variables=bool(variables))
        return QueueRequest(
            definition=expanded,
            source=source,
            requested_by=call.token.identity,
            reason=reason,
            parameters=_parameters(expanded, body.get("templateParameters")),
            variables=_variables(expanded, variables),
            tags=tuple(str(tag) for tag in body.get("tags") or ()),
            resources=choose_runs(service.state, expanded, {}),
        )

    return _checked(make, invalid_build_request)


def queue(service: Service, request: QueueRequest, refuse: Callable[[str], ServiceError]) -> Run:
    """Queue a request.

    Raises:
        ServiceError: 400, no run can be made of it.
    """
    try:
        return service.orchestrator.queue(request)
    except RunRefused as refusal:
        raise refuse(str(refusal)) from refusal


def preview(definition: PipelineDefinition, call: Call) -> str:
    """Return the YAML that a run of the same body would have.

    Raises:
        ServiceError: 400, the file or the body is wrong.
    """
    body = _mapping(call.body)
    if body.get("yamlOverride"):
        return str(body["yamlOverride"])
    repository = _mapping(_mapping(_mapping(body.get("resources")).get("repositories")).get("self"))
    variables = _given_variables(body)

    def make() -> str:
        source = _source(definition, repository.get("refName"), repository.get("version"))
        if definition.file is None:
            return final_yaml(definition, _parameters(definition, body.get("templateParameters")))
        expanded = _expanded(definition, source, body.get("templateParameters"), variables)
        _parameters(expanded, body.get("templateParameters"))
        return final_yaml(expanded)

    return _checked(make, invalid_pipeline)


def _given_variables(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of a body of the Pipelines API, where each is an object."""
    return {name: str(_mapping(given).get("value") or "") for name, given in _mapping(body.get("variables")).items()}


def _checked(make: Callable[[], _Made], error: Callable[[str], ServiceError]) -> _Made:
    try:
        return make()
    except (_Refusal, ResourceError, ValidationFailed) as refusal:
        raise error(str(refusal)) from refusal


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _expanded(
    definition: PipelineDefinition,
    source: Source,
    parameters: object,
    variables: Mapping[str, str],
    reason: str = "manual",
) -> PipelineDefinition:
    """Return the pipeline as the run would have it: read from its file, if it has one."""
    if definition.queue_status == "disabled":
        raise _Refusal(f"The build pipeline {definition.name} is disabled. Enable it to queue builds.")
    if definition.file is None:
        return definition
    given = {name: _text(value) for name, value in _mapping(parameters).items()}
    return definition.file.expand(definition, Expansion(source.branch, source.commit, given, variables, reason))


def _text(value: object) -> str:
    """Return the value of a template parameter, which is sent as a string."""
    if not isinstance(value, str):
        kind = "Array" if isinstance(value, list) else "Object"
        raise _Refusal(f"Unable to convert from {kind} to String. Value: {kind}")
    return value


def _source(definition: PipelineDefinition, branch: str | None, version: str | None) -> Source:
    """Return branch and commit of the request; without a branch it is the default one."""
    name = branch or definition.default_branch
    commit = definition.commit(name)
    if commit is None:
        raise _Refusal(
            f"Unable to resolve the reference '{name}' to a specific version. Verify the reference exists in the "
            "source repository."
        )
    return Source(name, version or commit)


def _parameters(definition: PipelineDefinition, given: object) -> dict[str, str]:
    """Return the template parameters with defaults filled in; values are strings, as the documents say.

    Those of a file were checked, by their types too, when it was expanded.
    """
    values = _mapping(given)
    known = {name.lower(): name for name in definition.parameters}
    problems = []
    result = {name: parameter.default for name, parameter in definition.parameters.items()}
    for name, value in values.items():
        text = _text(value)
        if name.lower() not in known:
            problems.append(f"{definition.yaml_path}: Unexpected parameter '{name}'")
            continue
        result[known[name.lower()]] = text
        allowed = definition.parameters[known[name.lower()]].values
        if allowed and text not in allowed:
            problems.append(f"{definition.yaml_path}: The '{name}' parameter value '{value}' is not a valid value.")
    problems += [
        f"{definition.yaml_path}: A value for the '{name}' parameter must be provided."
        for name, value in result.items()
        if value is None
    ]
    if problems and definition.file is None:
        raise _Refusal("\n".join(problems))
    return {name: value for name, value in result.items() if value is not None}


def _queue_variables(given: object) -> dict[str, str]:
    """Read the Build API's `parameters`: variables, as a JSON object inside a string."""
    if not given:
        return {}
    try:
        values = json.loads(str(given))
    except ValueError as error:
        raise invalid_build_request(f"The parameters are not JSON: {error}") from error
    return {name: str(value) for name, value in _mapping(values).items()}


def _variables(definition: PipelineDefinition, given: dict[str, str]) -> dict[str, str]:
    settable = {name.lower() for name in definition.settable_variables}
    refused = [name for name in given if name.lower() not in settable]
    if refused:
        raise _Refusal(
            f"You can't set the following variables ({','.join(refused)}). If you want to be able to set these "
            "variables, then edit the pipeline and select Settable at queue time on the variables tab of the "
            "pipeline editor."
        )
    return given


def _stages(definition: PipelineDefinition, given: list[str]) -> frozenset[str]:
    known = {stage.name.lower() for stage in definition.stages}
    unknown = [name for name in given if str(name).lower() not in known]
    if unknown:
        raise _Refusal(f"{definition.yaml_path}: The stages to skip do not exist: {', '.join(map(str, unknown))}.")
    return frozenset(name.lower() for name in given)
