"""Checks a recorded exchange against Microsoft's OpenAPI documents (see `openapi/README.md`).

The documents are Swagger 2.0 with conventions of their own, which are read like this:

- a property that is null is a property that is absent;
- an object without properties is any value;
- a list is sent as `{"count": n, "value": [...]}`;
- in requests an enumeration's values may have any letter case, be numbers, and in queries be comma lists;
- operations told apart by their query alone are under `x-ms-paths`;
- errors are not described: they have the error envelope.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from ecs_cd_sandbox.azure_devops import Exchange

DOCUMENTS = ("pipelines", "build", "core", "task", "serviceEndpoint", "approvals", "checks", "environments", "security")

KNOWN_BEYOND: Mapping[tuple[str, str], str] = {
    ("Build", "keepForever"): "in live answers, and accepted in updates",
    ("DefinitionReference", "drafts"): "in live answers of builds",
    ("TimelineRecord", "refName"): "in live answers for stages, phases and jobs",
    ("BuildProcess", "yamlFilename"): "in live answers for YAML pipelines (process type 2)",
    ("PipelineConfiguration", "path"): "in live answers for YAML pipelines",
    ("PipelineConfiguration", "repository"): "in live answers for YAML pipelines",
    ("Repository", "id"): "in live answers of runs",
    ("CheckConfiguration", "settings"): "in answers to `$expand=settings`, as its subtypes have it",
    ("PropertiesCollection", "value"): "what the collection is really sent as, instead of item, keys and values",
}
"""Properties that answers really have and the documents do not mention, with the reason."""

SUBTYPES = {"BuildDefinitionReference": "BuildDefinition"}
"""Definitions whose subtype is what is sent on demand: the list of definitions with `includeAllProperties`."""

SAME_PATHS = {"/_apis/distributedtask/environments": "/_apis/pipelines/environments"}
"""Paths at which the official service has the same resource, though only the other one is described."""

OPEN_DEFINITIONS = {"ReferenceLinks"}
"""Definitions that are mappings on the wire, whatever properties the documents give them."""

KNOWN_QUERY: Mapping[tuple[str, str], str] = {
    ("Artifacts_Get Artifact", "$format"): "in the download links of live answers",
}
"""Query parameters the official service understands beyond the documents, with the reason."""

_NOT_DESCRIBED = re.compile(r"/[^/]+/_apis(/(ResourceAreas|ConnectionData)(/[^/]+)?)?/?", re.IGNORECASE)
_ENVELOPE = {"$id", "innerException", "message", "typeName", "typeKey", "errorCode", "eventId"}
_BAD_REQUEST = 400

_formats = jsonschema.FormatChecker(formats=())


@_formats.checks("date-time")
def _is_date_time(value: object) -> bool:
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


@_formats.checks("uuid")
def _is_uuid(value: object) -> bool:
    return (
        not isinstance(value, str)
        or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value, re.IGNORECASE) is not None
    )


@_formats.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@dataclass(frozen=True)
class Operation:
    """One operation of one document."""

    id: str
    document: str
    method: str
    path: re.Pattern[str]
    parameters: tuple[Mapping[str, Any], ...]
    responses: Mapping[str, Any]

    def placed(self, where: str) -> list[Mapping[str, Any]]:
        """Return the parameters in the path, the query or the body."""
        return [parameter for parameter in self.parameters if parameter["in"] == where]

    def required_query(self) -> set[str]:
        """Return the names the query must have, in lower case, apart from the version."""
        return {p["name"].lower() for p in self.placed("query") if p.get("required")} - {"api-version"}


def operation_of(exchange: Exchange) -> Operation | None:
    """Return the operation an exchange is of: of those that fit, the one whose query, else whose path, says most."""
    query, path = {name.lower() for name in exchange.query}, _described(exchange.path)
    fitting = [
        operation
        for operation in operations()
        if operation.method == exchange.method
        and operation.path.fullmatch(path)
        and operation.required_query() <= query
    ]
    return max(fitting, key=lambda one: (len(one.required_query()), -one.path.groups), default=None)


def _described(path: str) -> str:
    for alias, described in SAME_PATHS.items():
        path = path.replace(alias, described)
    return path


def check_exchange(exchange: Exchange) -> list[str]:
    """Return how a request or its answer violates the official documents; nothing if it does not."""
    if exchange.method == "OPTIONS" or _NOT_DESCRIBED.fullmatch(exchange.path):
        return []
    operation = operation_of(exchange)
    name = f"{exchange.method} {exchange.path}"
    if exchange.status is not None and exchange.status >= _BAD_REQUEST:
        return [f"{name}: {problem}" for problem in _check_error(exchange)]
    if operation is None:
        return [f"{name}: no such operation"]
    problems = [
        *_check_path(operation, exchange),
        *_check_query(operation, exchange),
        *_check_request(operation, exchange),
        *_check_response(operation, exchange),
    ]
    return [f"{name} ({operation.id}): {problem}" for problem in problems]


def _check_error(exchange: Exchange) -> Iterator[str]:
    if exchange.response_json is None:
        return
    missing = _ENVELOPE - set(exchange.response_json)
    if missing:
        yield f"the error envelope lacks {sorted(missing)}"


def _check_path(operation: Operation, exchange: Exchange) -> Iterator[str]:
    match = operation.path.fullmatch(_described(exchange.path))
    for parameter in operation.placed("path"):
        value = match.group(_group(parameter["name"])) if match else None
        if value is not None:
            yield from _check_value(parameter, value)


def _check_query(operation: Operation, exchange: Exchange) -> Iterator[str]:
    known = {parameter["name"].lower(): parameter for parameter in operation.placed("query")}
    beyond = {name for operation_id, name in KNOWN_QUERY if operation_id == operation.id}
    for name, value in exchange.query.items():
        if name.lower() in known:
            yield from _check_value(known[name.lower()], value)
        elif name not in beyond:
            yield f"the query parameter {name} does not exist"
    accept = exchange.request_headers.get("accept", "")
    if "api-version" not in {name.lower() for name in exchange.query} and "api-version=" not in accept:
        yield "the api-version is missing"


def _check_value(parameter: Mapping[str, Any], value: str) -> Iterator[str]:
    """Check a value of a path or query, which is text."""
    name, kind = parameter["name"], parameter.get("type")
    if "enum" in parameter:
        allowed = {choice.lower() for choice in parameter["enum"]}
        for part in value.split(","):
            if not part.strip().isdigit() and part.strip().lower() not in allowed:
                yield f"{part} is no value of {name}"
    elif kind == "integer" and not re.fullmatch(r"-?\d+", value):
        yield f"{name} is not a number: {value}"
    elif kind == "boolean" and value.lower() not in {"true", "false"}:
        yield f"{name} is not a boolean: {value}"
    elif parameter.get("format") and not _formats.conforms(value, parameter["format"]):
        yield f"{name} is no {parameter['format']}: {value}"


def _check_request(operation: Operation, exchange: Exchange) -> Iterator[str]:
    bodies = operation.placed("body")
    if not bodies:
        if exchange.request_json is not None:
            yield "the request has a body"
        return
    if bodies[0].get("required") and exchange.request_json is None:
        yield "the request's body is missing"
        return
    for problem in _violations(operation, bodies[0]["schema"], exchange.request_json, request=True):
        yield f"request{problem}"


def _check_response(operation: Operation, exchange: Exchange) -> Iterator[str]:
    if exchange.status is None:
        return
    described = operation.responses.get(str(exchange.status))
    if described is None:
        # The documents give a deletion 200; the official service answers 204.
        if not (exchange.status == 204 and "schema" not in operation.responses.get("200", {})):
            yield f"the status {exchange.status} is not described"
        return
    schema = described.get("schema")
    is_json = exchange.response_headers.get("content-type", "").startswith("application/json")
    if schema is None or not is_json or schema.get("format") == "Stream":
        return
    if schema.get("type") == "array":
        schema = {
            "type": "object",
            "required": ["count", "value"],
            "properties": {"count": {"type": "integer"}, "value": schema},
        }
    for problem in _violations(operation, schema, exchange.response_json, request=False):
        yield f"response{problem}"


def _violations(operation: Operation, schema: Mapping[str, Any], value: object, *, request: bool) -> Iterator[str]:
    definitions = _definitions(operation.document, request=request)
    whole = {**_converted(schema, request=request), "definitions": definitions}
    validator = jsonschema.Draft7Validator(whole, format_checker=_formats)
    for error in validator.iter_errors(_without_nulls(value)):
        yield f"{error.json_path.removeprefix('$')}: {error.message}"


@cache
def _document(name: str) -> dict[str, Any]:
    text = Path(__file__).with_name("openapi").joinpath(f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@cache
def operations() -> tuple[Operation, ...]:
    """Return every operation of the documents."""
    return tuple(_read_operations())


def _read_operations() -> Iterator[Operation]:
    for name in DOCUMENTS:
        document = _document(name)
        for template, item in [*document["paths"].items(), *document["x-ms-paths"].items()]:
            for method, operation in item.items():
                parameters = tuple(_resolved(document, parameter) for parameter in operation["parameters"])
                optional = {p["name"] for p in parameters if p.get("x-ms-required") is False}
                yield Operation(
                    id=operation["operationId"],
                    document=name,
                    method=method.upper(),
                    path=_path_pattern(template.partition("?")[0], optional),
                    parameters=parameters,
                    responses=operation["responses"],
                )


def _resolved(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = parameter.get("$ref")
    if reference is None:
        return parameter
    resolved: Mapping[str, Any] = document["parameters"][reference.rpartition("/")[2]]
    return resolved


def _group(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _path_pattern(template: str, optional: set[str]) -> re.Pattern[str]:
    pattern = ""
    for segment in template.strip("/").split("/"):
        name = segment[1:-1] if segment.startswith("{") else None
        part = re.escape(f"/{segment}") if name is None else f"/(?P<{_group(name)}>[^/]+)"
        pattern += f"(?:{part})?" if name in optional else part
    return re.compile(f"{pattern}/?", re.IGNORECASE)


@cache
def _definitions(document: str, *, request: bool) -> dict[str, Any]:
    """Return a document's definitions as JSON Schema, inheritance resolved and closed to unknown properties."""
    definitions = _document(document)["definitions"]
    return {name: _definition(definitions, name, request=request) for name in definitions}


