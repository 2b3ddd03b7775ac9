"""The events of a call. Whoever wants to show them passes a `Watch`; the library itself prints nothing.

Every event has `service`, the service it is about. In a call for several services, what happens to a run that some of
them share is told once: then `service` is empty and `pipeline` is the path of the run's pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from ecs_cd.errors import EcsCdError
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
class _About:
    service: str = field(default="", kw_only=True)
    pipeline: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class CallStarted(_About):
    """A call begins: its input and settings are checked, and nothing has been sent to either cloud yet.

    `title` says what is done: `my-api 102 to development`. `deadline_seconds` is how long it may take. `services` are
    those of a call for several, and empty in a call for one.
    """

    title: str
    deadline_seconds: float
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhaseStarted(_About):
    """A phase begins; `doing` says what it does, as a clause: `checking my-api:102 in ECR`."""

    phase: Phase
    doing: str


@dataclass(frozen=True)
class PhaseEnded(_About):
    """A phase ended well; `found` says with what, in a sentence."""

    phase: Phase
    found: str


@dataclass(frozen=True)
class RunChosen(_About):
    """There is a run to follow: queued, or joined while no job of it had started. `attempts` counts from 1."""

    run: Run
    origin: RunOrigin
    attempts: int = 1


@dataclass(frozen=True)
class RunGivenUp(_About):
    """Our own run, queued at the same moment as others, was cancelled: `instead` carries the change as well."""

    run: Run
    instead: Run


@dataclass(frozen=True)
class RunLeft(_About):
    """The followed run will not carry the change to its end; `why` is a clause. The delivery goes on by itself.

    `instead` is the run it goes on with; None: another is joined or queued.
    """

    run: Run
    why: str
    instead: Run | None = None


@dataclass(frozen=True)
class LockMet(_About):
    """The followed run met a state lock; the next attempt is in `pause` seconds. `description`: who holds the lock."""

    run: Run
    lock: StateLock
    description: str
    pause: float


@dataclass(frozen=True)
class RunChanged(_About):
    """The followed run, or its timeline, is not as it was."""

    progress: RunProgress


@dataclass(frozen=True)
class RolloutChanged(_About):
    """The watched service is not as it was."""

    snapshot: ServiceSnapshot
    verdict: Verdict


@dataclass(frozen=True)
class Warned(_About):
    """Something a person should know that does not end the delivery."""

    message: str


Event = (
    CallStarted
    | PhaseStarted
    | PhaseEnded
    | RunChosen
    | RunGivenUp
    | RunLeft
    | LockMet
    | RunChanged
    | RolloutChanged
    | Warned
)
Watch = Callable[[Event], None]
"""Called with every event, in the order in which they happen; in a call for several services from several threads."""


def ignore_events(event: Event) -> None:
    """Show nothing."""


class WatchRaised(Exception):
    """What a caller's watch raised: no error of a cloud, so that nothing tries again or passes over it.

    `error` is what was raised, and becomes the failure of the report.
    """

    def __init__(self, error: EcsCdError) -> None:
        """Keep the error."""
        super().__init__(str(error))
        self.error = error


def ending(watch: Watch) -> Watch:
    """Return a watch that raises `WatchRaised` where this one raises an error of the library."""

    def tell(event: Event) -> None:
        try:
            watch(event)
        except EcsCdError as error:
            raise WatchRaised(error) from error

    return tell
