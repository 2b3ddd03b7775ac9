"""What the steps of one job share: its access to the server, folders, variables, secrets and service connections."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.masking import Masker
from ecs_cd_sandbox.azure_devops.agent.workspace import Workspace
from ecs_cd_sandbox.azure_devops.model.links import Links
from ecs_cd_sandbox.azure_devops.model.service_endpoints import ServiceEndpoint
from ecs_cd_sandbox.azure_devops.model.variables import Variables, environment_name

ACCESS_TOKEN = "System.AccessToken"
_JOB_STATUS = "agent.jobstatus"


@dataclass(frozen=True)
class JobAccess:
    """What a running job may reach the server with."""

    token: str = field(repr=False)
    oidc_request_url: str
    """Where the job asks for an OIDC token (`SYSTEM_OIDCREQUESTURI`)."""
    links: Links
    endpoints: tuple[ServiceEndpoint, ...] = ()
    """The service connections the job may use, with their secrets."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The environment the agent itself runs in; what it starts inherits it."""

    @property
    def organization_url(self) -> str:
        """The organization's URL, without a slash at the end."""
        return self.links.organization


class Job:
    """A running job. The engine's lock guards it."""

    def __init__(self, access: JobAccess, workspace: Workspace, *, variables: Variables, system: Variables) -> None:
        """Begin with the variables of the pipeline, and those that the service and the agent set."""
        self.access = access
        self.workspace = workspace
        self.variables = variables
        """What the pipeline, whoever queued it, and its steps have set."""
        self.system = system
        """What the service and the agent have set; a variable of the same name wins over it."""
        self.endpoints = {endpoint.id.lower(): endpoint for endpoint in access.endpoints}
        self.paths: list[str] = []
        """Folders to look for programs in, the last one first."""
        self.masker = Masker()
        self.masker.add(access.token)
        self.system.set(ACCESS_TOKEN, access.token, secret=True)
        for variable in variables.all():
            if variable.secret:
                self.masker.add(variable.value)
        for endpoint in access.endpoints:
            for secret in endpoint.secrets.values():
                self.masker.add(secret)

    @property
    def debug(self) -> bool:
        """Whether `System.Debug` is on."""
        return self.variables.get("system.debug", "").lower() == "true"

    @property
    def working_directory(self) -> Path:
        """`System.DefaultWorkingDirectory`, which a checkout may move."""
        return Path(self.system.get("System.DefaultWorkingDirectory", str(self.workspace.default)))

    @property
    def kind(self) -> str:
        """`System.HostType`: `release` for a classic release, else `build`."""
        return "release" if self.workspace.kind == "release" else "build"

    def all_variables(self) -> Variables:
        """Return every variable there is, as a collection of its own."""
        merged = Variables()
        for source in (self.system, self.variables):
            merged.update_with(source)
        return merged

    def public_environment(self) -> dict[str, str]:
        """Return the variables that are no secrets, as every program of the job finds them in its environment."""
        merged = self.all_variables()
        public = {}
        for variable in merged.all():
            if not variable.secret:
                public[environment_name(variable.name)] = merged.expand(variable.value)
        public[_JOB_STATUS] = public.get(environment_name(_JOB_STATUS), "Succeeded")
        return public

    def path(self, own: Mapping[str, str]) -> str:
        """Return the search path of a program whose own environment is given."""
        base = own.get("PATH") or self.access.environment.get("PATH", "")
        return os.pathsep.join([*reversed(self.paths), base])
