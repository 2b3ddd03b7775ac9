"""Azure DevOps in memory, as a value: what runs there are, and what may happen to them next.

`MemoryAzureDevOps` is a `Pipelines` over it: it holds an `AzureState` and replaces it by another at each call that
changes something, so that an exploration can go back to any of them. Time, agents and people are not in it: its user
starts and ends the runs, one event at a time, within what `startable`, `supersedable` and the rest allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache

from ecs_cd.errors import AccessDenied, UnexpectedAnswer
from ecs_cd.model.run import (
    AZURE_DEVOPS_ITSELF,
    Approval,
    Pipeline,
    Run,
    RunPreview,
    RunRequest,
    RunState,
    TimelineRecord,
)

LOCK_ERROR = (
    "Error: Error acquiring the state lock",
    "Error message: operation error S3: PutObject, https response error StatusCode: 412, PreconditionFailed",
    "Lock Info:",
    "  ID:        0a1b",
    "  Who:       somebody@else",
)
BUILD_SERVICE = "platform Build Service"
"""The identity of the deliveries."""


_ELSEWHERE = "- stage: Production\n  condition: eq(variables['Build.SourceBranch'], 'refs/heads/production')\n"
_STAGES = "- stage: Plan\n  dependsOn: []\n- stage: Apply\n"


class LockBehavior(Enum):
    """What Azure's exclusive lock does with runs that come while another has it."""

    NONE = "none"
    SEQUENTIAL = "sequential"
    RUN_LATEST = "runLatest"


class RunEnd(Enum):
    """How a run that started can end."""

    SUCCESS = "success"
    LOCKED = "locked"
    FAILURE = "failure"


@dataclass(frozen=True)
class MemoryRun:
    """A run. `reads`: the versions that had been written when its first job started; None while it waits.

    `inputs`: the template parameters it was given. `skips_stage`: whoever queued it deselected a stage. `attempt`: 2
    once a person has started it again: it applies what it had planned before. `per_branch`: of a pipeline with a stage
    for another branch, which every run skips.
    """

    id: int
    state: RunState = RunState.WAITING
    reads: frozenset[str] | None = None
    tags: tuple[str, ...] = ()
    changed_by: str = BUILD_SERVICE
    met_lock: bool = False
    inputs: tuple[tuple[str, str], ...] = ()
    pipeline: int = 7
    branch: str = "refs/heads/main"
    skips_stage: bool = False
    attempt: int = 1
    per_branch: bool = False

    @property
    def waits(self) -> bool:
        """Return whether no job of it has started and it has not ended."""
        return self.state is RunState.WAITING


@dataclass(frozen=True)
class AzureState:
    """All there is: the lock's behavior, the runs, oldest first, and the versions written so far.

    `per_branch`: the pipeline has a stage for another branch.
    """

    lock: LockBehavior = LockBehavior.NONE
    runs: tuple[MemoryRun, ...] = ()
    written: frozenset[str] = frozenset()
    next_id: int = 1
    per_branch: bool = False

    def run(self, run_id: int) -> MemoryRun:
        for run in self.runs:
            if run.id == run_id:
                return run
        raise UnexpectedAnswer(f"The requested build {run_id} could not be found.")

    def with_run(self, run: MemoryRun) -> AzureState:
        """Return the state with this run in the place of the one with its id."""
        return replace(self, runs=tuple(run if old.id == run.id else old for old in self.runs))

    def write(self, version: str) -> AzureState:
        """A delivery writes its version."""
        return replace(self, written=self.written | {version})

    def queue(self, **about: object) -> AzureState:
        """Somebody queues a run."""
        run = replace(MemoryRun(self.next_id, per_branch=self.per_branch), **about)  # type: ignore[arg-type]  # fields by name
        return replace(self, runs=(*self.runs, run), next_id=self.next_id + 1)

    def startable(self) -> tuple[int, ...]:
        """Return the runs whose first job may start: any, where there is no lock; else one, and one at a time.

        Under `sequential` that is the oldest. Under `runLatest` it may be any: whichever asks while the lock is free.
        """
        waiting = [run.id for run in self.runs if run.waits]
        if self.lock is LockBehavior.NONE:
            return tuple(waiting)
        if any(run.state is RunState.RUNNING for run in self.runs):
            return ()
        return tuple(waiting[:1] if self.lock is LockBehavior.SEQUENTIAL else waiting)

    def start(self, run_id: int) -> AzureState:
        """An agent starts a run's first job, which reads what was written; if its stage is skipped, nothing."""
        run = self.run(run_id)
        reads = frozenset[str]() if run.skips_stage else self.written
        return self.with_run(replace(run, state=RunState.RUNNING, reads=reads))

    def end(self, run_id: int, how: RunEnd) -> AzureState:
        """A run that started ends."""
        state = RunState.SUCCEEDED if how is RunEnd.SUCCESS else RunState.FAILED
        return self.with_run(replace(self.run(run_id), state=state, met_lock=how is RunEnd.LOCKED))

    def restart(self, run_id: int) -> AzureState:
        """A person starts a run that failed again: at once, and it reads nothing that it has not read before."""
        return self.with_run(replace(self.run(run_id), state=RunState.RUNNING, attempt=2, met_lock=False))

    def supersedable(self) -> tuple[int, ...]:
        """Return the runs that `runLatest` may cancel: all that wait but the newest."""
        waiting = [run.id for run in self.runs if run.waits]
        return tuple(waiting[:-1]) if self.lock is LockBehavior.RUN_LATEST else ()

    def cancel(self, run_id: int, who: str) -> AzureState:
        """Somebody, or Azure DevOps itself, cancels a run that has not ended."""
        return self.with_run(replace(self.run(run_id), state=RunState.CANCELLED, changed_by=who))


