"""Requests at a rate that a service allows, whoever sends them."""

from __future__ import annotations

import threading

from ecs_cd.support.clock import Clock


class RateLimit:
    """At most `burst` requests at once, and `per_second` from then on; for any number of threads."""

    def __init__(self, per_second: float, burst: int, clock: Clock) -> None:
        self._pause = 1 / per_second
        self._ahead = burst * self._pause
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock.now() - self._ahead

    def take(self) -> None:
        """Wait until the next request may be sent."""
        with self._lock:
            now = self._clock.now()
            self._next = max(self._next, now - self._ahead) + self._pause
            wait = self._next - now
        if wait > 0:
            self._clock.sleep(wait)
