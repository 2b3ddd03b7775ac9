"""The marks that ecs-cd leaves on the versions of a parameter, and what they mean together.

A mark is a label of Parameter Store: it sits on one version, and labelling another version moves it. Labels, because
Terraform resets the tags and the description of a parameter it manages. What each stands for:

    ecs-cd.gate             the version that a rollback leaves: it is under way, or it died
    ecs-cd.held             the version that a rollback or `hold` put on top, to stay there
    ecs-cd.floor            the version that was on top at the last release, or the last step back without an order:
                            nothing before it is restored, and a gate or a hold there or before it is void
    ecs-cd.verified         the version that ECS was seen to serve last
    ecs-cd.verified-before  the version seen to serve before that one, with another tag

Version numbers only grow, so they tell which mark came later. A gate at or after the hold: a rollback is under way.
A hold after the gate: the rollback is complete, and the hold is in force.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

GATE = "ecs-cd.gate"
HELD = "ecs-cd.held"
FLOOR = "ecs-cd.floor"
VERIFIED = "ecs-cd.verified"
VERIFIED_BEFORE = "ecs-cd.verified-before"

HOLD_LABELS = (GATE, HELD, FLOOR)
ALL_LABELS = (*HOLD_LABELS, VERIFIED, VERIFIED_BEFORE)
LABEL_PREFIX = "ecs-cd."
"""What every label of ours begins with."""


class Labelled(Protocol):
    """A version of a parameter and the labels it carries."""

    @property
    def value(self) -> str:
        """Return what it holds."""

    @property
    def version(self) -> int:
        """Return its number."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Return its labels."""


@dataclass(frozen=True)
class Mark:
    """Where one label sits: a version and what it holds. Version 0: nowhere."""

    version: int = 0
    value: str = ""


@dataclass(frozen=True)
class Marks:
    """Where all of them sit, at one moment."""

    gate: Mark = Mark()
    held: Mark = Mark()
    floor: Mark = Mark()
    verified: Mark = Mark()
    verified_before: Mark = Mark()

    @classmethod
    def of(cls, versions: Iterable[Labelled]) -> Marks:
        """Return the marks that these versions carry; the later one where a label was seen while it moved."""
        found: dict[str, Mark] = {}
        for version in sorted(versions, key=lambda one: one.version):
            found |= dict.fromkeys(version.labels, Mark(version.version, version.value))
        return cls(*(found.get(label, Mark()) for label in ALL_LABELS))

    @property
    def rolling_back(self) -> bool:
        """Return whether a rollback is under way, or has died before its end."""
        return self.gate.version > self.floor.version and self.gate.version >= self.held.version

    @property
    def holds(self) -> bool:
        """Return whether a hold is in force."""
        return self.held.version > max(self.gate.version, self.floor.version)

    @property
    def gate_stands(self) -> bool:
        """Return whether the gate of the hold stands: whoever read before it cannot write over the hold unseen."""
        return self.holds and self.gate.version > self.floor.version


NO_MARKS = Marks()
"""The marks of a parameter that never had any."""
