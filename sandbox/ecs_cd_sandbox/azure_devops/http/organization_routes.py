"""What belongs to the organization or serves jobs: discovery, projects, service connections, OIDC tokens."""

from __future__ import annotations

from typing import Any

from ecs_cd_sandbox.azure_devops.http.build_json import identity_json, project_json
from ecs_cd_sandbox.azure_devops.http.errors import invalid_value, not_found, unauthorized, unknown_project
from ecs_cd_sandbox.azure_devops.http.handlers import Call, Reply, Route, Service, listing
from ecs_cd_sandbox.azure_devops.http.locations import locations, resource_areas
from ecs_cd_sandbox.azure_devops.http.oidc import oidc_token
from ecs_cd_sandbox.azure_devops.model.identities import stable_guid
from ecs_cd_sandbox.azure_devops.model.links import Links
from ecs_cd_sandbox.azure_devops.model.service_endpoints import ServiceEndpoint

RESOURCE_AREAS = "e81700f7-3be2-46de-8624-2eb35882fcaa"
CONNECTION_DATA = "00d9565f-ed9c-4a06-9a50-00e7896ccab4"
PROJECTS = "603fe2ac-9723-48b9-88ad-09305aa6c6e1"
ENDPOINTS = "e85f1c62-adfc-4b74-b618-11a150fb195e"
OIDC_TOKEN = "69a319f4-28c1-4bfd-93e6-ea0ff5c6f1a2"


def list_locations(area: str | None) -> Reply:
    """List the resource locations, or those of one area: the answer to `OPTIONS _apis[/{area}]`."""
    return listing([row.to_json() for row in locations().values() if area is None or row.area.lower() == area.lower()])


def list_resource_areas(_service: Service, call: Call) -> Reply:
    """List the resource areas, or return the one the route names; all live below the organization's URL."""
    url = f"{call.links.organization}/"
    areas = [{**area, "locationUrl": url} for area in resource_areas()]
    wanted = call.arguments.get("areaId")
    if wanted is None:
        return listing(areas)
    for area in areas:
        if area["id"] == wanted.lower():
            return Reply(area)
    raise not_found("ResourceAreaNotFoundException", f"The resource area {wanted} could not be found.")


def get_connection_data(service: Service, call: Call) -> Reply:
    """Say who is calling, and which instance this is."""
    identity = call.token.identity
    user = {
        "id": identity.id,
        "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{identity.unique_name}",
        "subjectDescriptor": identity_json(identity, call.links)["descriptor"],
        "providerDisplayName": identity.display_name,
        "isActive": True,
        "properties": {"Account": {"$type": "System.String", "$value": identity.unique_name}},
    }
    return Reply(
        {
            "authenticatedUser": user,
            "authorizedUser": user,
            "instanceId": stable_guid("organization", service.project.organization),
            "deploymentId": stable_guid("deployment"),
            "deploymentType": "hosted",
            "locationServiceData": {
                "serviceOwner": "00025394-6065-48ca-87d9-7f5672854ef7",
                "defaultAccessMappingMoniker": "PublicAccessMapping",
                "lastChangeId": 1,
                "lastChangeId64": 1,
            },
        }
    )


def list_projects(_service: Service, call: Call) -> Reply:
    """List the projects: there is one."""
    skip = call.query.integer("$skip", 0)
    return listing([project_json(call.links)][skip : skip + call.query.integer("$top", 100)])


def get_project(service: Service, call: Call) -> Reply:
    """Return the project by name or id."""
    name = call.arguments["projectId"]
    if not service.project.is_called(name):
        raise unknown_project(name)
    body = project_json(call.links)
    links = {"self": {"href": body["url"]}, "web": {"href": f"{call.links.organization}/{service.project.name}"}}
    return Reply({**body, "_links": links})


def list_endpoints(service: Service, call: Call) -> Reply:
    """List the service connections, filtered by names and type."""
    names = {name.lower() for name in call.query.texts("endpointNames")}
    kind = call.query.text("type")
    return listing(
        [
            _endpoint_json(endpoint, call.links)
            for endpoint in service.endpoints
            if (not names or endpoint.name.lower() in names) and (kind is None or endpoint.type.lower() == kind.lower())
        ]
    )


def get_endpoint(service: Service, call: Call) -> Reply:
    """Return one service connection; for one that does not exist the official service answers null."""
    wanted = call.arguments["endpointId"].lower()
    found = (endpoint for endpoint in service.endpoints if endpoint.id == wanted)
    return Reply(next((_endpoint_json(endpoint, call.links) for endpoint in found), None))


def _endpoint_json(endpoint: ServiceEndpoint, links: Links) -> dict[str, Any]:
    project = {"id": links.project.id, "name": links.project.name}
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "type": endpoint.type,
        "url": endpoint.url,
        "description": "",
        "authorization": {"scheme": endpoint.scheme, "parameters": dict(endpoint.parameters)},
        "data": dict(endpoint.data),
        "isReady": True,
        "isShared": False,
        "owner": "Library",
        "serviceEndpointProjectReferences": [{"projectReference": project, "name": endpoint.name}],
    }


def create_oidc_token(service: Service, call: Call) -> Reply:
    """Give a running job a token; only the job's own credentials may ask for it."""
    if call.token.kind != "job":
        raise unauthorized(call.token.identity.display_name)
    plan, job = call.arguments["planId"].lower(), call.arguments["jobId"].lower()
    for run in service.state.runs.values():
        if run.plan_id == plan and any(r.id == job and r.state == "inProgress" for r in run.timeline.records):
            connection = _connection_name(service, call.query.text("serviceConnectionId"))
            return Reply({"oidcToken": oidc_token(run, call.links, connection, service.state.clock())})
    raise not_found("TaskOrchestrationPlanNotFoundException", f"No plan found for identifier {plan}.")


def _connection_name(service: Service, connection_id: str | None) -> str | None:
    if connection_id is None:
        return None
    for endpoint in service.endpoints:
        if endpoint.id == connection_id.lower():
            return endpoint.name
    raise invalid_value("serviceConnectionId", connection_id)


ROUTES = (
    Route("GET", RESOURCE_AREAS, list_resource_areas),
    Route("GET", RESOURCE_AREAS, list_resource_areas, item="areaId"),
    Route("GET", CONNECTION_DATA, get_connection_data),
    Route("GET", PROJECTS, list_projects),
    Route("GET", PROJECTS, get_project, item="projectId"),
    Route("GET", ENDPOINTS, list_endpoints),
    Route("GET", ENDPOINTS, get_endpoint, item="endpointId"),
    Route("POST", OIDC_TOKEN, create_oidc_token),
)
