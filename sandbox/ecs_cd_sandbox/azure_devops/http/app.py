"""The HTTP face: finds the route of a request, checks who asks and for which version, and writes the answer."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any
from urllib.parse import quote

from flask import Flask, Request, Response, request

from ecs_cd_sandbox.azure_devops.http import (
    build_content_routes,
    build_label_routes,
    build_routes,
    environment_routes,
    organization_routes,
    pipeline_routes,
    security_routes,
)
from ecs_cd_sandbox.azure_devops.http.api_versions import negotiate, requested_version
from ecs_cd_sandbox.azure_devops.http.authentication import SIGN_IN_PATH, NotAuthenticated, authenticate, sign_in_page
from ecs_cd_sandbox.azure_devops.http.errors import RouteNotFoundError, ServiceError, unauthorized, unknown_project
from ecs_cd_sandbox.azure_devops.http.faults import Faults, Reset
from ecs_cd_sandbox.azure_devops.http.handlers import Call, Query, Reply, Route, Service
from ecs_cd_sandbox.azure_devops.http.locations import Location, locations
from ecs_cd_sandbox.azure_devops.http.recorder import Recorder
from ecs_cd_sandbox.azure_devops.http.tokens import Token
from ecs_cd_sandbox.azure_devops.model.links import Links

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ROUTES: tuple[Route, ...] = (
    *organization_routes.ROUTES,
    # Before the pipelines, whose paths would take `pipelines/environments` for the pipeline of that id.
    *environment_routes.ROUTES,
    *pipeline_routes.ROUTES,
    *build_routes.ROUTES,
    *build_content_routes.ROUTES,
    *build_label_routes.ROUTES,
    *security_routes.ROUTES,
)
_DISCOVERY = re.compile(r"/_apis(?:/(?P<area>\w+))?/?", re.IGNORECASE)
_SIGNED = re.compile(r"/_signedcontent/(?P<key>[\w-]+)")


def create_app(service: Service, recorder: Recorder, faults: Faults) -> Flask:
    """Return the WSGI application of one organization."""
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    # Lets a dropped connection reach the HTTP server as the exception it is.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    dispatcher = Dispatcher(service)

    def view(path: str = "") -> Response:  # noqa: ARG001 - the request has the whole path
        try:
            response = faults.apply(request.method, request.path, lambda: dispatcher.answer(request))
        except Reset:
            recorder.record(request, None)
            raise
        recorder.record(request, response)
        return response

    options = {"methods": METHODS, "provide_automatic_options": False}
    app.add_url_rule("/", "root", view, **options)  # type: ignore[arg-type]  # the options are keyword arguments of two types
    app.add_url_rule("/<path:path>", "any", view, **options)  # type: ignore[arg-type]  # likewise
    return app


class Dispatcher:
    """Answers requests. All handlers run under the state's lock, so each sees and leaves a whole state."""

    def __init__(self, service: Service) -> None:
        """Compile the routes."""
        self._service = service
        self._patterns = {location.id: location.pattern() for location in locations().values()}

    def answer(self, request: Request) -> Response:
        """Process one request; every refusal is an answer too."""
        origin = _origin(request)
        try:
            response = self._answer(request, origin)
        except NotAuthenticated as refusal:
            response = refusal.response
        except RouteNotFoundError as error:
            response = Response(str(error), 404, content_type="text/plain; charset=utf-8")
            response.headers["X-TFS-ServiceError"] = quote(str(error))
        except ServiceError as error:
            response = _json_response(error.envelope(), error.status)
        activity = str(uuid.uuid4())
        response.headers["activityid"] = response.headers["x-vss-e2eid"] = activity
        response.headers["x-tfs-session"] = request.headers.get("X-TFS-Session", activity)
        response.headers["x-tfs-processid"] = self._service.project.id
        response.headers["cache-control"] = response.headers["pragma"] = "no-cache"
        response.headers["expires"] = "-1"
        return response

    def _answer(self, request: Request, origin: str) -> Response:
        if request.path.lower() == SIGN_IN_PATH:
            return sign_in_page()
        signed = _SIGNED.fullmatch(request.path)
        if signed and signed["key"] in self._service.signed:
            with self._service.state.lock:
                return _response(self._service.signed[signed["key"]](), None)
        path = self._below_organization(request)
        token = authenticate(request, self._service.tokens, origin)
        discovery = _DISCOVERY.fullmatch(path)
        if request.method == "OPTIONS" and discovery:
            return _response(organization_routes.list_locations(discovery["area"]), None)
        route, location, arguments = self._find(request, path)
        version = negotiate(
            location, request.method, requested_version(request.args.to_dict(), request.headers.get("Accept", ""))
        )
        project = arguments.get("project") or arguments.get("scopeIdentifier")
        if project is not None and not self._service.project.is_called(project):
            raise unknown_project(project)
        if not token.has_scope(route.scope):
            raise unauthorized(token.identity.display_name)
        call = self._call(request, token, arguments, origin)
        with self._service.state.lock:
            return _response(route.handler(self._service, call), version)

    def _below_organization(self, request: Request) -> str:
        organization, slash, rest = request.path.lstrip("/").partition("/")
        if organization.lower() != self._service.project.organization.lower():
            raise _no_route(request)
        return slash + rest

    def _find(self, request: Request, path: str) -> tuple[Route, Location, dict[str, str]]:
        """Return the route of a request, its location and the arguments its path holds."""
        known = False
        for route in _ROUTES:
            match = self._patterns[route.location_id].fullmatch(path)
            if match is None:
                continue
            known = True
            arguments = {name: value for name, value in match.groupdict().items() if value is not None}
            named = route.item in arguments if route.item else not self._names_item(route, arguments)
            if route.method == request.method and named:
                return route, locations()[route.location_id], arguments
        if known:
            message = f"The requested resource does not support http method '{request.method}'."
            raise ServiceError(405, "VssRequestMethodNotSupportedException", message)
        raise _no_route(request)

    def _names_item(self, route: Route, arguments: dict[str, str]) -> bool:
        """Say whether a path names one element of a location whose list this route serves."""
        items = {other.item for other in _ROUTES if other.location_id == route.location_id and other.item}
        return bool(items & arguments.keys())

    def _call(self, request: Request, token: Token, arguments: dict[str, str], origin: str) -> Call:
        return Call(
            method=request.method,
            token=token,
            links=Links(origin, self._service.project),
            arguments=arguments,
            query=Query(request.args.to_dict()),
            accept=request.headers.get("Accept", ""),
            content_type=request.mimetype,
            body=_body(request),
        )


