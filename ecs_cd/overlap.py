"""Ask independent things at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")

_SLICE = 0.2
"""Seconds of one join: Windows cannot interrupt a longer one by Ctrl-C."""


class _Asked(threading.Thread, Generic[A]):
    """A call under way. A daemon, so that an interrupted program does not wait for an answer nobody wants."""

    def __init__(self, call: Callable[[], A]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._answer: list[A] = []
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._answer.append(self._call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is asked for
            self._error = error

    def answer(self) -> A:
        while self.is_alive():
            self.join(_SLICE)
        if self._error is not None:
            raise self._error
        return self._answer[0]


@overload
def together(first: Callable[[], A], second: Callable[[], B], /) -> tuple[A, B]: ...


@overload
def together(first: Callable[[], A], second: Callable[[], B], third: Callable[[], C], /) -> tuple[A, B, C]: ...


def together(first: Callable[[], object], /, *others: Callable[[], object]) -> tuple[object, ...]:
    """Return the answers of calls made at the same time, in their order; of several failures the first is raised."""
    asked = [_Asked(call) for call in others]
    return (first(), *(one.answer() for one in asked))