class MemoryAzureDevOps:
    """The pipelines of a project, over a `state`. Without a right it raises what the adapter would."""

    def __init__(self, state: AzureState, *, may_tag: bool = True, may_cancel: bool = True) -> None:
        self.state = state
        self._may_tag = may_tag
        self._may_cancel = may_cancel

    def find(self, reference: str) -> tuple[Pipeline, ...]:
        return (Pipeline(int(reference)),)

    def check_queue_right(self, pipeline: Pipeline) -> None:
        pass

    def queue(self, request: RunRequest) -> Run:
        inputs = tuple(sorted(request.template_parameters.items()))
        self.state = self.state.queue(inputs=inputs, pipeline=request.pipeline.id, branch=request.branch)
        return as_run(self.state.runs[-1], LockBehavior.NONE)

    def preview(self, request: RunRequest) -> RunPreview | None:
        return RunPreview(f"stages:\n{_ELSEWHERE if self.state.per_branch else ''}{_STAGES}")

    def newest(self, pipeline: Pipeline) -> Run | None:
        found = [run for run in self.state.runs if run.pipeline == pipeline.id]
        return as_run(found[-1], self.state.lock) if found else None

    def approvals(self, ids: Sequence[str]) -> tuple[Approval, ...]:
        return ()

    def active(self, pipeline: Pipeline, branch: str) -> tuple[Run, ...]:
        return tuple(
            as_run(run, self.state.lock)
            for run in self.state.runs
            if not run.state.ended and run.pipeline == pipeline.id and run.branch == branch
        )

    def cancel(self, run_id: int) -> None:
        if not self._may_cancel:
            raise AccessDenied(f"{BUILD_SERVICE} may not do this: Stop builds is missing.")
        if self.state.run(run_id).state.ended:
            raise UnexpectedAnswer(f"The build {run_id} is completed.")
        self.state = self.state.cancel(run_id, BUILD_SERVICE)

    def tag(self, run_id: int, tag: str) -> None:
        run = self._taggable(run_id)
        tags = (*(t for t in run.tags if t != tag), tag)
        self.state = self.state.with_run(replace(run, tags=tags, changed_by=BUILD_SERVICE))

    def untag(self, run_id: int, tag: str) -> None:
        run = self._taggable(run_id)
        tags = tuple(t for t in run.tags if t != tag)
        self.state = self.state.with_run(replace(run, tags=tags, changed_by=BUILD_SERVICE))

    def _taggable(self, run_id: int) -> MemoryRun:
        if not self._may_tag:
            raise AccessDenied(f"{BUILD_SERVICE} may not do this: Edit build quality is missing.")
        return self.state.run(run_id)

    def run(self, run_id: int) -> Run:
        return as_run(self.state.run(run_id), self.state.lock)

    def records(self, run_id: int) -> tuple[TimelineRecord, ...]:
        return timeline(self.state.run(run_id))

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:
        return LOCK_ERROR[-lines:] if self.state.run(run_id).met_lock else ("Error: no such subnet",)


@cache
def as_run(run: MemoryRun, lock: LockBehavior) -> Run:
    """Return a run as the service shows it: with a lock, one that waits for it is in progress already."""
    admitted = run.waits and lock is not LockBehavior.NONE
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
        template_parameters=dict(run.inputs),
    )


@cache
def timeline(run: MemoryRun) -> tuple[TimelineRecord, ...]:
    """Return the timeline: a stage that may be skipped, and one whose job is pending, in progress or completed."""
    states = {RunState.WAITING: ("pending", ""), RunState.RUNNING: ("inProgress", "")}
    ends = {RunState.SUCCEEDED: "succeeded", RunState.FAILED: "failed", RunState.CANCELLED: "canceled"}
    state, result = states.get(run.state) or ("completed", ends[run.state])
    worker = "" if state == "pending" else "agent"
    plan = ("completed", "skipped") if run.skips_stage else (state, result)
    failed = run.state is RunState.FAILED
    task = (TimelineRecord("t", "j", "Task", "terraform apply", "completed", "failed", 1, log_id=1),) if failed else ()
    return (
        *((TimelineRecord("e", "", "Stage", "Production", "completed", "skipped"),) if run.per_branch else ()),
        TimelineRecord("p", "", "Stage", "Plan", *plan, order=1),
        TimelineRecord("s", "", "Stage", "Apply", state, result, order=2, attempt=run.attempt),
        TimelineRecord("j", "s", "Job", "terraform", state, result, order=1, attempt=run.attempt, worker=worker),
        *task,
    )
