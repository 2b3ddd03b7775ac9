"""A clock on which hours pass in seconds, for code that blocks: threads of which one at a time runs.

Whoever sleeps hands a baton to whoever is due next. So the order of everything is that of the clock, and the same at
each run.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

EPOCH = datetime(2026, 1, 1, tzinfo=timezone.utc)
_STACK = 512 * 1024


class VirtualClock:
    """A `Clock` for the deliveries, and a calendar of what else is to happen."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: list[tuple[float, int, _Sleeper | Callable[[], None]]] = []
        self._number = itertools.count()
        self._local = threading.local()
        self._main = _Sleeper()
        self._error: BaseException | None = None

    def now(self) -> float:
        return self._now

    def utc(self) -> datetime:
        return EPOCH + timedelta(seconds=self._now)

    def sleep(self, seconds: float) -> None:
        """Let the others go on until so many seconds have passed; only in a thread made by `spawn`."""
        me: _Sleeper = self._local.sleeper
        self._push(self._now + seconds, me)
        self._hand_on(me)

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Have something happen that does not sleep."""
        self._push(max(moment, self._now), action)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        self.at(self._now + seconds, action)

    def spawn(self, moment: float, work: Callable[[], None]) -> None:
        """Have something happen that sleeps."""
        self.at(moment, lambda: self._start(work))

    def run(self) -> None:
        """Let everything happen, and raise what was raised."""
        threading.stack_size(_STACK)
        self._hand_on(self._main)
        threading.stack_size(0)
        if self._error:
            raise self._error

    def _start(self, work: Callable[[], None]) -> None:
        sleeper = _Sleeper()

        def body() -> None:
            self._local.sleeper = sleeper
            sleeper.baton.acquire()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - it is raised by `run`
                self._error = self._error or error
            self._hand_on(None)

        threading.Thread(target=body, daemon=True).start()
        self._push(self._now, sleeper)

    def _push(self, moment: float, what: _Sleeper | Callable[[], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._number), what))

    def _hand_on(self, me: _Sleeper | None) -> None:
        """Let everything happen that is due before `me`; None never comes back."""
        while self._due and not self._error:
            self._now, _, what = heapq.heappop(self._due)
            if what is me:
                return
            if isinstance(what, _Sleeper):
                what.baton.release()
                break
            what()
        else:
            if me is self._main:
                return
            self._main.baton.release()
        if me:
            me.baton.acquire()


class _Sleeper:
    """A thread that waits until it gets the baton."""

    def __init__(self) -> None:
        self.baton = threading.Lock()
        self.baton.acquire()
