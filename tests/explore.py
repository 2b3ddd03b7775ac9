"""Every way in which deliveries can share runs: the real `carriage.turn`, one request at a time, against every act of
Azure DevOps, its agents and people.

A `Courier` is a delivery stopped before its next request. It needs no thread: a turn depends on nothing but the
answers it gets, so a step begins the turn anew, gives it the answers it had, and lets one more request through. The
couriers and the `Cloud` are values; so is a `World`, and what can become of it is a graph that `explore` walks to its
ends:

    python -m tests.explore --deliveries 2 --lock runLatest --people 1
"""

from __future__ import annotations

import argparse
import itertools
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar, cast

from ecs_cd.errors import EcsCdError
from ecs_cd.model.events import ignore_events
from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, Pipeline, Run, RunRequest, RunState, TimelineRecord
from ecs_cd.run import sharing
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.run.sharing import Carriage
from tests.support.azure_in_memory import Cloud, End, Lock, MemoryAzureDevOps

T = TypeVar("T")

REQUEST = RunRequest(Pipeline(7), "refs/heads/main")
PERSON = "Ann Author"
_BAD = (RunState.CANCELLED, RunState.CANCELLING, RunState.FAILED)


class _StoppedError(BaseException):
    """The delivery is about to make a request that is not its turn to make."""


class _OneMore:
    """Pipelines that repeat the answers given before, and then let one more request through.

    A request whose answer can never change any more takes no turn: nothing others do could come before or after it.
    """

    def __init__(self, pipelines: Pipelines, answers: Sequence[object], settled: Callable[[int], bool]) -> None:
        self._pipelines = pipelines
        self._settled = settled
        self._made = 0
        self._left = 1
        self.answers = list(answers)

    def _answer(self, call: Callable[[], T], *, free: bool = False) -> T:
        if self._made == len(self.answers):
            if not free:
                if not self._left:
                    raise _StoppedError
                self._left -= 1
            try:
                self.answers.append(call())
            except EcsCdError as error:
                self.answers.append(_Raised(error.__class__))
        self._made += 1
        answer = self.answers[self._made - 1]
        if isinstance(answer, _Raised):
            raise answer.error("refused")
        return cast("T", answer)

    def find(self, reference: str) -> tuple[Pipeline, ...]:
        return self._answer(lambda: self._pipelines.find(reference))

    def queue(self, request: RunRequest) -> Run:
        return self._answer(lambda: self._pipelines.queue(request))

    def active(self, pipeline: Pipeline, branch: str) -> tuple[Run, ...]:
        return self._answer(lambda: self._pipelines.active(pipeline, branch))

    def cancel(self, run_id: int) -> None:
        return self._answer(lambda: self._pipelines.cancel(run_id))

    def tag(self, run_id: int, tag: str) -> None:
        return self._answer(lambda: self._pipelines.tag(run_id, tag))

    def untag(self, run_id: int, tag: str) -> None:
        return self._answer(lambda: self._pipelines.untag(run_id, tag))

    def run(self, run_id: int) -> Run:
        return self._answer(lambda: self._pipelines.run(run_id))

    def records(self, run_id: int) -> tuple[TimelineRecord, ...]:
        return self._answer(lambda: self._pipelines.records(run_id), free=self._settled(run_id))

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:
        return self._answer(lambda: self._pipelines.log_tail(run_id, log_id, lines), free=True)


@dataclass(frozen=True)
class _Raised:
    """An answer that was an error."""

    error: type[EcsCdError]


