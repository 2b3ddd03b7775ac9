"""The events of a delivery. Whoever wants to show them passes a `Watch`; the core itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ecs_cd.model.run import Run, RunOrigin, RunProgress
from ecs_cd.model.service import ServiceSnapshot, Verdict
from ecs_cd.model.state_lock import StateLock


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
class RunChosen:
    """There is a run to follow: queued, or joined while no job of it had started. `attempts` counts from 1."""

    run: Run
    origin: RunOrigin
    attempts: int = 1


@dataclass(frozen=True)
class RunGivenUp:
    """Our own run, queued at the same moment as others, was cancelled: `instead` carries the change as well."""

    run: Run
    instead: Run


@dataclass(frozen=True)
class RunLeft:
    """The followed run will not carry the change to its end; `why` is a clause. The delivery goes on by itself.

    `instead` is the run it goes on with; None: another is joined or queued.
    """

    run: Run
    why: str
    instead: Run | None = None


@dataclass(frozen=True)
class LockMet:
    """The followed run met a state lock; the next attempt is in `pause` seconds. `description`: who holds the lock."""

    run: Run
    lock: StateLock
    description: str
    pause: float


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


Event = PhaseStarted | PhaseEnded | RunChosen | RunGivenUp | RunLeft | LockMet | RunChanged | RolloutChanged | Warned
Watch = Callable[[Event], None]


def ignore_events(event: Event) -> None:
    """Show nothing."""
