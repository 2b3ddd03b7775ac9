"""Azure DevOps in memory, as a value: what runs there are, and what may happen to them next.

`MemoryAzureDevOps` is a `Pipelines` over it: it holds a `Cloud` and replaces it by another at each call that changes
something, so that whoever explores can go back to any moment. Time, agents and people are not in it: whoever drives it
starts and ends the runs, one act at a time, within what `startable`, `supersedable` and the rest allow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache

from ecs_cd.errors import AccessDenied, UnexpectedAnswer
from ecs_cd.model.run import AZURE_DEVOPS_ITSELF, Pipeline, Run, RunRequest, RunState, TimelineRecord

LOCK_ERROR = (
    "Error: Error acquiring the state lock",
    "Error message: operation error S3: PutObject, https response error StatusCode: 412, PreconditionFailed",
    "Lock Info:",
    "  ID:        0a1b",
    "  Who:       somebody@else",
)
US = "platform Build Service"


class Lock(Enum):
    """What Azure's exclusive lock does with runs that come while another has it."""

    NONE = "none"
    SEQUENTIAL = "sequential"
    RUN_LATEST = "runLatest"


class End(Enum):
    """How a run that started can end."""

    SUCCESS = "success"
    LOCKED = "locked"
    FAILURE = "failure"


@dataclass(frozen=True)
class MemoryRun:
    """A run. `reads`: the versions that had been written when its first job started; None while it waits.

    `asked`: the template parameters it was given. `skips`: whoever queued it left a stage out. `attempt`: 2 once a
    person has started it anew: it applies what it had planned before.
    """

    id: int
    state: RunState = RunState.WAITING
    reads: frozenset[str] | None = None
    tags: tuple[str, ...] = ()
    changed_by: str = US
    locked_out: bool = False
    asked: tuple[tuple[str, str], ...] = ()
    pipeline: int = 7
    branch: str = "refs/heads/main"
    skips: bool = False
    attempt: int = 1

    @property
    def waits(self) -> bool:
        """Return whether no job of it has started and it is not over."""
        return self.state is RunState.WAITING


@dataclass(frozen=True)
class Cloud:
    """All there is: the lock's behaviour, the runs, oldest first, and the versions written so far."""

    lock: Lock = Lock.NONE
    runs: tuple[MemoryRun, ...] = ()
    written: frozenset[str] = frozenset()
    next_id: int = 1

    def run(self, run_id: int) -> MemoryRun:
        for run in self.runs:
            if run.id == run_id:
                return run
        raise UnexpectedAnswer(f"The requested build {run_id} could not be found.")

    def having(self, run: MemoryRun) -> Cloud:
        """Return the cloud with this run in the place of the one with its id."""
        return replace(self, runs=tuple(run if old.id == run.id else old for old in self.runs))

    def write(self, version: str) -> Cloud:
        """A delivery writes its version."""
        return replace(self, written=self.written | {version})

    def queue(self, **about: object) -> Cloud:
        """Somebody queues a run."""
        run = replace(MemoryRun(self.next_id), **about)  # type: ignore[arg-type]  # fields by name
        return replace(self, runs=(*self.runs, run), next_id=self.next_id + 1)

    def startable(self) -> tuple[int, ...]:
        """Return the runs whose first job may start: any, where there is no lock; else one, and one at a time.

        Under `sequential` that is the oldest. Under `runLatest` it may be any: who asks while the lock is free has it.
        """
        waiting = [run.id for run in self.runs if run.waits]
        if self.lock is Lock.NONE:
            return tuple(waiting)
        if any(run.state is RunState.RUNNING for run in self.runs):
            return ()
        return tuple(waiting[:1] if self.lock is Lock.SEQUENTIAL else waiting)

    def start(self, run_id: int) -> Cloud:
        """An agent starts a run's first job, which reads what has been written; if its stage is left out, nothing."""
        run = self.run(run_id)
        return self.having(replace(run, state=RunState.RUNNING, reads=frozenset() if run.skips else self.written))

    def end(self, run_id: int, how: End) -> Cloud:
        """A run that started ends."""
        state = RunState.SUCCEEDED if how is End.SUCCESS else RunState.FAILED
        return self.having(replace(self.run(run_id), state=state, locked_out=how is End.LOCKED))

    def restart(self, run_id: int) -> Cloud:
        """A person starts a run that failed anew: at once, and it reads nothing that it has not read before."""
        return self.having(replace(self.run(run_id), state=RunState.RUNNING, attempt=2, locked_out=False))

    def supersedable(self) -> tuple[int, ...]:
        """Return the runs that `runLatest` may cancel: all that wait but the newest."""
        waiting = [run.id for run in self.runs if run.waits]
        return tuple(waiting[:-1]) if self.lock is Lock.RUN_LATEST else ()

    def cancel(self, run_id: int, who: str) -> Cloud:
        """Somebody, or Azure DevOps itself, cancels a run that is not over."""
        return self.having(replace(self.run(run_id), state=RunState.CANCELLED, changed_by=who))