@dataclass(frozen=True)
class Courier:
    """A delivery of `version`: whether it has written it, what it knows since, and the answers within this turn.

    `said` is how it ended: `carried`, or the reason of its failure.
    """

    version: str
    wrote: bool = False
    known: Carriage = Carriage(REQUEST)  # noqa: RUF009 - frozen
    answers: tuple[object, ...] = ()
    carried_by: int | None = None
    said: str = ""

    @property
    def done(self) -> bool:
        return bool(self.said)

    @property
    def settled(self) -> bool:
        """Return whether it has nothing to do but follow a run."""
        return self.done or (self.known.following is not None and self.known.own is None and not self.answers)

    @cached_property
    def mentioned(self) -> tuple[int, ...]:
        """Return the runs it has anything to do with, in order."""
        known = self.known
        ids = {*known.seen, *known.passed, *known.holders, known.own, known.following, self.carried_by} - {None}
        for answer in self.answers:
            if isinstance(answer, Run):
                ids.add(answer.id)
            elif isinstance(answer, tuple):
                ids.update(run.id for run in answer if isinstance(run, Run))
        return tuple(sorted(cast("set[int]", ids)))

    @cached_property
    def _forms(self) -> dict[tuple[int, ...], int]:
        return {}

    def form(self, new: Mapping[int, int]) -> int:
        """Return a hash of all it knows, with these numbers for the runs."""
        before = tuple(sorted(new[n] for n in self.known.before or () if n in new))
        numbers = (*(new[run_id] for run_id in self.mentioned), -1, *before)
        found = self._forms.get(numbers)
        if found is None:
            found = self._forms[numbers] = hash((before, self._renumbered(new)))
        return found

    def _renumbered(self, new: Mapping[int, int]) -> Hashable:
        known = self.known
        sets = tuple(
            tuple(sorted(new[n] for n in numbers))
            for numbers in (known.seen, known.proven, known.ours, known.passed, known.holders)
        )
        one = tuple(new[n] if n is not None else None for n in (known.own, known.following, self.carried_by))
        rest = (known.asked, known.hesitated, known.newest, known.canceller, known.superseded, known.lost)
        answers = tuple(_renumbered_answer(answer, new) for answer in self.answers)
        return self.wrote, sets, one, rest, answers, self.said

    def died(self) -> Courier:
        """Return it as it is when started again: it has written, and remembers nothing."""
        return Courier(self.version, wrote=self.wrote)

    def stepped(self, pipelines: Pipelines, settled: Callable[[int], bool] = lambda _: False) -> Courier:
        """Return it after its next request, and after all it does before the one after that."""
        one_more = _OneMore(pipelines, self.answers, settled)
        try:
            known = sharing.turn(one_more, self.known, ignore_events)
        except _StoppedError:
            return replace(self, answers=tuple(one_more.answers))
        except EcsCdError as error:
            return replace(self, known=Carriage(REQUEST), answers=(), said=error.reason)
        if known.finished:
            run = known.finished.run
            return replace(
                self, known=Carriage(REQUEST), answers=(), said="carried", carried_by=run.id if run else None
            )
        return replace(self, known=replace(known, lock=None, doubt=None, crowded=False), answers=())


@dataclass(frozen=True)
class Budget:
    """How much trouble there may still be: deaths, state locks met, failures; cancels by people, and their runs.

    `skips`: runs of theirs that leave a stage out. `restarts`: runs that failed and are started anew by people.
    """

    deaths: int = 0
    locks: int = 0
    failures: int = 0
    cancels: int = 0
    people: int = 0
    skips: int = 0
    restarts: int = 0


@dataclass(frozen=True)
class World:
    """A moment: the cloud, the deliveries, and the trouble still to come."""

    cloud: Cloud
    couriers: tuple[Courier, ...]
    budget: Budget = Budget()
    first: Budget = Budget()
    may_tag: bool = True
    may_cancel: bool = True

    def courier(self, place: int, courier: Courier) -> World:
        return replace(self, couriers=(*self.couriers[:place], courier, *self.couriers[place + 1 :]))


def start(deliveries: int, lock: Lock, budget: Budget = Budget(), **rights: bool) -> World:
    """Return the world before any of the deliveries has written."""
    return World(Cloud(lock), tuple(Courier(str(n)) for n in range(deliveries)), budget, budget)


def following(world: World) -> Iterator[tuple[str, World]]:
    """Yield what can happen next, with the name of the act."""
    for place, courier in enumerate(world.couriers):
        yield from _acts_of(world, place, courier)
    cloud = world.cloud
    for run_id in cloud.startable():
        yield f"run {run_id} starts", replace(world, cloud=cloud.start(run_id))
    for run_id in cloud.supersedable():
        yield f"runLatest cancels run {run_id}", replace(world, cloud=cloud.cancel(run_id, AZURE_DEVOPS_ITSELF))
    for run in cloud.runs:
        if run.state is RunState.RUNNING:
            for how, left in _ends(world.budget):
                yield f"run {run.id} ends: {how.value}", replace(world, cloud=cloud.end(run.id, how), budget=left)
    yield from _acts_of_people(world)


