"""What a release can do about the runs of others; each strategy on the same arrivals, agents and luck.

ecs-cd         the library's own `record_tag` and `carry_change`: join a waiting run, or queue one
own run        each release queues a run; whoever meets the state's lock runs it again by hand after a while
lock-timeout   each release queues a run, and its Terraform waits for the lock on its agent
own, in turn   each release queues a run, and Azure's exclusive lock lets one at a time begin
skip           whoever finds a run waiting or in progress queues none
optimum        group commit, knowing all: runs back to back, each with all that was written before it began
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.simulation.azure import LATENCY, RUN_TIME, SimulatedAzure, SimulatedPipelines, SimulatedRun
from benchmarks.simulation.clock import VirtualClock
from ecs_cd.errors import DeadlineReached, RunFailed
from ecs_cd.image.check import unchecked_image
from ecs_cd.model.events import ignore_events
from ecs_cd.model.image import ImageTag
from ecs_cd.model.parameter import Parameter, ParameterVersion, Recorded
from ecs_cd.model.run import Pipeline, RunState
from ecs_cd.parameter.record import BACKOFF as WRITE_BACKOFF
from ecs_cd.parameter.record import record_tag
from ecs_cd.run.carry import HESITATION, LOCK_BACKOFF, carry_change
from ecs_cd.run.follow import BACKOFF
from ecs_cd.support.deadline import Deadline

AGAIN = 600.0
"""Seconds in the mean until a person has seen that a release failed, and starts it again."""
DEADLINE = 1800.0
"""The default deadline of a delivery."""
SHIPPED = 600.0
"""The `-lock-timeout` of the templates."""
PATIENCE = 1800.0
"""What is given to `-lock-timeout`."""
LAPTOP = 180.0
"""Seconds for which a person's own Terraform holds a state's lock, now and then."""


@dataclass
class Release:
    """One release. `number` is that of its write; times are seconds of the clock, None is never.

    `told_at`: when it ended well. `failures`: how often a person was told that it failed.
    """

    environment: int
    service: int
    tag: int
    at: float
    number: int = 0
    live_at: float | None = None
    told_at: float | None = None
    failures: int = 0
    superseded: bool = False


@dataclass(frozen=True)
class Scene:
    """What all strategies are given: the releases, oldest first, and when a laptop takes a lock (moment, place)."""

    releases: tuple[Release, ...]
    laptops: tuple[tuple[float, int], ...]
    environments: int
    agents: int
    seed: int
    failing: float = 0.01


@dataclass
class World:
    """One strategy at work."""

    clock: VirtualClock
    azure: SimulatedAzure
    chance: random.Random
    scene: Scene
    pending: list[list[Release]] = field(default_factory=list)

    @classmethod
    def of(cls, scene: Scene, lock: str) -> World:
        clock = VirtualClock()
        azure = SimulatedAzure(
            clock,
            environments=scene.environments,
            agents=scene.agents,
            lock=lock,
            failing=scene.failing,
            seed=scene.seed,
        )
        world = cls(clock, azure, random.Random(scene.seed), scene, [[] for _ in range(scene.environments)])
        azure.live = world.live
        for moment, place in scene.laptops:
            clock.at(moment, lambda place=place: azure.hold(place, LAPTOP))  # type: ignore[misc]  # bound at once
        return world

    def wrote(self, release: Release) -> None:
        self.azure.written += 1
        self.note(release, self.azure.written)

    def note(self, release: Release, number: int) -> None:
        release.number = number
        self.pending[release.environment].append(release)

    def live(self, environment: int, number: int) -> None:
        """A run ended well that has read the writes up to this one."""
        left = []
        for release in self.pending[environment]:
            if release.number <= number:
                release.live_at = self.clock.now()
            else:
                left.append(release)
        self.pending[environment] = left

    def again(self) -> float:
        return self.chance.expovariate(1 / AGAIN)


Strategy = Callable[[Scene], World]


def _ended(world: World, release: Release, run: SimulatedRun, queue: Callable[[Release], None]) -> None:
    """Tell the release's owner how its own run ended; after a failure a person queues another one after a while."""
    if run.state is RunState.SUCCEEDED:
        release.told_at = world.clock.now()
        return
    release.failures += 1
    world.clock.later(world.again(), lambda: queue(release))


