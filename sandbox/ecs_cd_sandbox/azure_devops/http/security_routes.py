"""The Security API: whether the caller has a permission."""

from __future__ import annotations

from ecs_cd_sandbox.azure_devops.http.errors import ServiceError
from ecs_cd_sandbox.azure_devops.http.handlers import Call, Reply, Route, Service, listing
from ecs_cd_sandbox.azure_devops.model.definitions import PipelineDefinition

PERMISSIONS = "dd3b8bd6-c7fc-4cbd-929a-933d9c011c9d"
BUILD_NAMESPACE = "33344d9c-fc72-4d6f-aba5-fa317101a7e9"
_QUEUE_BUILDS = 128
_STOP_BUILDS = 512


def has_permissions(service: Service, call: Call) -> Reply:
    """Say for each security token whether the caller has all the permissions asked for.

    Tokens of the namespace `Build` are `project id/folder/definition id`. Permissions that nothing here depends on are
    granted.
    """
    namespace = call.arguments["securityNamespaceId"].lower()
    if namespace != BUILD_NAMESPACE:
        message = f"The security namespace {namespace} does not exist."
        raise ServiceError(404, "InvalidSecurityNamespaceException", message)
    bits = call.number("permissions")
    tokens = (call.query.text("tokens") or "").split(call.query.text("delimiter") or ",")
    return listing([_allowed(service, call, token, bits) for token in tokens])


def _allowed(service: Service, call: Call, token: str, bits: int) -> bool:
    project, _, path = token.partition("/")
    if project.lower() != service.project.id:
        return False
    may_queue = call.token.may_queue
    if bits & _QUEUE_BUILDS and may_queue is not None:
        definition = next((one for one in service.state.definitions.values() if _path(one) == path), None)
        if definition is None or definition.name not in may_queue:
            return False
    return call.token.may_stop or not bits & _STOP_BUILDS


def _path(definition: PipelineDefinition) -> str:
    return "/".join([*filter(None, definition.folder.split("\\")), str(definition.id)])


ROUTES = (Route("GET", PERMISSIONS, has_permissions, item="permissions"),)
