"""Where the deliveries of one call wait for each other, each on a thread of its own."""

from __future__ import annotations

import threading

from ecs_cd.errors import EcsCdError


class Barrier:
    """Opens when all who are expected have arrived or left; nobody passes before that."""

    def __init__(self, expected: int) -> None:
        self._changed = threading.Condition()
        self._missing = expected
        self._refusal: EcsCdError | None = None

    def arrive(self) -> None:
        """Wait for the others, and pass with them.

        Raises:
            EcsCdError: the gate was shut (`refuse`).
        """
        with self._changed:
            self._one_less()
            self._changed.wait_for(lambda: self._refusal or self._missing <= 0)
            if self._refusal:
                raise self._refusal

    def leave(self) -> None:
        """Be waited for no more."""
        with self._changed:
            self._one_less()

    def refuse(self, why: EcsCdError) -> None:
        """Shut the gate for good, unless it is open; the first reason counts."""
        with self._changed:
            if self._missing > 0:
                self._refusal = self._refusal or why
            self._changed.notify_all()

    def _one_less(self) -> None:
        self._missing -= 1
        self._changed.notify_all()
