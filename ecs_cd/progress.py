"""What a delivery tells while it goes on. Whoever wants to show it passes a `Watch`; the core itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ecs_cd.model import RunProgress, ServiceSnapshot, Verdict


class Phase(str, Enum):
    """The phases of a delivery, in their order."""

    CHECK = "check"
    PARAMETER = "parameter"
    RUN = "run"
    ROLLOUT = "rollout"


@dataclass(frozen=True)
class PhaseStarted:
    """A phase begins; `doing` says what it does, as a clause: `checking my-api:102 in ECR`."""

    phase: Phase
    doing: str


@dataclass(frozen=True)
class PhaseEnded:
    """A phase ended well; `found` says with what, in a sentence."""

    phase: Phase
    found: str


@dataclass(frozen=True)
class RunChanged:
    """The followed run, or its timeline, is not as it was."""

    progress: RunProgress


@dataclass(frozen=True)
class RolloutChanged:
    """The watched service is not as it was."""

    snapshot: ServiceSnapshot
    verdict: Verdict


@dataclass(frozen=True)
class Warned:
    """Something a person should know that does not end the delivery."""

    message: str


Event = PhaseStarted | PhaseEnded | RunChanged | RolloutChanged | Warned
Watch = Callable[[Event], None]


def unwatched(event: Event) -> None:
    """Show nothing."""
