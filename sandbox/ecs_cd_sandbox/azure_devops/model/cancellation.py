"""The signal to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancellation(threading.Event):
    """An event that also calls back, so that a step can wait for several things at once."""

    def __init__(self) -> None:
        """Start unset."""
        super().__init__()
        self._callbacks: list[Callable[[], None]] = []
        self._guard = threading.Lock()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called when the event is set (at once if it is). Returns how to take it back."""
        with self._guard:
            self._callbacks.append(callback)
            already = self.is_set()
        if already:
            callback()
        return lambda: self._unsubscribe(callback)

    def set(self) -> None:
        """Set the event and call back, once."""
        with self._guard:
            first = not self.is_set()
            super().set()
            callbacks = list(self._callbacks) if first else []
        for callback in callbacks:
            callback()

    def _unsubscribe(self, callback: Callable[[], None]) -> None:
        with self._guard:
            if callback in self._callbacks:
                self._callbacks.remove(callback)