def own_run(scene: Scene, *, lock: str = "none", patience: float = 0.0) -> World:
    """Each release queues its own run; a person repeats what failed, unless it has come to serve by then."""
    world = World.of(scene, lock)

    def queue(release: Release) -> None:
        if release.live_at is None:
            place = release.environment
            world.azure.queue(place, patience=patience, ended=lambda run: _ended(world, release, run, queue))

    def arrive(release: Release) -> None:
        world.wrote(release)
        queue(release)

    return _run(world, arrive)


def skip(scene: Scene) -> World:
    """Whoever finds a run waiting or in progress leaves it at that, and believes to be done."""
    world = World.of(scene, "none")

    def arrive(release: Release) -> None:
        world.wrote(release)
        queue(release)

    def queue(release: Release) -> None:
        if release.live_at is None and world.azure.places[release.environment].active:
            release.told_at = world.clock.now()
        elif release.live_at is None:
            world.azure.queue(release.environment, ended=lambda run: _ended(world, release, run, queue))

    return _run(world, arrive)


def optimum(scene: Scene) -> World:
    """Group commit: a run begins when none is active and something waits; it carries what was written before."""
    world = World.of(scene, "none")
    wanting: list[list[Release]] = [[] for _ in range(scene.environments)]

    def want(release: Release) -> None:
        if release.live_at is None:
            wanting[release.environment].append(release)
            go(release.environment)

    def go(place: int) -> None:
        if wanting[place] and not world.azure.places[place].active:
            carried, wanting[place] = wanting[place], []
            world.azure.queue(place, early=True, patience=10 * PATIENCE, ended=lambda run: ended(carried, run))

    def ended(carried: Sequence[Release], run: SimulatedRun) -> None:
        for release in carried:
            if run.state is RunState.SUCCEEDED:
                release.told_at = world.clock.now()
            else:
                release.failures += 1
                world.clock.later(world.again(), lambda release=release: want(release))  # type: ignore[misc]  # likewise
        world.clock.later(0, lambda: go(run.environment))

    def arrive(release: Release) -> None:
        world.wrote(release)
        want(release)

    return _run(world, arrive)


def ecs_cd(scene: Scene, *, lock: str = "sequential") -> World:
    """The library's own steps, each release a thread of its own."""
    world = World.of(scene, lock)
    for number, backoff in enumerate((WRITE_BACKOFF, BACKOFF, LOCK_BACKOFF, HESITATION)):
        backoff.chance.seed(scene.seed + number)
    store, pipelines = Store(world), SimulatedPipelines(world.azure, SHIPPED)
    for release in scene.releases:
        world.clock.spawn(release.at, _Delivery(world, store, pipelines, release).go)
    world.clock.run()
    return world


@dataclass
class _Delivery:
    """One release; when it fails, a person starts it again after a while."""

    world: World
    store: Store
    pipelines: SimulatedPipelines
    release: Release

    def go(self) -> None:
        while not self.release.superseded and self.release.told_at is None:
            if not self._ends_well():
                self.release.failures += 1
                self.world.clock.sleep(self.world.again())

    def _ends_well(self) -> bool:
        try:
            self._once()
        except (RunFailed, DeadlineReached):
            return False
        return True

    def _once(self) -> None:
        release, clock = self.release, self.world.clock
        deadline = Deadline.after(DEADLINE, clock)
        name = f"/{release.service}/{release.environment}"
        change = record_tag(self.store, name, unchecked_image(ImageTag(str(release.tag))), deadline=deadline)
        if change.recorded is Recorded.SUPERSEDED:
            release.superseded = True
            return
        if not release.number:
            self.world.note(release, self.store.numbers[name, change.version])
        elif release.live_at is not None:  # ECS serves it, which a delivery looks at before it queues anything
            release.told_at = clock.now()
            return
        carry_change(
            self.pipelines, Pipeline(release.environment), "main", change, deadline=deadline, watch=ignore_events
        )
        release.told_at = clock.now()


