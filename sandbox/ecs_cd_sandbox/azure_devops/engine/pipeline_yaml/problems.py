"""Collects what is wrong with a file, so that all of it is reported at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import Place, Refused, ScalarNode
from ecs_cd_sandbox.azure_devops.model.definitions import ValidationFailed

MAX_SIZE = 10_000_000
"""How much a pipeline may take up while it is read, in characters (the service says 10 MB of memory)."""

_NODE_SIZE = 50


@dataclass
class Problems:
    """What was refused so far."""

    found: list[Refused] = field(default_factory=list)

    def add(self, place: Place | None, message: str) -> None:
        """Note something and go on."""
        self.found.append(Refused(place, message))

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Note what is refused within, and go on after it."""
        try:
            yield
        except Refused as refused:
            self.found += refused.all

    def check(self) -> None:
        """Raise what was noted.

        Raises:
            ValidationFailed: something was.
        """
        if self.found:
            raise ValidationFailed(list(dict.fromkeys(map(str, self.found))))


@dataclass
class Budget:
    """How much may still be read: what a few nested loops insert can be beyond all measure."""

    left: int = MAX_SIZE

    def spend(self, node: ScalarNode) -> None:
        """Count a scalar.

        Raises:
            ValidationFailed: there is too much; nothing goes on after that.
        """
        self.left -= len(node.text) + _NODE_SIZE
        if self.left < 0:
            raise ValidationFailed([f"{node.place.file}: Maximum object size exceeded"])
