"""The only loop that sleeps: one deadline, back-off with jitter, an injected clock.

Every wait of a delivery draws on the same `Deadline`, so that the time a person allowed is the time it takes, and
every message about a wait says what was being waited for.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Protocol, TypeVar

from ecs_cd.errors import DeadlineReached, TooSoon, TryLater

T = TypeVar("T")


class Clock(Protocol):
    """Where the time comes from. Tests give one that does not wait."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""

    def utc(self) -> datetime:
        """Return the date and time, with zone UTC, for reports."""

    def sleep(self, seconds: float) -> None:
        """Wait; a KeyboardInterrupt ends it."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the monotonic clock's seconds."""
        return time.monotonic()

    def utc(self) -> datetime:
        """Return the date and time in UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


def spoken(seconds: float) -> str:
    """Return a length of time as people say it: `45 s`, `2 min 5 s`, `1 h 30 min`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


@dataclass(frozen=True)
class Deadline:
    """The moment the whole delivery must be over (rule 16).

    `seconds` is what was allowed, `at` the moment on `clock`.
    """

    clock: Clock
    seconds: float
    at: float

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> Deadline:
        """Return the deadline that lies `seconds` from now."""
        return cls(clock, seconds, clock.now() + seconds)

    def remaining(self) -> float:
        """Return the seconds left; never below zero."""
        return max(0.0, self.at - self.clock.now())

    def sleep(self, seconds: float, doing: str, *, last: TryLater | None = None) -> None:
        """Sleep `seconds`, or to the deadline and raise.

        Raises:
            DeadlineReached: the time is over; the message says what for, and the last obstacle if there was one.
        """
        left = self.remaining()
        if seconds < left:
            self.clock.sleep(seconds)
            return
        self.clock.sleep(left)
        raise self.reached(doing, last=last)

    def reached(self, doing: str, *, last: TryLater | None = None) -> DeadlineReached:
        """Return the error that says the time is over while `doing`."""
        obstacle = f" (last obstacle: {last.message})" if last else ""
        return DeadlineReached(
            f"Gave up after {spoken(self.seconds)}, the deadline of the whole delivery, while {doing}{obstacle}.",
            hint="Run the same command again to take up where this one left off, or allow more with --timeout.",
        )


@dataclass(frozen=True)
class Pace:
    """How long to wait between two looks: from `first` growing by `factor` to `most` seconds, varied by `jitter`."""

    first: float = 1.0
    factor: float = 1.5
    most: float = 10.0
    jitter: float = 0.2
    chance: random.Random = field(default_factory=random.Random, repr=False, compare=False)

    def delays(self) -> Iterator[float]:
        """Yield the pauses, without end."""
        pause = self.first
        while True:
            yield pause * (1 + self.jitter * self.chance.uniform(-1, 1))
            pause = min(pause * self.factor, self.most)


_CROWD = 10
"""How many may be about to do the same at one moment, in the order of magnitude."""


@dataclass(frozen=True)
class Hesitation:
    """A pause of at most `most` seconds, that of several who pause at one moment lets one go first.

    Short pauses are rarer than long ones: whoever has drawn the shortest is ahead of the next by a margin that hardly
    depends on how many there are. These are the timers of RFC 5401, by which receivers keep from asking for the same
    thing all at once.
    """

    most: float
    chance: random.Random = field(default_factory=random.Random, repr=False, compare=False)

    def pause(self) -> float:
        """Return one, in seconds."""
        steepness = math.log(_CROWD) + 1
        return self.most * math.log1p(self.chance.random() * math.expm1(steepness)) / steepness


def wait_for(
    look: Callable[[], T | None],
    *,
    deadline: Deadline,
    pace: Pace,
    doing: str,
    tolerate: type[TryLater] = TryLater,
) -> T:
    """Look again and again until there is an answer.

    An obstacle that may pass by itself (`tolerate`) does not end the wait: a long run outlives a short failure of the
    network. Any other error does.

    Raises:
        DeadlineReached: `look` had no answer in time.
    """
    obstacle: TryLater | None = None
    for pause in pace.delays():
        try:
            answer = look()
        except (DeadlineReached, TooSoon):  # answers, not obstacles
            raise
        except tolerate as error:
            obstacle = error
        else:
            obstacle = None
            if answer is not None:
                return answer
        asked = obstacle.after if obstacle else 0.0
        deadline.sleep(max(pause, asked), doing, last=obstacle)
    raise AssertionError  # pragma: no cover - delays() has no end
