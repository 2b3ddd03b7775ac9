"""The Build API's tags and properties of builds."""

from __future__ import annotations

from collections.abc import Iterable

from ecs_cd_sandbox.azure_devops.http.build_json import properties_json
from ecs_cd_sandbox.azure_devops.http.errors import ServiceError, invalid_value
from ecs_cd_sandbox.azure_devops.http.handlers import Call, Reply, Route, Service, listing
from ecs_cd_sandbox.azure_devops.http.tokens import EXECUTE
from ecs_cd_sandbox.azure_devops.model.run import Run

TAGS = "6e6114b2-8161-44c8-8f6c-c5505782427f"
PROPERTIES = "0a6312e9-0627-49b7-8083-7d74a64849c9"
_JSON_PATCH = "application/json-patch+json"


def get_tags(service: Service, call: Call) -> Reply:
    """List a build's tags."""
    return listing(service.build(call).tags)


def add_tag(service: Service, call: Call) -> Reply:
    """Add the tag the route names."""
    return _retag(service, call, add=[call.arguments["tag"]])


def add_tags(service: Service, call: Call) -> Reply:
    """Add the tags of the body, an array."""
    return _retag(service, call, add=_texts(call.body))


def update_tags(service: Service, call: Call) -> Reply:
    """Add and remove tags."""
    body = call.body if isinstance(call.body, dict) else {}
    return _retag(service, call, add=_texts(body.get("tagsToAdd")), remove=_texts(body.get("tagsToRemove")))


def delete_tag(service: Service, call: Call) -> Reply:
    """Remove the tag the route names; removing one that is not there is fine."""
    return _retag(service, call, remove=[call.arguments["tag"]])


def _retag(service: Service, call: Call, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Reply:
    """Change the tags (letter case does not tell them apart) and answer all of them."""
    run = service.build(call)
    call.require_tag(run)
    gone = {tag.lower() for tag in remove}
    run.tags = [tag for tag in run.tags if tag.lower() not in gone]
    for tag in add:
        if tag.lower() not in {known.lower() for known in run.tags}:
            run.tags.append(tag)
    _changed(service, call, run)
    return listing(run.tags)


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_value("tags", value)
    return [str(each) for each in value]


def get_properties(service: Service, call: Call) -> Reply:
    """Return a build's properties, or those `filter` names."""
    run = service.build(call)
    names = call.query.texts("filter")
    return Reply(properties_json({key: value for key, value in run.properties.items() if not names or key in names}))


def update_properties(service: Service, call: Call) -> Reply:
    """Apply a JSON patch of adds, replaces and removes; any other operation or content type is refused."""
    run = service.build(call)
    call.require_update(run.definition)
    if call.content_type != _JSON_PATCH:
        message = f'The request indicated a Content-Type of "{call.content_type}" for method type "PATCH" which is '
        message += f"not supported. Valid content types for this method are: {_JSON_PATCH}."
        raise ServiceError(415, "VssRequestContentTypeNotSupportedException", message)
    for operation in call.body if isinstance(call.body, list) else []:
        key = str(operation.get("path", "")).lstrip("/").replace("~1", "/").replace("~0", "~")
        if operation.get("op") in {"add", "replace"}:
            run.properties[key] = operation.get("value")
        elif operation.get("op") == "remove":
            run.properties.pop(key, None)
        else:
            raise invalid_value("op", operation.get("op"))
    _changed(service, call, run)
    return Reply(properties_json(run.properties))


def _changed(service: Service, call: Call, run: Run) -> None:
    run.change(call.token.identity, service.state.clock())
    service.state.changed()


ROUTES = (
    Route("GET", TAGS, get_tags),
    Route("POST", TAGS, add_tags, scope=EXECUTE),
    Route("PATCH", TAGS, update_tags, scope=EXECUTE),
    Route("PUT", TAGS, add_tag, item="tag", scope=EXECUTE),
    Route("DELETE", TAGS, delete_tag, item="tag", scope=EXECUTE),
    Route("GET", PROPERTIES, get_properties),
    Route("PATCH", PROPERTIES, update_properties, scope=EXECUTE),
)