def _origin(request: Request) -> str:
    """Return scheme and host as the client used them, also behind a proxy that ends TLS."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme).split(",")[0].strip()
    return f"{scheme}://{request.host}"


def _no_route(request: Request) -> RouteNotFoundError:
    return RouteNotFoundError(
        f"The controller for path '{request.path}' was not found or does not implement IController."
    )


def _body(request: Request) -> Any:  # noqa: ANN401 - it is whatever JSON says
    data = request.get_data()
    if not data.strip():
        return None
    try:
        return json.loads(data)
    except ValueError as error:
        raise ServiceError(400, "VssPropertyValidationException", f"The request body is not JSON: {error}") from error


def _response(reply: Reply, version: str | None) -> Response:
    if reply.content_type == "application/json":
        if reply.body is None:
            return Response(status=reply.status, headers=dict(reply.headers))
        response = _json_response(reply.body, reply.status, version)
    else:
        charset = "; charset=utf-8" if reply.content_type.startswith("text/") else ""
        response = Response(reply.body, reply.status, content_type=f"{reply.content_type}{charset}")
    response.headers.update(reply.headers)
    return response


def _json_response(body: Any, status: int, version: str | None = None) -> Response:  # noqa: ANN401 - any JSON
    response = Response(json.dumps(body), status)
    echo = f"; api-version={version}" if version else ""
    response.headers["Content-Type"] = f"application/json; charset=utf-8{echo}"
    return response
