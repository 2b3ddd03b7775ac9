"""One run for several deliveries: whoever comes first carries it, the others receive what is reported of it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from ecs_cd.model.events import Event, Watch
from ecs_cd.model.run import FinishedRun


@dataclass(frozen=True)
class _End:
    run: FinishedRun | None = None
    error: BaseException | None = None


class SingleFlight:
    """Runs of which each carries the changes of several deliveries: whoever comes first begins, the others listen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: dict[Hashable, _Shared] = {}

    def carry(self, key: Hashable, begin: Callable[[Watch], FinishedRun], hear: Watch) -> FinishedRun:
        """Have the run of this key carried (`begin`, on a thread of its own), and return how it ended.

        `hear` is told everything that is told of it, from its beginning, on the caller's thread.

        Raises:
            EcsCdError: what `begin` raised; every listener gets the same.
        """
        with self._lock:
            shared = self._shared.get(key)
            if shared is None:
                shared = self._shared[key] = _Shared()
                threading.Thread(target=shared.go, args=(begin,), name="ecs-cd-run", daemon=True).start()
        return shared.listen(hear)


class _Shared:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: list[Event | _End] = []
        self._ears: list[queue.SimpleQueue[Event | _End]] = []

    def go(self, begin: Callable[[Watch], FinishedRun]) -> None:
        try:
            end = _End(begin(self._tell))
        except BaseException as error:  # noqa: BLE001 - it is raised again on the threads that listen
            end = _End(error=error)
        self._tell(end)

    def listen(self, hear: Watch) -> FinishedRun:
        ear: queue.SimpleQueue[Event | _End] = queue.SimpleQueue()
        with self._lock:
            for told in self._told:
                ear.put(told)
            self._ears.append(ear)
        while not isinstance(told := ear.get(), _End):
            hear(told)
        if told.run is None:
            raise told.error or AssertionError
        return told.run

    def _tell(self, event: Event | _End) -> None:
        with self._lock:
            self._told.append(event)
            for ear in self._ears:
                ear.put(event)