def _acts_of(world: World, place: int, courier: Courier) -> Iterator[tuple[str, World]]:
    if courier.done:
        return
    name = f"D{courier.version}"
    if not courier.wrote:
        wrote = world.courier(place, replace(courier, wrote=True))
        yield f"{name} writes", replace(wrote, cloud=world.cloud.write(courier.version))
        return
    if not courier.settled or _sees_something(world.cloud, courier.known):
        azure = MemoryAzureDevOps(world.cloud, may_tag=world.may_tag, may_cancel=world.may_cancel)
        after = courier.stepped(azure, lambda run_id: world.cloud.run(run_id).state.ended)
        yield f"{name} asks", replace(world.courier(place, after), cloud=azure.cloud)
    if world.budget.deaths:
        left = replace(world.budget, deaths=world.budget.deaths - 1)
        yield f"{name} dies", replace(world.courier(place, courier.died()), budget=left)


def _sees_something(cloud: Cloud, known: Carriage) -> bool:
    """Return whether looking at the followed run tells anything: its end, or which stages it has."""
    run = cloud.run(known.following) if known.following is not None else None
    return run is not None and (run.state.ended or (run.skips and run.id not in known.proven))


def _ends(budget: Budget) -> Iterator[tuple[End, Budget]]:
    yield End.SUCCESS, budget
    if budget.locks:
        yield End.LOCKED, replace(budget, locks=budget.locks - 1)
    if budget.failures:
        yield End.FAILURE, replace(budget, failures=budget.failures - 1)


def _acts_of_people(world: World) -> Iterator[tuple[str, World]]:
    if world.budget.cancels:
        left = replace(world.budget, cancels=world.budget.cancels - 1)
        for run in world.cloud.runs:
            if not run.state.ended:
                yield (
                    f"{PERSON} cancels run {run.id}",
                    replace(world, cloud=world.cloud.cancel(run.id, PERSON), budget=left),
                )
    if world.budget.people:
        left = replace(world.budget, people=world.budget.people - 1)
        yield f"{PERSON} queues a run", replace(world, cloud=world.cloud.queue(changed_by=PERSON), budget=left)
    if world.budget.skips:
        left = replace(world.budget, skips=world.budget.skips - 1)
        partial = world.cloud.queue(changed_by=PERSON, skips=True)
        yield f"{PERSON} queues a run without its first stage", replace(world, cloud=partial, budget=left)
    if world.budget.restarts and world.cloud.lock is Lock.NONE:
        left = replace(world.budget, restarts=world.budget.restarts - 1)
        for run in world.cloud.runs:
            if run.state is RunState.FAILED:
                again = world.cloud.restart(run.id)
                yield f"{PERSON} starts run {run.id} anew", replace(world, cloud=again, budget=left)


class BrokenError(AssertionError):
    """An invariant does not hold; `path` are the acts that lead there."""

    def __init__(self, what: str, path: Sequence[str]) -> None:
        super().__init__("\n  ".join([what, *path]))
        self.what = what
        self.path = tuple(path)


def check(world: World) -> str:
    """Return what is wrong at this moment; empty if nothing is."""
    for courier in world.couriers:
        if courier.carried_by is not None and courier.version not in (world.cloud.run(courier.carried_by).reads or ()):
            return f"D{courier.version} succeeded with run {courier.carried_by}, which does not carry its version"
        following = courier.known.following
        run = world.cloud.run(following) if following is not None else None
        if run and run.skips and run.id not in courier.known.proven:
            continue  # it is about to see that
        if run and run.reads is not None and run.state not in _BAD and courier.version not in run.reads:
            return f"D{courier.version} follows run {run.id}, which started without its version"
        if courier.said == "run-cancelled" and not world.first.cancels:
            return f"D{courier.version} blames a person for cancelling a run, and there was none"
    return _too_many_wait(world)


