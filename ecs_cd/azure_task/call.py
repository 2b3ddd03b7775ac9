"""One call of the task: its request, and the client that its inputs and service connections make."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from typing import Any

from ecs_cd.arguments import with_fallback
from ecs_cd.azure_task.access import ServiceConnections
from ecs_cd.azure_task.agent import Agent
from ecs_cd.azure_task.inputs import Inputs
from ecs_cd.azure_task.request import Request
from ecs_cd.azure_task.task_log import TaskLog
from ecs_cd.client import Client
from ecs_cd.model.image import TagFile
from ecs_cd.settings import BY_NAME, Settings, Token, load
from ecs_cd.support import naming_rules
from ecs_cd.support.clock import Clock

_BEARER = frozenset({"oauth", "bearer", "jwt"})
"""Schemes of endpoints whose token is a bearer token; any other is a personal access token."""

_CONNECTION = "the Azure DevOps service connection"


@dataclass(frozen=True)
class Call:
    """What every command works with. `environ` is this process's environment."""

    request: Request
    inputs: Inputs
    agent: Agent
    task_log: TaskLog
    clock: Clock
    environ: MutableMapping[str, str]

    def client(self) -> Client:
        """Return the client of this call, for a `with` statement.

        Raises:
            SettingsError: a variable, the settings file or a service connection is wrong.
        """
        access = ServiceConnections(self.request, self.agent, self.task_log, self.clock, self.environ)
        return Client(self._loaded(), clock=self.clock, access=access)

    @property
    def settings(self) -> dict[str, Any]:
        """Return the inputs that are settings, as keywords: texts, of which the table of settings knows the kinds."""
        return dict(self.inputs.settings)

    def tag_file(self) -> TagFile | str:
        """Return the tag file of the job; empty where an input has the tag.

        Raises:
            WrongInput: there is no tag file, or it is none.
        """
        if self.inputs.tag:
            return ""
        found = self.agent.read_tags(self.inputs.tag_file)
        tags = ", ".join(f"{entry.tag} for {entry.service or 'any service'}" for entry in found.entries)
        self.task_log.debug(f"tag file: {tags}")
        return found

    def is_for_several(self, tag_file: TagFile | str) -> bool:
        """Return whether the tag file has several images, and nothing says which service is meant."""
        named = self.inputs.service or self.agent.value(BY_NAME["service"].variable)
        return isinstance(tag_file, TagFile) and len(tag_file.entries) > 1 and not named

    def _loaded(self) -> Settings:
        inputs, directory = self.inputs, self.agent.working_directory
        path = directory / inputs.config_file if inputs.config_file else None
        environ = {**self.environ, "SYSTEM_ACCESSTOKEN": self.request.access_token}
        loaded = load(path, environ, directory)
        self.task_log.debug(f"settings file: {loaded.document.path if loaded.document else 'none'}")
        self.task_log.hide(*([loaded.token.value] if loaded.token else []))
        if region := self.request.aws_variables.region:
            loaded = with_fallback(loaded, "region", region, "variable 'AWS.Region'")
        return self._with_connection(loaded)

    def _with_connection(self, loaded: Settings) -> Settings:
        """Let the service connection say organization and token, and the job's own project no longer count."""
        connection = self.request.azure_devops
        if connection is None:
            return loaded
        own = loaded.fallback.get("organization")
        kept = dict(loaded.fallback)
        if own is None or not naming_rules.same_organization(str(own.value), connection.url):
            kept.pop("project", None)
        loaded = with_fallback(
            replace(loaded, fallback=kept), "organization", connection.url, f"{_CONNECTION}'s address"
        )
        bearer = connection.scheme.lower() in _BEARER
        return replace(loaded, token=Token(connection.token, _CONNECTION, bearer=bearer))
