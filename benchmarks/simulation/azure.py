"""Azure DevOps, its agents, Terraform and its state lock on a virtual clock: an environment is a pipeline and a state.

A run waits for Azure's exclusive lock (if there is one), then for an agent; initialises; takes the state's lock, or
fails or waits for it; reads the parameters; and applies. How long that takes and whether it fails is the luck of the
environment's n-th run, and so the same for whoever queues it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.simulation.clock import VirtualClock
from ecs_cd.errors import UnexpectedAnswer
from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, Approval, Pipeline, Run, RunRequest, RunState, TimelineRecord
from tests.support.azure_in_memory import BUILD_SERVICE, LOCK_ERROR

PICKUP = 5.0
"""Seconds until a free agent begins a job."""
INITIALISING = 25.0
"""Seconds from then until Terraform wants the state's lock: checkout, init, validate."""
APPLYING = 210.0
"""Seconds from then on, in the mean."""
RUN_TIME = PICKUP + INITIALISING + APPLYING
"""How long a run takes that need not wait: what times to live are counted in."""
SPREAD = 0.1
"""The standard deviation of the logarithm of what applying takes."""
LATENCY = 0.2
"""Seconds for one request."""


@dataclass
class SimulatedRun:
    """A run. `reads` is the number of the last write that it brings to ECS if it ends well.

    `patience`: seconds it waits for the state's lock. `early`: it reads when it starts and not when it has the lock.
    """

    id: int
    environment: int
    patience: float = 0.0
    early: bool = False
    ended: Callable[[SimulatedRun], None] = lambda _: None
    state: RunState = RunState.WAITING
    admitted: bool = False
    started: bool = False
    reads: int = -1
    locked_out: bool = False
    changed_by: str = BUILD_SERVICE
    tags: set[str] = field(default_factory=set)
    begun_at: float = 0.0
    queued_at: float = 0.0


@dataclass
class Place:
    """An environment: who has the state's lock, and the luck of its runs."""

    number: int
    chance: random.Random
    active: dict[int, SimulatedRun] = field(default_factory=dict)
    holder: object = None
    patient: deque[SimulatedRun] = field(default_factory=deque)
    applied: list[SimulatedRun] = field(default_factory=list)


class SimulatedAzure:
    """All environments. `written` is the number of the last write, `live` is told the last one a good run has read."""

    def __init__(
        self,
        clock: VirtualClock,
        *,
        environments: int,
        agents: int,
        lock: str = "none",
        failing: float = 0.01,
        seed: int = 1,
    ) -> None:
        self.clock = clock
        self.lock = lock
        self.places = [Place(n, random.Random(f"{seed}/{n}")) for n in range(environments)]
        self.runs: dict[int, SimulatedRun] = {}
        self.written = 0
        self.live: Callable[[int, int], None] = lambda _environment, _number: None
        self.agent_seconds = 0.0
        self._failing = failing
        self._free = agents
        self._ready: deque[SimulatedRun] = deque()

    @property
    def started(self) -> int:
        """Return how many runs an agent has begun."""
        return sum(run.started for run in self.runs.values())

    def queue(self, environment: int, **about: object) -> SimulatedRun:
        run = SimulatedRun(len(self.runs) + 1, environment, queued_at=self.clock.now(), **about)  # type: ignore[arg-type]  # fields by name
        self.runs[run.id] = run
        place = self.places[environment]
        place.active[run.id] = run
        if self.lock == "runLatest":
            for older in [one for one in place.active.values() if not one.admitted and one is not run]:
                self.cancel(older.id, AZURE_DEVOPS_ITSELF)
        self._admit(place)
        return run

    def cancel(self, run_id: int, who: str) -> None:
        """Cancel a run; one that has started is not ours to cancel here."""
        run = self.runs[run_id]
        if run.state.ended or run.started:
            raise UnexpectedAnswer(f"The build {run_id} cannot be cancelled.")
        run.changed_by = who
        if run in self._ready:
            self._ready.remove(run)
        self._end(run, RunState.CANCELLED)

    def hold(self, environment: int, seconds: float) -> None:
        """A person's laptop takes the state's lock if it is free."""
        place = self.places[environment]
        if place.holder is None:
            place.holder = "laptop"
            self.clock.later(seconds, lambda: self._release(place))

    def _admit(self, place: Place) -> None:
        """Let runs on that Azure's lock does not hold back."""
        for run in list(place.active.values()):
            if run.admitted or (self.lock != "none" and any(one.admitted for one in place.active.values())):
                continue
            run.admitted = True
            self._ready.append(run)
        self._assign()

    def _assign(self) -> None:
        while self._free and self._ready:
            self._free -= 1
            run = self._ready.popleft()
            self.clock.later(PICKUP, lambda run=run: self._begin(run))  # type: ignore[misc]  # bound at once

    def _begin(self, run: SimulatedRun) -> None:
        if run.state.ended:  # cancelled meanwhile
            self._free += 1
            self._assign()
            return
        run.started, run.state, run.begun_at = True, RunState.RUNNING, self.clock.now()
        if run.early:
            run.reads = self.written
        self.clock.later(INITIALISING, lambda: self._want_lock(run))

    def _want_lock(self, run: SimulatedRun) -> None:
        place = self.places[run.environment]
        if place.holder is None:
            self._apply(place, run)
        elif run.patience:
            place.patient.append(run)
            self.clock.later(run.patience, lambda: self._lose_patience(place, run))
        else:
            run.locked_out = True
            self._finish(run, RunState.FAILED)

    def _lose_patience(self, place: Place, run: SimulatedRun) -> None:
        if run in place.patient:
            place.patient.remove(run)
            run.locked_out = True
            self._finish(run, RunState.FAILED)

    def _apply(self, place: Place, run: SimulatedRun) -> None:
        place.holder = run
        place.applied.append(run)
        if not run.early:
            run.reads = self.written
        takes = APPLYING * place.chance.lognormvariate(-(SPREAD**2) / 2, SPREAD)
        state = RunState.FAILED if place.chance.random() < self._failing else RunState.SUCCEEDED
        self.clock.later(takes, lambda: self._applied(place, run, state))

    def _applied(self, place: Place, run: SimulatedRun, state: RunState) -> None:
        if state is RunState.SUCCEEDED:
            self.live(run.environment, run.reads)
        self._release(place)
        self._finish(run, state)

    def _release(self, place: Place) -> None:
        """Free the state's lock. Terraform asks for it again and again, so whoever asks next has it: no order."""
        place.holder = None
        if place.patient:
            place.patient.rotate(-place.chance.randrange(len(place.patient)))
            self._apply(place, place.patient.popleft())

    def _finish(self, run: SimulatedRun, state: RunState) -> None:
        self.agent_seconds += self.clock.now() - run.begun_at
        self._free += 1
        self._end(run, state)
        self._assign()

    def _end(self, run: SimulatedRun, state: RunState) -> None:
        run.state = state
        place = self.places[run.environment]
        del place.active[run.id]
        run.ended(run)
        self._admit(place)


