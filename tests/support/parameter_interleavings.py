"""Deliveries, rollbacks and releases at one parameter at the same time, one call to the store at a time.

An `Actor` is a function of the library stopped before its next call. It needs no thread: what it does depends on
nothing but the answers it gets, so a step begins it anew, gives it the answers it had so far, and lets one more call
through. An actor is thus a value, and so is a `FakeParameters`: what they do together can be copied, compared and
explored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar, cast

from ecs_cd.model.image import CheckedImage, ImageTag
from ecs_cd.model.order import Order
from ecs_cd.model.parameter import Parameter, ParameterChange, Recorded
from ecs_cd.parameter.hold import Held, Lifted, lift_hold, place_hold
from ecs_cd.parameter.record import record_tag
from ecs_cd.parameter.store import Parameters
from ecs_cd.support.deadline import Deadline
from tests.support.fakes import FakeClock, FakeParameters

T = TypeVar("T")

CALLS = ("read", "write", "create", "versions", "label", "unlabel", "history")


class _StoppedError(BaseException):
    """The actor is about to make a call that is not its turn to make."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call


class _AgainError(BaseException):
    """The actor is about to wait and begin anew, as if started again."""


class _Restless(FakeClock):
    """A clock by which nobody waits: whoever wants to is stopped there, for what it knew counts no more."""

    def sleep(self, seconds: float) -> None:
        raise _AgainError


@dataclass(frozen=True)
class Call:
    """A call to the store that an actor is about to make; what it raises is an answer too."""

    method: str
    args: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...] = ()

    def of(self, store: Parameters) -> object:
        try:
            return getattr(store, self.method)(*self.args, **dict(self.named))
        except Exception as error:  # noqa: BLE001 - whatever the store raises, the actor is to get
            return _Raised(type(error), str(error))


@dataclass(frozen=True)
class _Raised:
    kind: type[Exception]
    message: str


class _Repeating:
    """A store that repeats the answers given before and stops at the call after them."""

    def __init__(self, answers: Sequence[object]) -> None:
        self._left = list(answers)

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - any method of a store
        assert method in CALLS, method

        def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - its arguments and its answer
            if not self._left:
                raise _StoppedError(Call(method, args, tuple(sorted(named.items()))))
            answer = self._left.pop(0)
            if isinstance(answer, _Raised):
                raise answer.kind(answer.message)
            return answer

        return call


@dataclass(frozen=True)
class Actor:
    """Somebody at work on the parameter `name`; `result` is what came of it once it has finished.

    `first` is what it read when it began, in its present life. `remembers`: what it does when it tries again depends on
    its earlier tries; of all others, an actor that tries again is the same as one that begins.
    """

    name: str
    remembers: bool = field(default=False, kw_only=True)
    answers: tuple[object, ...] = field(default=(), kw_only=True)
    result: Any = field(default=None, kw_only=True)
    first: Parameter | None = field(default=None, kw_only=True)

    def work(self, store: Parameters, deadline: Deadline) -> object:
        """Do all of it."""
        raise NotImplementedError

    def check(self) -> None:
        """Refuse a result that cannot be so.

        Raises:
            AssertionError: it says something that is not so.
        """

    def died(self) -> Actor:
        """Return the actor as it is when started again: it has forgotten everything."""
        return replace(self, answers=(), first=None)

    def stepped(self, store: Parameters) -> Actor:
        """Return the actor after its next call, and after all it does before the one after that."""
        call = _next(self)
        assert isinstance(call, Call)
        answers = (*self.answers, call.of(store))
        after = replace(self, answers=answers, first=self.first if self.answers else cast("Parameter", answers[0]))
        then = _next(after)
        if isinstance(then, Call):
            return after
        if isinstance(then, _AgainError):
            return self.died()
        ended = replace(after, answers=(), result=then)
        ended.check()
        return ended


@cache
def _next(actor: Actor) -> object:
    """Return the call that an actor makes next, or its result."""
    try:
        clock = FakeClock() if actor.remembers else _Restless()
        return actor.work(_Repeating(actor.answers), Deadline.after(3600, clock))
    except _StoppedError as stopped:
        return stopped.call
    except _AgainError as again:
        return again


@dataclass(frozen=True)
class Writer(Actor):
    """A delivery that records `tag`."""

    tag: str

    def work(self, store: Parameters, deadline: Deadline) -> ParameterChange:
        image = CheckedImage(ImageTag(self.tag))
        return record_tag(store, self.name, image, deadline=deadline, order=Order.NUMERIC, create=True)

    def check(self) -> None:
        change: ParameterChange = self.result
        if change.recorded is Recorded.HELD:
            assert change.marks.holds or change.marks.rolling_back, f"{self.tag} yields to nothing"
            return
        new, wanted, said = int(change.new), int(change.wanted.value), change.recorded
        assert new >= wanted, f"{self.tag} was left below {new}"
        assert (said is Recorded.SUPERSEDED) == (new > wanted), f"{said} for {wanted} under {new}"


