"""Deliveries that record tags in one parameter at the same time, one call to the store at a time.

A `Writer` is `parameter.record` stopped before its next call. It needs no thread: `record` depends on nothing but the
answers it gets, so a step begins it anew, gives it the answers it had so far, and lets one more call through. A writer
is thus a value, and so is a `FakeParameters`: what they do together can be copied, compared and explored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from ecs_cd.model import CheckedImage, ImageTag, Parameter, ParameterChange, ParameterVersion, Recorded
from ecs_cd.order import Order
from ecs_cd.parameter import Parameters, record
from ecs_cd.waiting import Deadline
from tests.fakes import FakeClock, FakeParameters

T = TypeVar("T")


class _StoppedError(BaseException):
    """The writer is about to make a call that is not its turn to make."""


class _OneMore:
    """A store that repeats the answers given before and then lets one more call through."""

    def __init__(self, store: Parameters, answers: Sequence[object]) -> None:
        self._store = store
        self._made = 0
        self._most = len(answers) + 1
        self.answers = list(answers)

    def _answer(self, call: Callable[[], T]) -> T:
        if self._made == self._most:
            raise _StoppedError
        if self._made == len(self.answers):
            self.answers.append(call())
        self._made += 1
        return cast("T", self.answers[self._made - 1])

    def read(self, name: str) -> Parameter | None:
        return self._answer(lambda: self._store.read(name))

    def write(self, parameter: Parameter, value: str) -> int:
        return self._answer(lambda: self._store.write(parameter, value))

    def create(self, name: str, value: str) -> int | None:
        return self._answer(lambda: self._store.create(name, value))

    def versions(self, name: str, numbers: Sequence[int], label: str = "") -> tuple[ParameterVersion, ...]:
        return self._answer(lambda: self._store.versions(name, numbers, label))

    def label(self, name: str, version: int, label: str) -> None:
        return self._answer(lambda: self._store.label(name, version, label))

    def history(self, name: str) -> tuple[ParameterVersion, ...]:
        return self._answer(lambda: self._store.history(name))


@dataclass(frozen=True)
class Writer:
    """A delivery that records `tag`; `change` is its result once it has finished."""

    name: str
    tag: str
    answers: tuple[object, ...] = ()
    change: ParameterChange | None = None

    def died(self) -> Writer:
        """Return the writer as it is when started again: it has forgotten everything."""
        return Writer(self.name, self.tag)

    def stepped(self, store: Parameters) -> Writer:
        """Return the writer after its next call, and after all it does before the one after that."""
        one_more = _OneMore(store, self.answers)
        try:
            change = record(
                one_more,
                self.name,
                CheckedImage(ImageTag(self.tag)),
                deadline=Deadline.after(600, FakeClock()),
                order=Order.NUMERIC,
                create=True,
            )
        except _StoppedError:
            return replace(self, answers=tuple(one_more.answers))
        return replace(self, answers=(), change=change)


@dataclass(frozen=True)
class Turn:
    """The next call of one writer, or its death."""

    writer: int
    dies: bool = False


def play(store: Parameters, writers: Sequence[Writer], turns: Iterable[Turn]) -> list[Writer]:
    """Let the writers take these turns, then start those not done again, one after another; return all, finished.

    Raises:
        AssertionError: a writer that finished said something that is not so.
    """
    now = list(writers)
    for turn in turns:
        writer = now[turn.writer]
        if writer.change is None:
            now[turn.writer] = checked(writer.died() if turn.dies else writer.stepped(store))
    for place, writer in enumerate(now):
        again = writer
        while again.change is None:
            again = checked(again.stepped(store))
        now[place] = again
    return now


def checked(writer: Writer) -> Writer:
    """Return the writer if what it says of itself can be so."""
    if writer.change is not None:
        new, wanted, said = int(writer.change.new), int(writer.tag), writer.change.recorded
        assert new >= wanted, f"{writer.tag} was left below {new}"
        assert (said is Recorded.SUPERSEDED) == (new > wanted), f"{said} for {wanted} under {new}"
    return writer


@dataclass(frozen=True)
class End:
    """How one interleaving ended: the values of all versions, oldest first, and the finished writers."""

    values: tuple[str, ...]
    writers: tuple[Writer, ...]


def explore(store: FakeParameters, writers: Sequence[Writer], deaths: int) -> Iterator[End]:
    """Yield every end that these writers can come to when so many of them die, each started again at any time."""
    waiting = [(store, tuple(writers), deaths)]
    met = set()
    while waiting:
        store, now, left = waiting.pop()
        if all(writer.change is not None for writer in now):
            yield End(tuple(store.values(now[0].name)), now)
        for place, writer in enumerate(now):
            if writer.change is not None:
                continue
            twin = store.copy()
            nexts = [(twin, checked(writer.stepped(twin)), left)]
            if left and writer.answers:
                nexts.append((store, writer.died(), left - 1))
            for then, moved, still in nexts:
                after = (*now[:place], moved, *now[place + 1 :])
                state = (then.state(), after, still)
                if state not in met:
                    met.add(state)
                    waiting.append((then, after, still))
