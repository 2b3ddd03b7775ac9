"""One deadline for the whole of a delivery (rule 16).

Every wait of a delivery draws on the same `Deadline`, so that the time a person allowed is the time it takes, and
every message about a wait says what was being waited for.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.errors import DeadlineReached, TryLater
from ecs_cd.messages import Message, SettingRef
from ecs_cd.support.clock import Clock


def format_duration(seconds: float) -> str:
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
        allowed = format_duration(self.seconds)
        obstacle = f" (last obstacle: {last.message})" if last else ""
        return DeadlineReached(
            f"Gave up after {allowed}, the deadline of the whole delivery, while {doing}{obstacle}.",
            hint=Message(
                "Run the same command again to continue where this one stopped, or allow more time with ",
                SettingRef("timeout"),
                ".",
            ),
        )
