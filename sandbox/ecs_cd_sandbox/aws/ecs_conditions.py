"""What a rollout meets: how its tasks do, what Lambda hooks answer, which alarms ring, and how time passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Behaviour:
    """What becomes of the tasks of a deployment.

    `rollout` is `success`, `slow` (tasks stay PENDING for `ticks`), `crash-loop`, `cannot-pull` or `stuck`.
    `missing_image` is the image that cannot be pulled. The first `healthy` tasks run whatever it is. Of a task that
    crashes, `container` exits with `exit_code` (empty: its first essential one), having written the lines of `log`.
    """

    rollout: str = "success"
    ticks: int = 0
    missing_image: str = ""
    healthy: int = 0
    container: str = ""
    exit_code: int = 1
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class HookAnswer:
    """What a Lambda function answers (`SUCCEEDED` or `FAILED`), after being IN_PROGRESS for `ticks`."""

    status: str = "SUCCEEDED"
    ticks: int = 1


@dataclass(frozen=True)
class Clock:
    """How many ticks of the scheduler one minute of AWS takes, and how long a tick is."""

    ticks_per_minute: int = 5
    tick: timedelta = timedelta(seconds=0.2)

    def ticks(self, minutes: float) -> int:
        """Return how many ticks that many minutes of AWS are."""
        return round(minutes * self.ticks_per_minute)

    def span(self, minutes: float) -> timedelta:
        """Return how long that many minutes of AWS are here."""
        return self.ticks(minutes) * self.tick


def _always_well(service: str, stage: str, target: str) -> HookAnswer:  # noqa: ARG001 - the signature of a chosen answer
    """Let every hook succeed."""
    return HookAnswer()


@dataclass(frozen=True)
class Conditions:
    """`answer` goes by service, lifecycle stage and the function's ARN; `alarms` are those in the state ALARM."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    answer: Callable[[str, str, str], HookAnswer] = _always_well
    alarms: frozenset[str] = frozenset()
    clock: Clock = field(default_factory=Clock)
