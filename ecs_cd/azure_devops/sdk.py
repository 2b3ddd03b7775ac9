"""Microsoft's SDK, imported and set up so that it asks for no locations, writes nothing, and sends through us.

Importing this module is what costs (about a tenth of a second): `ecs_cd.azure_devops.pipelines` does so at its first
call.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msrest.authentication import Authentication, BasicAuthentication, BasicTokenAuthentication
from msrest.pipeline import Pipeline as HttpPipeline
from msrest.pipeline.requests import RequestsCredentialsPolicy
from msrest.serialization import Model

from ecs_cd.azure_devops.settings import AzureDevOpsSettings
from ecs_cd.azure_devops.transport import Transport
from ecs_cd.model.run import RunRequest
from ecs_cd.version import VERSION

_CACHE = "AZURE_DEVOPS_CACHE_DIR"


@contextmanager
def _no_directory_made() -> Iterator[None]:
    """Keep the SDK from making its cache directory, which it does (or fails to do) when it is imported.

    Where the directory exists all is left alone. Else the SDK is shown one that does for as long as it looks; with the
    locations pinned, nothing is ever written there.
    """
    before = os.environ.get(_CACHE)
    if Path(before or Path("~/.azure-devops/python-sdk/cache").expanduser()).is_dir():
        yield
        return
    os.environ[_CACHE] = tempfile.gettempdir()
    try:
        yield
    finally:
        os.environ.pop(_CACHE)
        if before is not None:
            os.environ[_CACHE] = before


with _no_directory_made():
    from azure.devops.v7_1.build import BuildClient
    from azure.devops.v7_1.build.models import Build, UpdateTagParameters
    from azure.devops.v7_1.pipelines import PipelinesClient
    from azure.devops.v7_1.pipelines.models import (
        RepositoryResourceParameters,
        RunPipelineParameters,
        RunResourcesParameters,
        Variable,
    )
    from azure.devops.v7_1.security import SecurityClient

    from ecs_cd.azure_devops.locations import APPROVALS, LOCATIONS


class _Links(Model):
    """The one link we read, of an answer's `_links`. The SDK's own model of them drops every link."""

    _attribute_map = {"web": {"key": "web.href", "type": "str"}}  # noqa: RUF012 - msrest's way to declare a model


class _Build(Build):  # type: ignore[misc]  # the SDK has no types
    """A build whose template parameters may be anything: the SDK fails at one that is no text, whosever run it is."""

    _attribute_map = {  # noqa: RUF012 - msrest's way to declare a model
        **Build._attribute_map,  # noqa: SLF001 - likewise
        "template_parameters": {"key": "templateParameters", "type": "object"},
    }


class Clients:
    """The SDK's clients for one organization, with one credential, on one connection."""

    def __init__(self, transport: Transport, organization: str, credential: Authentication) -> None:
        """Set the clients up to send through `transport`, signed with `credential`."""
        self.transport = transport
        self.builds = _set_up(BuildClient(organization, credential), transport)
        self.runs = _set_up(PipelinesClient(organization, credential), transport)
        self.security = _set_up(SecurityClient(organization, credential), transport)

    def approvals(self, project: str, ids: Sequence[str]) -> list[Any]:
        """Return approvals with their steps, as the service's JSON: the SDK has no client for them.

        Source: MicrosoftDocs/vsts-rest-api-specs, `specification/approvalsAndChecks/7.1/pipelinesapproval.json`.
        """
        answer = self.builds._send(  # noqa: SLF001 - what every method of the SDK's clients is made of
            http_method="GET",
            location_id=APPROVALS,
            version="7.1",
            route_values={"project": project},
            query_parameters={"approvalIds": ",".join(ids), "$expand": "steps"},
        )
        found = answer.json()
        return found["value"] if isinstance(found, dict) and isinstance(found.get("value"), list) else []


def credential_of(settings: AzureDevOpsSettings) -> Authentication:
    """Return the credential of the settings as the SDK takes it."""
    if settings.pat:
        return BasicAuthentication("", settings.pat)
    return BasicTokenAuthentication({"access_token": settings.token})


def _set_up(client: Any, transport: Transport) -> Any:  # noqa: ANN401 - the SDK has no types
    config = client.config
    client.add_user_agent(f"ecs-cd/{VERSION}")
    config.keep_alive = True  # the connection is the transport's, and not closed after an error
    signing = RequestsCredentialsPolicy(config.credentials)  # type: ignore[no-untyped-call]  # msrest's
    config.pipeline = HttpPipeline([config.user_agent_policy, signing], transport)
    # For this client only: the SDK's own cache belongs to the process, and a caller's other clients need all of it.
    client._get_resource_location = lambda _url, location_id: LOCATIONS.get(location_id)  # noqa: SLF001 - see above
    models = client._deserialize.dependencies  # noqa: SLF001 - this client's own table of models
    models["ReferenceLinks"] = _Links
    models["Build"] = _Build
    return client


def run_parameters(request: RunRequest, *, preview: bool = False) -> Any:  # noqa: ANN401 - the SDK has no types
    """Return the body that queues a run, or asks what it would be."""
    source = RepositoryResourceParameters(ref_name=request.branch)
    return RunPipelineParameters(
        preview_run=preview or None,
        resources=RunResourcesParameters(repositories={"self": source}),
        template_parameters=dict(request.template_parameters) or None,
        variables={name: Variable(value=value) for name, value in request.variables.items()} or None,
    )


def cancelling() -> Any:  # noqa: ANN401 - the SDK has no types
    """Return the body that cancels a build."""
    return Build(status="cancelling")


def tag_changes(*, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - the SDK has no types
    """Return the body that changes a build's tags."""
    return UpdateTagParameters(tags_to_add=list(add), tags_to_remove=list(remove))