def _too_many_wait(world: World) -> str:
    """At rest at most one run waits: where all may cancel, nobody died and no person queued one.

    Under `runLatest` Azure DevOps sees to it.
    """
    waiting = [run for run in world.cloud.runs if run.waits]
    at_rest = all(courier.wrote and courier.settled for courier in world.couriers)
    calm = replace(world.budget, locks=0, failures=0, cancels=0) == replace(world.first, locks=0, failures=0, cancels=0)
    if len(waiting) < 2 or not at_rest or not calm or not (world.may_tag and world.may_cancel):
        return ""
    if world.cloud.lock is Lock.RUN_LATEST:
        return ""
    return f"runs {', '.join(str(run.id) for run in waiting)} wait, and nobody is about to cancel one"


@dataclass
class Explored:
    """What an exploration found: how many moments and acts there are, and the most runs there were at one end."""

    states: int = 0
    edges: int = 0
    ends: int = 0
    most_runs: int = 0
    fewest_runs: int = 10**9
    said: set[str] = field(default_factory=set)

    def ended(self, world: World) -> None:
        """Note a moment after which nothing can happen."""
        self.ends += 1
        self.said.update(courier.said for courier in world.couriers)
        runs = world.cloud.next_id - 1
        self.most_runs, self.fewest_runs = max(self.most_runs, runs), min(self.fewest_runs, runs)


class _Graph:
    """The moments met so far, by number; which follows which by what act, and how each was first come to."""

    def __init__(self, first: World) -> None:
        self._numbers = {canonical(first): 0}
        self._came: list[tuple[int, str]] = [(0, "")]
        self.nexts: list[list[int]] = [[]]
        self.changing: dict[tuple[int, int], str] = {}

    def __len__(self) -> int:
        return len(self.nexts)

    def add(self, number: int, act: str, then: World, *, changes: bool) -> int | None:
        """Note what can follow a moment; return the number of what follows if it was not met before."""
        key = canonical(then)
        other = self._numbers.setdefault(key, len(self))
        new = other == len(self)
        if new:
            self._came.append((number, act))
            self.nexts.append([])
        if other != number:
            self.nexts[number].append(other)
            if changes:
                self.changing[number, other] = act
        return other if new else None

    def path(self, number: int) -> list[str]:
        """Return the shortest sequence of acts that leads to a moment."""
        way = []
        while number:
            number, act = self._came[number]
            way.append(act)
        return way[::-1]


def explore(first: World, *, invariant: Callable[[World], str] = check) -> Explored:
    """Walk through everything that can become of `first`.

    Raises:
        BrokenError: an invariant does not hold somewhere; a delivery never ends; or it goes round in a circle.
    """
    graph, found = _Graph(first), Explored()
    worlds = deque([(0, first)])
    while worlds:
        number, world = worlds.popleft()
        broken = invariant(world)
        if broken:
            raise BrokenError(broken, graph.path(number))
        for act, then in following(world):
            found.edges += 1
            new = graph.add(number, act, then, changes=then.cloud is not world.cloud)
            if new is not None:
                worlds.append((new, then))
        if not graph.nexts[number]:
            found.ended(world)
            if not all(courier.done for courier in world.couriers):
                raise BrokenError("a delivery never ends", graph.path(number))
    found.states = len(graph)
    _no_circle(graph)
    return found


def _no_circle(graph: _Graph) -> None:
    """Refuse a graph in which deliveries can change things and come back to where they were.

    Coming back without having changed anything is waiting: looking again and again until others have acted.
    """
    together = components(graph.nexts)
    for (one, other), act in graph.changing.items():
        if together[one] == together[other]:
            lap = itertools.pairwise(_way(graph.nexts, other, one))
            told = [graph.changing.get(pair, "a delivery looks") for pair in lap]
            raise BrokenError("it can go on for ever", [*graph.path(one), "and round and round:", act, *told])


def _way(nexts: Sequence[Sequence[int]], begin: int, end: int) -> list[int]:
    """Return the shortest way through the graph."""
    came = {begin: begin}
    ahead = deque([begin])
    while end not in came:
        node = ahead.popleft()
        for target in nexts[node]:
            if target not in came:
                came[target] = node
                ahead.append(target)
    way = [end]
    while way[-1] != begin:
        way.append(came[way[-1]])
    return way[::-1]


