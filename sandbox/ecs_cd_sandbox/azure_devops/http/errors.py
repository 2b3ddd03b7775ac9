"""The service's refusals: HTTP status, type key and message, as the official service words them."""

from __future__ import annotations

from typing import Any

_NAMESPACES = {
    "ProjectDoesNotExistWithNameException": "Microsoft.TeamFoundation.Core.WebApi",
    "PipelineNotFoundException": "Microsoft.Azure.Pipelines.WebApi",
    "PipelineValidationException": "Microsoft.Azure.Pipelines.WebApi",
    "BuildNotFoundException": "Microsoft.TeamFoundation.Build.WebApi",
    "DefinitionNotFoundException": "Microsoft.TeamFoundation.Build.WebApi",
    "BuildRequestValidationFailedException": "Microsoft.TeamFoundation.Build.WebApi",
    "BuildStatusInvalidChangeException": "Microsoft.TeamFoundation.Build.WebApi",
    "AccessDeniedException": "Microsoft.TeamFoundation.Build.WebApi",
}
_ASSEMBLIES = {"Microsoft.TeamFoundation.Build.WebApi": "Microsoft.TeamFoundation.Build2.WebApi"}
_DEFAULT_NAMESPACE = "Microsoft.VisualStudio.Services.WebApi"


class ServiceError(Exception):
    """A refusal the client sees as an error envelope; `custom` becomes `customProperties`."""

    def __init__(self, status: int, type_key: str, message: str, custom: dict[str, Any] | None = None) -> None:
        """Describe the refusal."""
        super().__init__(message)
        self.status = status
        self.type_key = type_key
        self.message = message
        self.custom = custom

    def envelope(self) -> dict[str, Any]:
        """Return the JSON body every refusal has."""
        namespace = _NAMESPACES.get(self.type_key, _DEFAULT_NAMESPACE)
        body: dict[str, Any] = {
            "$id": "1",
            "innerException": None,
            "message": self.message,
            "typeName": f"{namespace}.{self.type_key}, {_ASSEMBLIES.get(namespace, namespace)}",
            "typeKey": self.type_key,
            "errorCode": 0,
            "eventId": 3000,
        }
        return body if self.custom is None else {**body, "customProperties": self.custom}


class RouteNotFoundError(Exception):
    """No such route: answered as plain text, not as an envelope."""


def unknown_project(name: str) -> ServiceError:
    """No project of that name or id."""
    return ServiceError(
        404,
        "ProjectDoesNotExistWithNameException",
        f"TF200016: The following project does not exist: {name}. Verify that the name of the project is correct and "
        "that the project exists on the specified Azure DevOps Server.",
    )


def unknown_pipeline(pipeline_id: int, status: int) -> ServiceError:
    """No such pipeline. Queueing and previewing answer 500, as the official service was seen to do."""
    return ServiceError(status, "PipelineNotFoundException", f"The pipeline '{pipeline_id}' does not exist")


def unknown_definition(definition_id: int) -> ServiceError:
    """No such build definition."""
    return ServiceError(
        404, "DefinitionNotFoundException", f"The requested definition {definition_id} could not be found."
    )


def unknown_build(build_id: int) -> ServiceError:
    """No such build. Sources disagree about 404 or 400; this server says 404."""
    return ServiceError(404, "BuildNotFoundException", f"The requested build {build_id} could not be found.")


def not_found(type_key: str, message: str) -> ServiceError:
    """Something below a build (a log, an artifact, a stage) is not there."""
    return ServiceError(404, type_key, message)


def invalid_pipeline(message: str) -> ServiceError:
    """The run asked for cannot be made from the pipeline's file."""
    return ServiceError(400, "PipelineValidationException", message)


def invalid_build_request(message: str) -> ServiceError:
    """The Build API's form of the same, with a result for each line of the message."""
    return ServiceError(
        400,
        "BuildRequestValidationFailedException",
        "Could not queue the build because there were validation errors or warnings.",
        {"ValidationResults": [{"result": "error", "message": line} for line in message.splitlines()]},
    )


def invalid_value(name: str, value: object) -> ServiceError:
    """A query parameter or a property has a value that cannot be understood."""
    return ServiceError(400, "VssPropertyValidationException", f"The value '{value}' is not valid for {name}.")


def unauthorized(user: str) -> ServiceError:
    """The credential is good but its scopes do not cover the call."""
    message = f"TF400813: The user '{user}' is not authorized to access this resource."
    return ServiceError(401, "UnauthorizedRequestException", message)


def access_denied(user: str, permission: str, resource: str, project: str) -> ServiceError:
    """The identity lacks a permission on a pipeline; the message names identity, permission and pipeline."""
    return ServiceError(
        403,
        "AccessDeniedException",
        f"TF215106: Access denied. {user} needs {permission} permissions for {resource} in team project {project} to "
        "perform the action. For more information, contact the Azure DevOps administrator.",
    )


def build_access_denied(user: str, permission: str, build_id: int, project: str) -> ServiceError:
    """The identity lacks a permission on a build."""
    return ServiceError(
        403,
        "AccessDeniedException",
        f"Access denied. {user} needs {permission} permissions for vstfs:///Build/Build/{build_id} in team project "
        f"{project} to perform the action.",
    )


def unreadable_repository(name: str, project_id: str) -> ServiceError:
    """The token may not read the repository that the pipeline's file is in."""
    return invalid_pipeline(
        f"An error occurred while loading the YAML build pipeline. The repository {name} in project {project_id} could "
        "not be retrieved. Verify the name and credentials being used."
    )