@dataclass(frozen=True)
class Rollback(Actor):
    """An operator who steps back to `value` and holds it; to the one on top, where it is empty."""

    value: str = ""

    def work(self, store: Parameters, deadline: Deadline) -> Held | None:
        return place_hold(store, self.name, value=self.value, deadline=deadline)

    def check(self) -> None:
        held: Held = self.result
        if held.overruled:
            return
        assert held.parameter.marks.holds, "the hold is not in force"
        assert held.value == (self.value or held.value) == held.parameter.value


@dataclass(frozen=True)
class Release(Actor):
    """An operator who lifts the hold."""

    def work(self, store: Parameters, deadline: Deadline) -> Lifted:
        return lift_hold(store, self.name, deadline=deadline)


@dataclass(frozen=True)
class Turn:
    """The next call of one actor, or its death."""

    actor: int
    dies: bool = False


def play(store: Parameters, actors: Sequence[Actor], turns: Iterable[Turn]) -> list[Actor]:
    """Let the actors take these turns, then start those not done again, one after another; return all, finished.

    Raises:
        AssertionError: an actor that finished said something that is not so.
    """
    now = list(actors)
    for turn in turns:
        actor = now[turn.actor]
        if actor.result is None:
            now[turn.actor] = actor.died() if turn.dies else actor.stepped(store)
    for place, actor in enumerate(now):
        again = actor
        while again.result is None:
            again = again.stepped(store)
        now[place] = again
    return now


@dataclass(frozen=True)
class End:
    """How one interleaving ended: the store, and the finished actors."""

    store: FakeParameters
    actors: tuple[Actor, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """Return the values of all versions, oldest first."""
        return tuple(self.store.values(self.actors[0].name))

    @property
    def standing(self) -> Parameter:
        """Return the parameter as it stands."""
        return self.store.standing(self.actors[0].name)


class Explorer:
    """Every interleaving of some actors, of whom so many may die, each started again at any time.

    Actors and stores are met again and again in new company: each is looked up by a number, and what a call does to a
    store is worked out once. `states` is how many were met.
    """

    def __init__(self, store: FakeParameters, actors: Sequence[Actor], deaths: int) -> None:
        _next.cache_clear()  # a test may have changed the library since
        self._actors: list[Actor] = []
        self._stores: list[FakeParameters] = []
        self._numbers: dict[object, int] = {}
        self._steps: dict[tuple[int, int], tuple[int, int]] = {}
        self._deaths: dict[int, int] = {}
        now = self._all([self._actor(actor) for actor in actors])
        self._start = (self._store(store), now, deaths)
        self._born = {self._actor(actor.died()) for actor in actors}
        self.states = 0

    def ends(self) -> Iterator[End]:
        """Yield every end that they can come to."""
        met = {self._start}
        waiting = [self._start]
        while waiting:
            state = waiting.pop()
            fresh = [then for then in self._nexts(*state) if then not in met]
            met.update(fresh)
            waiting += fresh
            self.states = len(met)
            if all(self._actors[number].result is not None for number in state[1]):
                yield End(self._stores[state[0]], tuple(self._actors[number] for number in state[1]))

    def interleavings(self) -> int:
        """Return in how many orders they can do what they do."""
        counted: dict[tuple[int, tuple[int, ...], int], int] = {}
        waiting = [self._start]
        while waiting:
            state = waiting[-1]
            nexts = self._nexts(*state)
            ahead = [then for then in nexts if then not in counted]
            if ahead:
                waiting += ahead
                continue
            counted[state] = sum(counted[then] for then in nexts) if nexts else 1
            waiting.pop()
        return counted[self._start]

    def _all(self, actors: list[int]) -> tuple[int, ...]:
        """Return the actors in an order of no meaning, so that two of one kind are not told apart."""
        return tuple(sorted(actors))

    def _nexts(self, store: int, now: tuple[int, ...], left: int) -> list[tuple[int, tuple[int, ...], int]]:
        nexts = []
        for place, number in enumerate(now):
            if self._actors[number].result is not None:
                continue
            then, moved = self._stepped(store, number)
            nexts.append((then, self._all([*now[:place], moved, *now[place + 1 :]]), left))
            if left and number not in self._born:
                nexts.append((store, self._all([*now[:place], self._dead(number), *now[place + 1 :]]), left - 1))
        return nexts

    def _stepped(self, store: int, actor: int) -> tuple[int, int]:
        key = (store, actor)
        if key not in self._steps:
            twin = self._stores[store].copy()
            moved = self._actor(self._actors[actor].stepped(twin))
            self._steps[key] = (self._store(twin), moved)
        return self._steps[key]

    def _dead(self, actor: int) -> int:
        if actor not in self._deaths:
            self._deaths[actor] = self._actor(self._actors[actor].died())
        return self._deaths[actor]

    def _actor(self, actor: Actor) -> int:
        return self._number(actor, actor, self._actors)

    def _store(self, store: FakeParameters) -> int:
        return self._number(store.state(), store, self._stores)

    def _number(self, key: object, one: T, those: list[T]) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(those)
            those.append(one)
        return self._numbers[key]


def explore(store: FakeParameters, actors: Sequence[Actor], deaths: int) -> Iterator[End]:
    """Yield every end that these actors can come to when so many of them die, each started again at any time."""
    return Explorer(store, actors, deaths).ends()
