"""The walk through everything that can become of a system, and what it finds."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.explore.system import SystemState
from tests.explore.transitions import Node, Transitions


class BrokenError(AssertionError):
    """A rule does not hold; `path` are the events that lead there."""

    def __init__(self, what: str, path: Sequence[str]) -> None:
        super().__init__("\n  ".join([what, *path]))
        self.what = what
        self.path = tuple(path)


@dataclass
class Explored:
    """What an exploration found: states, transitions, ends, the outcomes and the numbers of runs at the ends."""

    states: int = 0
    transitions: int = 0
    ends: int = 0
    most_runs: int = 0
    fewest_runs: int = 10**9
    outcomes: set[str] = field(default_factory=set)

    def add_end(self, node: Node) -> None:
        """Note a state after which nothing can happen."""
        self.ends += 1
        self.outcomes.update(delivery.value.outcome for delivery in node.deliveries)
        runs = len(node.azure.value.runs)
        self.most_runs, self.fewest_runs = max(self.most_runs, runs), min(self.fewest_runs, runs)


class _Graph(Sequence[Sequence[int]]):
    """The states met so far, by number: which follow which, and from which each was first come to.

    States are left in the order of their numbers, so that all that follow lie one after another in one array.
    """

    def __init__(self, first: Node, transitions: Transitions) -> None:
        self._first = first
        self._transitions = transitions
        self._numbers = {transitions.fingerprint(first): 0}
        self._parents = array("l", [0])
        self._begin = array("l", [0])
        self.targets = array("l")
        self.changing = bytearray()

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, number: int) -> array[int]:  # type: ignore[override]  # no slices
        return self.targets[self._begin[number] : self._begin[number + 1]]

    def edges(self) -> Iterator[tuple[int, int, bool]]:
        """Yield from where to where, and whether Azure DevOps is changed."""
        for number in range(len(self)):
            for place in range(self._begin[number], self._begin[number + 1]):
                yield number, self.targets[place], bool(self.changing[place])

    def add(self, number: int, then: Node, *, changing: bool) -> int | None:
        """Note what can follow a state; return the number of what follows if it was not met before."""
        found = len(self._numbers)
        other = self._numbers.setdefault(self._transitions.fingerprint(then), found)
        if other != number:
            self.targets.append(other)
            self.changing.append(changing)
        if other != found:
            return None
        self._parents.append(number)
        return other

    def leave(self) -> bool:
        """Note that all that can follow the next state is known; return whether that is nothing."""
        self._begin.append(len(self.targets))
        return self._begin[-1] == self._begin[-2]

    def path(self, number: int) -> list[str]:
        """Return the shortest sequence of events that leads to a state."""
        way = [number]
        while way[-1]:
            way.append(self._parents[way[-1]])
        return self.events_along(way[::-1])

    def events_along(self, way: Sequence[int]) -> list[str]:
        """Return the events on a way that begins at the first state."""
        node, names = self._first, []
        for number in way[1:]:
            for name, then in self._transitions.following(node):
                if self._numbers.get(self._transitions.fingerprint(then)) == number:
                    names.append(name)
                    node = then
                    break
        return names

    def way_to(self, number: int, *, start: int = 0) -> list[int]:
        """Return the shortest way through the states."""
        came = {start: start}
        ahead = deque([start])
        while number not in came:
            at = ahead.popleft()
            for target in self[at]:
                if target not in came:
                    came[target] = at
                    ahead.append(target)
        way = [number]
        while way[-1] != start:
            way.append(came[way[-1]])
        return way[::-1]


def explore(first: SystemState) -> Explored:
    """Walk through everything that can become of `first`.

    Raises:
        BrokenError: a rule is broken somewhere; a delivery never ends; or the system goes round in a circle.
    """
    transitions = Transitions(first.setup)
    node = transitions.node(first)
    graph, found = _Graph(node, transitions), Explored()
    ahead = deque([(0, node)])
    while ahead:
        number, node = ahead.popleft()
        broken = transitions.check(node)
        if broken:
            raise BrokenError(broken, graph.path(number))
        for _, then in transitions.following(node):
            found.transitions += 1
            new = graph.add(number, then, changing=then.azure is not node.azure)
            if new is not None:
                ahead.append((new, then))
        if graph.leave():
            found.add_end(node)
            if not all(delivery.value.ended for delivery in node.deliveries):
                raise BrokenError("a delivery never ends", graph.path(number))
    found.states = len(graph)
    _refuse_circles(graph)
    return found


def _refuse_circles(graph: _Graph) -> None:
    """Refuse a graph in which deliveries can change things and come back to where they were.

    Coming back without having changed anything is waiting: looking again and again until others have acted.
    """
    if not has_circle(graph):
        return
    together = components(graph)
    for one, other, changing in graph.edges():
        if changing and together[one] == together[other]:
            there = graph.way_to(one)
            names = graph.events_along([*there, *graph.way_to(one, start=other)])
            begin = len(there) - 1
            raise BrokenError("it can go on for ever", [*names[:begin], "again and again:", *names[begin:]])


def has_circle(nexts: Sequence[Sequence[int]]) -> bool:
    """Return whether a node can be come back to: not all nodes can be taken away, each when none leads to it."""
    leading = array("l", bytes(len(nexts) * array("l").itemsize))
    for number in range(len(nexts)):
        for target in nexts[number]:
            leading[target] += 1
    ahead = [number for number in range(len(nexts)) if not leading[number]]
    taken_away = 0
    while ahead:
        taken_away += 1
        for target in nexts[ahead.pop()]:
            leading[target] -= 1
            if not leading[target]:
                ahead.append(target)
    return taken_away < len(nexts)


def components(nexts: Sequence[Sequence[int]]) -> list[int]:
    """Return for each node its strongly connected component (Tarjan's algorithm, without recursion)."""
    index = [0] * len(nexts)
    low = [0] * len(nexts)
    component = [-1] * len(nexts)
    stack: list[int] = []
    count = 0

    def enter(node: int) -> tuple[int, Iterator[int]]:
        nonlocal count
        count += 1
        index[node] = low[node] = count
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
