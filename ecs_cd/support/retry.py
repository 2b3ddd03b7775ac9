"""The one loop that waits: look again and again, with back-off and jitter, until there is an answer or the deadline."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from ecs_cd.errors import DeadlineReached, TooSoon, TryLater
from ecs_cd.support.deadline import Deadline

T = TypeVar("T")


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
    look: Callable[[], T | None],
    *,
    deadline: Deadline,
    pace: Backoff,
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
