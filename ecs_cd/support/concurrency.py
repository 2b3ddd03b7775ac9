"""Ask independent things at the same time, on threads that never keep a process from ending."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar, overload

from ecs_cd.support.clock import Clock

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")

import_lock = threading.Lock()
"""Held while an SDK is imported. `requests` walks through all modules when it is imported (in its `packages.py`), and
fails if one disappears meanwhile, as `urllib3.contrib.pyopenssl` does when botocore has tried it in vain."""

_NOTICE = 0.2
"""Seconds within which Ctrl-C is noticed on Windows, where waiting for a lock cannot be interrupted."""


class _Answer(Generic[T]):
    """What became of one call: `value`, or `error` where it raised."""

    def __init__(self, place: int, call: Callable[[], T]) -> None:
        self.place = place
        self.error: BaseException | None = None
        try:
            self.value = call()
        except BaseException as error:  # noqa: BLE001 - it is raised again on the thread that asked
            self.error = error


def run_all(calls: Sequence[Callable[[], T]], most: int = 4) -> list[T]:
    """Return what the calls return, in their order; at most `most` of them run at the same time.

    The first call that raises ends the wait and its error is raised; calls already begun go on unheeded, others are
    dropped. The threads are daemons: neither Ctrl-C nor the interpreter's end waits for them.
    """
    if len(calls) <= 1:
        return [call() for call in calls]
    with _started(calls, most) as answers:
        return _collect(answers, len(calls))


def run_within(seconds: float, clock: Clock, calls: Sequence[Callable[[], T]], most: int = 4) -> list[T | None]:
    """Return what the calls return within so many seconds, in their order; None for one that takes longer.

    As `run_all` otherwise.
    """
    if not calls:
        return []
    until = clock.now() + seconds
    with _started(calls, most) as answers:
        return _collect_until(answers, len(calls), lambda: clock.now() >= until)


@contextmanager
def _started(calls: Sequence[Callable[[], T]], most: int) -> Iterator[queue.SimpleQueue[_Answer[T]]]:
    """Begin the calls on threads, and give the queue of their answers; at the end what has not begun is dropped."""
    waiting: queue.SimpleQueue[tuple[int, Callable[[], T]]] = queue.SimpleQueue()
    answers: queue.SimpleQueue[_Answer[T]] = queue.SimpleQueue()
    given_up = threading.Event()
    for numbered in enumerate(calls):
        waiting.put(numbered)

    def work() -> None:
        while not given_up.is_set():
            try:
                place, call = waiting.get_nowait()
            except queue.Empty:
                return
            answers.put(_Answer(place, call))

    for _ in range(min(most, len(calls))):
        threading.Thread(target=work, name="ecs-cd-overlap", daemon=True).start()
    try:
        yield answers
    finally:
        given_up.set()


class Background(Generic[T]):
    """A call that goes on while other things are done."""

    def __init__(self, call: Callable[[], T]) -> None:
        """Begin it, on a thread that never keeps a process from ending."""
        self._answers: queue.SimpleQueue[_Answer[T]] = queue.SimpleQueue()
        self._ended: list[T] = []
        threading.Thread(target=lambda: self._answers.put(_Answer(0, call)), name="ecs-cd-overlap", daemon=True).start()

    def result(self) -> T:
        """Wait for its end, and return what it returned; what it raised is raised here, once."""
        if not self._ended:
            self._ended = _collect(self._answers, 1)
        return self._ended[0]


@overload
def run_together(first: Callable[[], A], second: Callable[[], B], /) -> tuple[A, B]: ...


@overload
def run_together(first: Callable[[], A], second: Callable[[], B], third: Callable[[], C], /) -> tuple[A, B, C]: ...


def run_together(*calls: Callable[[], object]) -> tuple[object, ...]:
    """Return what a few calls of different kinds return, as `run_all` does."""
    return tuple(run_all(calls))


def _collect(answers: queue.SimpleQueue[_Answer[T]], count: int) -> list[T]:
    arrived = _arrived(answers, count, lambda: False)
    return [arrived[place] for place in range(count)]


def _collect_until(answers: queue.SimpleQueue[_Answer[T]], count: int, over: Callable[[], bool]) -> list[T | None]:
    arrived = _arrived(answers, count, over)
    return [arrived.get(place) for place in range(count)]


def _arrived(answers: queue.SimpleQueue[_Answer[T]], count: int, over: Callable[[], bool]) -> dict[int, T]:
    arrived: dict[int, T] = {}
    while len(arrived) < count:
        try:
            answer = answers.get(timeout=_NOTICE)
        except queue.Empty:
            if over():
                break
            continue
        if answer.error is not None:
            raise answer.error
        arrived[answer.place] = answer.value
    return arrived


class Once(Generic[T]):
    """Answers by key, each made once: whoever asks first makes it, and the others wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[Hashable, _Made[T]] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returned for this key, whoever called it; raise what it raised."""
        with self._lock:
            made = self._made.setdefault(key, _Made())
        with made.lock:
            if made.answer is None:
                made.answer = _Answer(0, make)
        if made.answer.error is not None:
            raise made.answer.error
        return made.answer.value


class _Made(Generic[T]):
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answer: _Answer[T] | None = None


def batches(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return the items in groups of at most `size`, in order."""
    return [items[start : start + size] for start in range(0, len(items), size)]
