"""One call on its way to a handler: what every handler is given, and what it gives back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecs_cd_sandbox.azure_devops.engine.orchestrator import Orchestrator
from ecs_cd_sandbox.azure_devops.http.errors import (
    access_denied,
    build_access_denied,
    invalid_value,
    unknown_build,
    unreadable_repository,
)
from ecs_cd_sandbox.azure_devops.http.tokens import READ, Token, Tokens
from ecs_cd_sandbox.azure_devops.model.definitions import PipelineDefinition
from ecs_cd_sandbox.azure_devops.model.links import Links, Project
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.service_endpoints import ServiceEndpoint
from ecs_cd_sandbox.azure_devops.model.state import State


class Query:
    """The query of a request; names in any letter case."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Read the values; an empty one counts as absent."""
        self._values = {name.lower(): value for name, value in values.items() if value}

    def text(self, name: str) -> str | None:
        """Return a value, or None."""
        return self._values.get(name.lower())

    def integer(self, name: str, default: int) -> int:
        """Return a number; refuses what is none."""
        value = self.text(name)
        if value is not None and not re.fullmatch(r"-?\d+", value):
            raise invalid_value(name, value)
        return default if value is None else int(value)

    def boolean(self, name: str) -> bool:
        """Return a switch, off if absent; refuses what is neither true nor false."""
        value = (self.text(name) or "false").lower()
        if value not in {"true", "false"}:
            raise invalid_value(name, value)
        return value == "true"

    def texts(self, name: str) -> list[str]:
        """Return the values of a comma list, empty if absent."""
        return [part.strip() for part in (self.text(name) or "").split(",") if part.strip()]

    def flags(self, name: str, bits: Mapping[str, int]) -> int | None:
        """Return the bits of an enumeration given as names (a comma list, any letter case) or as a number."""
        parts = self.texts(name)
        if not parts:
            return None
        known = {key.lower(): value for key, value in bits.items()}
        total = 0
        for part in parts:
            if not part.isdigit() and part.lower() not in known:
                raise invalid_value(name, part)
            total |= int(part) if part.isdigit() else known[part.lower()]
        return total

    def choice(self, name: str, names: Sequence[str]) -> str | None:
        """Return one name of an enumeration, in its own spelling; its position is accepted as well."""
        value = self.text(name)
        if value is None:
            return None
        if value.isdigit() and int(value) < len(names):
            return names[int(value)]
        for known in names:
            if known.lower() == value.lower():
                return known
        raise invalid_value(name, value)


@dataclass(frozen=True)
class Service:
    """The parts of the server that handlers work on."""

    state: State
    orchestrator: Orchestrator
    tokens: Tokens
    project: Project
    endpoints: Sequence[ServiceEndpoint]
    signed: dict[str, Callable[[], Reply]] = field(default_factory=dict)

    def sign(self, content: Callable[[], Reply]) -> str:
        """Make content reachable without credentials and return its key."""
        key = secrets.token_urlsafe(24)
        self.signed[key] = content
        return key

    def build(self, call: Call) -> Run:
        """Return the run the route names; raises `ServiceError` if there is none."""
        build_id = call.number("buildId")
        run = self.state.runs.get(build_id)
        if run is None:
            raise unknown_build(build_id)
        return run


@dataclass(frozen=True)
class Call:
    """One authenticated request with its route arguments."""

    method: str
    token: Token
    links: Links
    arguments: Mapping[str, str]
    query: Query
    accept: str
    content_type: str
    body: Any
    """The parsed JSON body, or None."""

    def number(self, name: str) -> int:
        """Return a numeric route argument; refuses any other."""
        value = self.arguments[name]
        if not value.isdigit():
            raise invalid_value(name, value)
        return int(value)

    def wants(self, content_type: str) -> bool:
        """Say whether the client asked for this content type."""
        return content_type in self.accept.lower()

    def require_queue(self, definition: PipelineDefinition) -> None:
        """Refuse a caller who may not queue the pipeline."""
        allowed = self.token.may_queue
        if allowed is not None and definition.name not in allowed:
            raise self._denied("Queue builds", definition)
        readable = self.token.repositories
        if readable is not None and definition.repository.name not in readable:
            raise unreadable_repository(definition.repository.name, self.links.project.id)

    def require_configuration(
        self, definition: PipelineDefinition, parameters: Iterable[str], *, variables: bool
    ) -> None:
        """Refuse variables and free-text template parameters of a caller who may not edit the run's configuration."""
        given = {name.lower() for name in parameters}
        free = any(parameter.free_text and name.lower() in given for name, parameter in definition.parameters.items())
        if (variables or free) and not self.token.may_configure:
            raise self._denied("Edit queue build configuration", definition)

    def require_stop(self, definition: PipelineDefinition) -> None:
        """Refuse a caller who may not stop builds."""
        if not self.token.may_stop:
            raise self._denied("Stop builds", definition)

    def require_tag(self, run: Run) -> None:
        """Refuse a caller who may not tag builds."""
        if not self.token.may_tag:
            name = self.token.identity.display_name
            raise build_access_denied(name, "Edit build quality", run.id, self.links.project.name)

    def require_update(self, definition: PipelineDefinition) -> None:
        """Refuse a caller who may not change the properties of builds."""
        if not self.token.may_update:
            raise self._denied("Update build information", definition)

    def _denied(self, permission: str, definition: PipelineDefinition) -> Exception:
        resource = f"build pipeline {definition.id}:{definition.name}"
        return access_denied(self.token.identity.display_name, permission, resource, self.links.project.name)


@dataclass(frozen=True)
class Reply:
    """What a handler answers: JSON unless `content_type` says otherwise; None is no body."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def listing(values: Sequence[Any], continuation: str | None = None) -> Reply:
    """Answer a list, with the token of its next page if there is one."""
    headers = {"x-ms-continuationtoken": continuation} if continuation else {}
    return Reply({"count": len(values), "value": list(values)}, headers=headers)


Handler = Callable[[Service, Call], Reply]


@dataclass(frozen=True)
class Route:
    """A handler for one method of a location; `item` is the argument that tells one element from the list."""

    method: str
    location_id: str
    handler: Handler
    item: str | None = None
    scope: str = READ
