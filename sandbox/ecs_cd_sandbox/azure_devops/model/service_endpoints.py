"""Service connections: what a pipeline reaches other services with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ServiceEndpoint:
    """A service connection. `secrets` are parameters that the API never returns: only a task is given them."""

    id: str
    name: str
    type: str
    url: str
    scheme: str = "UsernamePassword"
    parameters: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