def components(nexts: Sequence[Sequence[int]]) -> list[int]:
    """Return for each node its strongly connected component (Tarjan's algorithm, without recursion)."""
    index = [0] * len(nexts)
    low = [0] * len(nexts)
    component = [-1] * len(nexts)
    stack: list[int] = []
    count = itertools.count(1)

    def enter(node: int) -> tuple[int, Iterator[int]]:
        index[node] = low[node] = next(count)
        stack.append(node)
        return node, iter(nexts[node])

    def leave(node: int) -> None:
        while low[node] == index[node] and component[node] < 0:
            component[stack.pop()] = node

    for root in range(len(nexts)):
        trail = [enter(root)] if not index[root] else []
        while trail:
            node, ahead = trail[-1]
            target = next((t for t in ahead if component[t] < 0), None)
            if target is None:
                trail.pop()
                leave(node)
                if trail:
                    low[trail[-1][0]] = min(low[trail[-1][0]], low[node])
            elif index[target]:
                low[node] = min(low[node], index[target])
            else:
                trail.append(enter(target))
    return component


def canonical(world: World) -> int:
    """Return what tells moments apart, as a number: the hash of all that can make a difference from here on.

    Runs that are over and that nobody remembers make none, and the rest are numbered anew: so a delivery that queues
    and cancels for ever goes round in a circle, instead of on to ever higher numbers. Nor does it matter which delivery
    is which: they are put in the order of what each knows, and of which runs carry its version.
    """
    known = sorted(
        {run.id for run in world.cloud.runs if not run.state.ended or world.budget.restarts}.union(
            *(courier.mentioned for courier in world.couriers)
        )
    )
    new = {old: number for number, old in enumerate(known, 1)}
    runs = [run for run in world.cloud.runs if run.id in new]
    cloud = tuple(
        (r.state, r.reads is None, r.tags, r.changed_by, r.locked_out, r.asked, r.skips, r.attempt) for r in runs
    )
    each = (
        hash((courier.form(new), tuple(courier.version in (run.reads or ()) for run in runs)))
        for courier in world.couriers
    )
    return hash((cloud, tuple(sorted(each)), world.budget))


def _renumbered_answer(answer: object, new: Mapping[int, int]) -> Hashable:
    if isinstance(answer, Run):
        return new[answer.id], answer.state, answer.tags, answer.changed_by
    if isinstance(answer, tuple):
        return tuple(_renumbered_answer(one, new) for one in answer)
    return answer


TABLE = (
    (1, Lock.NONE, Budget()),
    *((2, lock, Budget()) for lock in Lock),
    *((2, lock, Budget(locks=1)) for lock in Lock),
    *((2, lock, Budget(failures=1, cancels=1)) for lock in Lock),
    *((2, lock, Budget(deaths=1)) for lock in Lock),
    *((2, lock, Budget(people=1)) for lock in Lock),
    *((2, lock, Budget(skips=1)) for lock in Lock),
    (2, Lock.NONE, Budget(failures=1, restarts=1)),
    (2, Lock.NONE, Budget(deaths=2)),
    (2, Lock.NONE, Budget(deaths=1, locks=2)),
    (3, Lock.SEQUENTIAL, Budget()),
    (3, Lock.NONE, Budget()),
)
"""What `docs/protocol.md` gives the numbers of."""


def main() -> None:
    """Explore, and say how much there was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=2)
    parser.add_argument("--lock", choices=[lock.value for lock in Lock], default="none")
    for name in vars(Budget()):
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--without", choices=["tag", "cancel"], action="append", default=[])
    parser.add_argument("--table", action="store_true", help="explore all that the page on the protocol tells of")
    given = parser.parse_args()
    budget = Budget(given.deaths, given.locks, given.failures, given.cancels, given.people, given.skips, given.restarts)
    chosen = TABLE if given.table else ((given.deliveries, Lock(given.lock), budget),)
    for deliveries, lock, trouble in chosen:
        world = start(deliveries, lock, trouble)
        found = explore(replace(world, may_tag="tag" not in given.without, may_cancel="cancel" not in given.without))
        told = ", ".join(f"{many} {what}" for what, many in vars(trouble).items() if many)
        print(f"| {deliveries} | {lock.value} | {told} | {found.states:,} | {found.edges:,} | {found.most_runs} |")  # noqa: T201 - a command's result


if __name__ == "__main__":
    main()