def _definition(definitions: Mapping[str, Any], name: str, *, request: bool) -> dict[str, Any]:
    schema = definitions[SUBTYPES.get(name, name)]
    for base in schema.get("allOf", []):
        if base.get("type") == "array":  # JsonPatchDocument "inherits" from a list
            return _converted(base, request=request)
    properties = {
        key: _converted(value, request=request) for key, value in _all_properties(definitions, schema).items()
    }
    properties.update({beyond: {} for owner, beyond in KNOWN_BEYOND if owner == name})
    if not properties or name in OPEN_DEFINITIONS:
        return {"type": "object"}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _all_properties(definitions: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for base in schema.get("allOf", []):
        properties.update(_all_properties(definitions, definitions[base["$ref"].rpartition("/")[2]]))
    return {**properties, **schema.get("properties", {})}


def _converted(schema: Mapping[str, Any], *, request: bool) -> dict[str, Any]:
    """Turn a schema inside a definition into JSON Schema."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if "enum" in schema:
        return _enumeration(schema["enum"], request=request)
    if schema.get("type") == "array":
        return {"type": "array", "items": _converted(schema["items"], request=request)}
    if schema.get("type") == "object":
        return _object(schema, request=request)
    return {key: schema[key] for key in ("type", "format") if key in schema}


def _object(schema: Mapping[str, Any], *, request: bool) -> dict[str, Any]:
    if "properties" in schema:
        properties = {key: _converted(value, request=request) for key, value in schema["properties"].items()}
        return {"type": "object", "properties": properties, "required": schema.get("required", [])}
    if isinstance(schema.get("additionalProperties"), dict):
        return {"type": "object", "additionalProperties": _converted(schema["additionalProperties"], request=request)}
    return {}


def _enumeration(values: list[str], *, request: bool) -> dict[str, Any]:
    if not request:
        return {"enum": values}
    names = "|".join(map(re.escape, values))
    return {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^(?i:{names})$"}]}


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _without_nulls(child) for key, child in value.items() if child is not None}
    return [_without_nulls(child) for child in value] if isinstance(value, list) else value