class Store:
    """Parameter Store: `Parameters`, in which every request takes its time. Each parameter begins with tag 1."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._values: dict[str, list[str]] = {}
        self.numbers: dict[tuple[str, int], int] = {}

    def read(self, name: str) -> Parameter | None:
        self._world.clock.sleep(LATENCY)
        values = self._values.setdefault(name, ["1"])
        return Parameter(name, values[-1], len(values))

    def read_many(self, names: Sequence[str]) -> dict[str, ParameterVersion]:
        raise NotImplementedError  # in the simulation, what was written can be read

    def write(self, parameter: Parameter, value: str) -> int:
        values = self._values[parameter.name]
        values.append(value)
        self._world.azure.written += 1
        self.numbers[parameter.name, len(values)] = self._world.azure.written
        version = len(values)
        self._world.clock.sleep(LATENCY)
        return version

    def create(self, name: str, value: str) -> int | None:
        raise NotImplementedError  # every parameter is there

    def versions(self, name: str, numbers: Sequence[int], labels: Sequence[str] = ()) -> tuple[ParameterVersion, ...]:  # noqa: ARG002 - there are no labels
        self._world.clock.sleep(LATENCY)
        values = self._values[name]
        return tuple(ParameterVersion(name, values[n - 1], n) for n in numbers if n <= len(values))

    def label(self, name: str, version: int, label: str) -> None:
        raise NotImplementedError  # nobody steps back

    def unlabel(self, name: str, version: int, label: str) -> None:
        raise NotImplementedError  # likewise

    def history(self, name: str) -> tuple[ParameterVersion, ...]:
        raise NotImplementedError  # nobody asks for it


def _run(world: World, arrive: Callable[[Release], None]) -> World:
    for release in world.scene.releases:
        world.clock.at(release.at, lambda release=release: arrive(release))  # type: ignore[misc]  # bound at once
    world.clock.run()
    return world


STRATEGIES: dict[str, Strategy] = {
    "optimum": optimum,
    "ecs-cd": ecs_cd,
    "ecs-cd, runLatest": lambda scene: ecs_cd(scene, lock="runLatest"),
    "ecs-cd, no Azure lock": lambda scene: ecs_cd(scene, lock="none"),
    "own run": own_run,
    "own run, in turn": lambda scene: own_run(scene, lock="sequential"),
    "-lock-timeout": lambda scene: own_run(scene, patience=PATIENCE),
    "skip": skip,
}


@dataclass(frozen=True)
class Figures:
    """What came of a strategy; all times are in run times.

    `runs`: those that an agent began. `half`, `most`: within what 50 and 95 of 100 releases were live, and told so.
    `failures`: how often a person was told that a release failed. `lost`: releases that were told that all is well and
    were not live then, `never` those that never were. `agents`: for how long agents were occupied.
    """

    releases: int
    runs: int
    half: float
    most: float
    failures: int
    lost: int
    never: int
    agents: float


def figures(world: World) -> Figures:
    releases = [release for release in world.scene.releases if not release.superseded]
    times = sorted((max(r.live_at, r.told_at or 0.0) - r.at) / RUN_TIME for r in releases if r.live_at is not None)
    lost = sum(r.told_at is not None and (r.live_at is None or r.live_at > r.told_at) for r in releases)
    return Figures(
        releases=len(releases),
        runs=world.azure.started,
        half=quantile(times, 0.5),
        most=quantile(times, 0.95),
        failures=sum(r.failures for r in releases),
        lost=lost,
        never=sum(r.live_at is None for r in releases),
        agents=world.azure.agent_seconds / RUN_TIME,
    )


def quantile(ordered: Sequence[float], part: float) -> float:
    """Return the value that so many (0 to 1) of these are not above."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")
