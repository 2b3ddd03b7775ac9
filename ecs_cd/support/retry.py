"""The one loop that waits: try again and again, with back-off and jitter, until there is an answer or a limit.

`wait_for` ends at the deadline of the delivery and raises then; `wait_at_most` ends after some seconds without an
answer; `retry` gives a call a number of attempts. What is looked for says `NOT_YET` where there is no answer yet, so
that any value, `None` too, can be one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeVar

from ecs_cd.errors import DeadlineReached, TooSoon, TryLater
from ecs_cd.support.clock import Clock
from ecs_cd.support.deadline import Deadline

T = TypeVar("T")


class NotYet(Enum):
    """The type of `NOT_YET`."""

    NOT_YET = "not yet"


NOT_YET: Final = NotYet.NOT_YET
"""There is no answer yet: look again."""

MayPass = Callable[[Exception], "float | None"]
"""Judges an error: None where it will not pass by itself, else the least number of seconds to wait before the next
attempt (0 where the other side did not ask for any)."""


@dataclass(frozen=True)
class Backoff:
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


_COMPETITORS = 10
"""How many may be about to do the same at one moment, in the order of magnitude."""


@dataclass(frozen=True)
class RandomDelay:
    """A pause of at most `most` seconds, that of several who pause at one moment lets one go first.

    Short pauses are rarer than long ones: whoever has drawn the shortest is ahead of the next by a margin that hardly
    depends on how many there are. These are the timers of RFC 5401, by which receivers keep from asking for the same
    thing all at once.
    """

    most: float
    chance: random.Random = field(default_factory=random.Random, repr=False, compare=False)

    def pause(self) -> float:
        """Return one, in seconds."""
        steepness = math.log(_COMPETITORS) + 1
        return self.most * math.log1p(self.chance.random() * math.expm1(steepness)) / steepness


def wait_for(
    look: Callable[[], T | NotYet],
    *,
    deadline: Deadline,
    backoff: Backoff,
    doing: str,
    tolerate: type[TryLater] = TryLater,
) -> T:
    """Look again and again until there is an answer, and return it.

    An obstacle that may pass by itself (`tolerate`) does not end the wait: a long run outlives a short failure of the
    network. Any other error does.

    Raises:
        DeadlineReached: `look` had no answer in time; the message says what for (`doing`) and the last obstacle.
    """

    def may_pass(error: Exception) -> float | None:
        answers = (DeadlineReached, TooSoon)  # not obstacles
        return retryable(error) if isinstance(error, tolerate) and not isinstance(error, answers) else None

    def pause(seconds: float, obstacle: Exception | None) -> bool:
        deadline.sleep(seconds, doing, last=obstacle if isinstance(obstacle, TryLater) else None)
        return True

    answer = _repeat(look, backoff, may_pass, pause)
    assert answer is not NOT_YET, "at the deadline, `pause` raises"  # noqa: S101 - for the type checker
    return answer


def wait_at_most(look: Callable[[], T | NotYet], *, seconds: float, clock: Clock, backoff: Backoff) -> T | NotYet:
    """Look again and again until there is an answer, and return it; `NOT_YET` when there is none after `seconds`.

    An error of `look` is raised at once.
    """
    return _repeat(look, backoff, _never, _Pauses(clock, seconds))


def retry(
    call: Callable[[], T],
    *,
    clock: Clock,
    backoff: Backoff,
    attempts: int,
    may_pass: MayPass,
    most_wait: float = math.inf,
) -> T:
    """Return what `call` returns; while `may_pass` allows it, an error of it leads to another attempt.

    There are at most `attempts` calls, and at most `most_wait` seconds of pauses between them, all in all: a pause
    that would be longer than what is left of them is not begun. The last error is raised as it is.
    """
    answer: T | NotYet = _repeat(call, backoff, may_pass, _Pauses(clock, most_wait, attempts - 1))
    assert answer is not NOT_YET, "`call` has an answer or an error"  # noqa: S101 - for the type checker
    return answer


@dataclass
class _Pauses:
    """Sleeps between attempts, `seconds` all in all and `left` times; returns whether it did."""

    clock: Clock
    seconds: float
    left: float = math.inf

    def __call__(self, seconds: float, _obstacle: Exception | None) -> bool:
        if self.left < 1 or seconds > self.seconds:
            return False
        self.left -= 1
        self.seconds -= seconds
        self.clock.sleep(seconds)
        return True


def retryable(error: Exception) -> float | None:
    """Judge an error by its class: what our own errors declare retryable may pass."""
    return error.after if isinstance(error, TryLater) else None


def _never(_error: Exception) -> None:
    """Judge that an error will not pass."""


def _repeat(
    attempt: Callable[[], T | NotYet],
    backoff: Backoff,
    may_pass: MayPass,
    pause: Callable[[float, Exception | None], bool],
) -> T | NotYet:
    """Attempt, and `pause` in between, until there is an answer, an error that will not pass, or no further pause."""
    for delay in backoff.delays():
        obstacle: Exception | None = None
        least = 0.0
        try:
            answer = attempt()
        except Exception as error:
            asked = may_pass(error)
            if asked is None:
                raise
            obstacle, least = error, asked
        else:
            if answer is not NOT_YET:
                return answer
        if not pause(max(delay, least), obstacle):
            if obstacle:
                raise obstacle
            return NOT_YET
    raise AssertionError  # pragma: no cover - delays() has no end