class SimulatedPipelines:
    """What a delivery sees of it: `Pipelines`, in which every request takes its time. A pipeline's id is its place's.

    `patience`: the seconds that the pipeline gives to Terraform's `-lock-timeout`.
    """

    def __init__(self, azure: SimulatedAzure, patience: float = 0.0) -> None:
        self._azure = azure
        self._patience = patience

    def find(self, reference: str) -> tuple[Pipeline, ...]:
        return (Pipeline(int(reference)),)

    def queue(self, request: RunRequest) -> Run:
        run = self._azure.queue(request.pipeline.id, patience=self._patience)
        shown = self._shown(run)
        self._azure.clock.sleep(LATENCY)
        return shown

    def preview(self, request: RunRequest) -> str:
        raise NotImplementedError

    def newest(self, pipeline: Pipeline) -> Run | None:
        self._azure.clock.sleep(LATENCY)
        return next((self._shown(r) for r in reversed(self._azure.runs.values()) if r.environment == pipeline.id), None)

    def approvals(self, ids: Sequence[str]) -> tuple[Approval, ...]:  # noqa: ARG002 - there are none
        return ()

    def active(self, pipeline: Pipeline, branch: str) -> tuple[Run, ...]:  # noqa: ARG002 - each pipeline has one branch
        self._azure.clock.sleep(LATENCY)
        return tuple(self._shown(run) for run in self._azure.places[pipeline.id].active.values())

    def cancel(self, run_id: int) -> None:
        self._azure.clock.sleep(LATENCY)
        self._azure.cancel(run_id, BUILD_SERVICE)

    def tag(self, run_id: int, tag: str) -> None:
        self._azure.clock.sleep(LATENCY)
        self._azure.runs[run_id].tags.add(tag)

    def untag(self, run_id: int, tag: str) -> None:
        self._azure.clock.sleep(LATENCY)
        self._azure.runs[run_id].tags.discard(tag)

    def run(self, run_id: int) -> Run:
        self._azure.clock.sleep(LATENCY)
        return self._shown(self._azure.runs[run_id])

    def records(self, run_id: int) -> tuple[TimelineRecord, ...]:
        self._azure.clock.sleep(LATENCY)
        run = self._azure.runs[run_id]
        state, result = "pending", ""
        if run.state.ended:
            ends = {RunState.SUCCEEDED: "succeeded", RunState.FAILED: "failed", RunState.CANCELLED: "canceled"}
            state, result = "completed", ends[run.state]
        elif run.started:
            state = "inProgress"
        failed = (
            (TimelineRecord("t", "j", "Task", "Apply", "completed", "failed", 1, log_id=1),)
            if result == "failed"
            else ()
        )
        return (
            TimelineRecord("s", "", "Stage", "Terraform", state, result, order=1),
            TimelineRecord("j", "s", "Job", "terraform", state, result, order=1, worker="agent" if run.started else ""),
            *failed,
        )

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:  # noqa: ARG002 - there is one log
        self._azure.clock.sleep(LATENCY)
        return LOCK_ERROR[-lines:] if self._azure.runs[run_id].locked_out else ("Error: no such subnet",)

    def _shown(self, run: SimulatedRun) -> Run:
        waits_for_lock = self._azure.lock != "none" and run.state is RunState.WAITING
        return Run(
            run.id,
            "",
            "",
            RunState.RUNNING if waits_for_lock else run.state,
            run.environment,
            changed_by=run.changed_by,
            by_service=run.changed_by == AZURE_DEVOPS_ITSELF,
            tags=tuple(run.tags),
        )
