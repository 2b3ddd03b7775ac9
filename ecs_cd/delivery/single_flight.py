"""One run for several deliveries: the first of them begins it, and all follow it to its end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from ecs_cd.model.events import Event, Watch
from ecs_cd.model.run import FinishedRun


@dataclass(frozen=True)
class _End:
    """How the run ended: one of the two is given."""

    run: FinishedRun | None = None
    error: BaseException | None = None


class SingleFlight:
    """Runs by key, of which each carries the changes of several deliveries.

    An event of a run is shown once, to the watch of the delivery that began it. Each delivery that follows it takes the
    event down as well, on its own thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight] = {}

    def carry(self, key: Hashable, begin: Callable[[Watch], FinishedRun], *, watch: Watch, note: Watch) -> FinishedRun:
        """Have the run of this key carried (`begin`, on a thread of its own), and return how it ended.

        `note` is given every event of the run from its beginning, on the caller's thread. `watch` is given each once,
        on the run's thread, if this call is the first for the key.

        Raises:
            EcsCdError: what `begin` raised; everybody who follows gets the same.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = _Flight(watch)
                threading.Thread(target=flight.run, args=(begin,), name="ecs-cd-run", daemon=True).start()
        return flight.follow(note)


class _Flight:
    """One shared run: its events so far, and a queue for each delivery that follows it."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._lock = threading.Lock()
        self._published: list[Event | _End] = []
        self._followers: list[queue.SimpleQueue[Event | _End]] = []

    def run(self, begin: Callable[[Watch], FinishedRun]) -> None:
        try:
            end = _End(begin(self._show))
        except BaseException as error:  # noqa: BLE001 - it is raised again on the threads that follow
            end = _End(error=error)
        self._publish(end)

    def follow(self, note: Watch) -> FinishedRun:
        events: queue.SimpleQueue[Event | _End] = queue.SimpleQueue()
        with self._lock:
            for earlier in self._published:
                events.put(earlier)
            self._followers.append(events)
        while not isinstance(event := events.get(), _End):
            note(event)
        if event.run is None:
            raise event.error or AssertionError
        return event.run

    def _show(self, event: Event) -> None:
        self._watch(event)
        self._publish(event)

    def _publish(self, event: Event | _End) -> None:
        with self._lock:
            self._published.append(event)
            for follower in self._followers:
                follower.put(event)
