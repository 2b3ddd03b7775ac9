"""The registry of facts: what is expected of the real service, and the function that finds out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.real.world import World


class Need(Enum):
    """What a fact cannot be settled without; the value says what to set."""

    AWS = "ECS_CD_REAL_REGION"
    AZURE = "ECS_CD_REAL_ORGANIZATION, ECS_CD_REAL_PROJECT, ECS_CD_REAL_PAT, ECS_CD_REAL_PIPELINE"
    DISABLED = "ECS_CD_REAL_DISABLED_PIPELINE"
    RESTRICTED = "ECS_CD_REAL_RESTRICTED_PAT"


class Verdict(Enum):
    """What came of a fact."""

    EXPECTED = "as expected"
    DIFFERS = "DIFFERS"
    SETTLED = "settled"  # ecs-cd works with either answer
    OPEN = "not settled"


@dataclass(frozen=True)
class Found:
    """What the service did. `expected`: whether it is what was expected; None where ecs-cd works with either answer."""

    text: str
    expected: bool | None = None


class NotSettled(Exception):
    """The service did something from which nothing follows; the text says what."""


@dataclass(frozen=True)
class Fact:
    """One row of the table. `name` is how docs/real-services.md refers to it."""

    name: str
    expected: str
    need: Need
    settle: Callable[[World], Found]


@dataclass(frozen=True)
class Row:
    """A fact and what was found."""

    fact: Fact
    verdict: Verdict
    found: str


FACTS: dict[str, Fact] = {}


def fact(name: str, expected: str, need: Need) -> Callable[[Callable[[World], Found]], Callable[[World], Found]]:
    """Register the decorated function as what settles the fact `name`."""

    def register(settle: Callable[[World], Found]) -> Callable[[World], Found]:
        if name in FACTS:
            raise ValueError(f"there are two facts {name}")
        FACTS[name] = Fact(name, expected, need, settle)
        return settle

    return register