class MemoryAzureDevOps:
    """The pipelines of a project, over a `cloud`. Without a right it raises what the adapter would."""

    def __init__(self, cloud: Cloud, *, may_tag: bool = True, may_cancel: bool = True) -> None:
        self.cloud = cloud
        self._may_tag = may_tag
        self._may_cancel = may_cancel

    def find(self, reference: str) -> tuple[Pipeline, ...]:
        return (Pipeline(int(reference)),)

    def queue(self, request: RunRequest) -> Run:
        asked = tuple(sorted(request.template_parameters.items()))
        self.cloud = self.cloud.queue(asked=asked, pipeline=request.pipeline.id, branch=request.branch)
        return shown(self.cloud.runs[-1], Lock.NONE)

    def active(self, pipeline: Pipeline, branch: str) -> tuple[Run, ...]:
        return tuple(
            shown(run, self.cloud.lock)
            for run in self.cloud.runs
            if not run.state.ended and run.pipeline == pipeline.id and run.branch == branch
        )

    def cancel(self, run_id: int) -> None:
        if not self._may_cancel:
            raise AccessDenied(f"{US} may not do this: Stop builds is missing.")
        if self.cloud.run(run_id).state.ended:
            raise UnexpectedAnswer(f"The build {run_id} is completed.")
        self.cloud = self.cloud.cancel(run_id, US)

    def tag(self, run_id: int, tag: str) -> None:
        run = self._taggable(run_id)
        self.cloud = self.cloud.having(replace(run, tags=(*(t for t in run.tags if t != tag), tag), changed_by=US))

    def untag(self, run_id: int, tag: str) -> None:
        run = self._taggable(run_id)
        self.cloud = self.cloud.having(replace(run, tags=tuple(t for t in run.tags if t != tag), changed_by=US))

    def _taggable(self, run_id: int) -> MemoryRun:
        if not self._may_tag:
            raise AccessDenied(f"{US} may not do this: Update build information is missing.")
        return self.cloud.run(run_id)

    def run(self, run_id: int) -> Run:
        return shown(self.cloud.run(run_id), self.cloud.lock)

    def records(self, run_id: int) -> tuple[TimelineRecord, ...]:
        return timeline(self.cloud.run(run_id))

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:
        return LOCK_ERROR[-lines:] if self.cloud.run(run_id).locked_out else ("Error: no such subnet",)


@cache
def shown(run: MemoryRun, lock: Lock) -> Run:
    """Return a run as the service shows it: with a lock, one that waits for it is in progress already."""
    admitted = run.waits and lock is not Lock.NONE
    return Run(
        run.id,
        f"20260101.{run.id}",
        "",
        RunState.RUNNING if admitted else run.state,
        run.pipeline,
        run.branch,
        changed_by=run.changed_by,
        by_service=run.changed_by == AZURE_DEVOPS_ITSELF,
        tags=run.tags,
        template_parameters=dict(run.asked),
    )


@cache
def timeline(run: MemoryRun) -> tuple[TimelineRecord, ...]:
    """Return the timeline: a stage that may have been left out, and one whose job is pending, at work or over."""
    states = {RunState.WAITING: ("pending", ""), RunState.RUNNING: ("inProgress", "")}
    ends = {RunState.SUCCEEDED: "succeeded", RunState.FAILED: "failed", RunState.CANCELLED: "canceled"}
    state, result = states.get(run.state) or ("completed", ends[run.state])
    worker = "" if state == "pending" else "agent"
    plan = ("completed", "skipped") if run.skips else (state, result)
    failed = run.state is RunState.FAILED
    task = (TimelineRecord("t", "j", "Task", "terraform apply", "completed", "failed", 1, log_id=1),) if failed else ()
    return (
        TimelineRecord("p", "", "Stage", "Plan", *plan, order=1),
        TimelineRecord("s", "", "Stage", "Apply", state, result, order=2, attempt=run.attempt),
        TimelineRecord("j", "s", "Job", "terraform", state, result, order=1, attempt=run.attempt, worker=worker),
        *task,
    )
