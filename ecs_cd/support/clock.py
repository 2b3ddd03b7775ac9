"""Where the time comes from: the only place that reads it or sleeps."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol


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
