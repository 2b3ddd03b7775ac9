"""Runs, stages, jobs and tasks described in words; and which of them a person wants to see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ecs_cd.model.events import LockMet, RunChosen, RunGivenUp, RunLeft
from ecs_cd.model.run import RunOrigin, RunProgress, RunState, TimelineRecord
from ecs_cd.support.deadline import format_duration

RUN_STATES = {
    RunState.WAITING: "waits for an agent",
    RunState.RUNNING: "is running",
    RunState.CANCELLING: "is being cancelled",
    RunState.SUCCEEDED: "succeeded",
    RunState.PARTIALLY_SUCCEEDED: "succeeded with issues",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "was cancelled",
}
_RESULTS = {
    "succeeded": "succeeded",
    "succeededWithIssues": "succeeded with issues",
    "failed": "failed",
    "canceled": "was cancelled",
    "skipped": "was skipped",
    "abandoned": "was abandoned",
}
_CHECKPOINTS = {
    "Checkpoint.Approval": "waits for an approval",
    "Checkpoint.Authorization": "waits for a permission to use a resource",
}
_SHOWN = ("Stage", "Job", "Task")
_UNNAMED = "__default"
"""What Azure calls the stage and the job of a pipeline whose YAML names none."""


@dataclass(frozen=True)
class Step:
    """A stage, job or task with its depth in the tree of those shown, 0 for the outermost."""

    record: TimelineRecord
    depth: int


RunChange = RunChosen | RunGivenUp | RunLeft | LockMet
"""The events that tell which run is followed, and why it is another than before."""


def run_change(event: RunChange) -> str:
    """Return what a delivery did to have a run carry its change."""
    name = event.run.name
    if isinstance(event, RunChosen):
        return f"queued {name}" if event.origin is RunOrigin.QUEUED else f"joined {name}, which carries the tag as well"
    if isinstance(event, RunGivenUp):
        return f"cancelled {name}: {event.instead.name}, queued at the same moment, carries the tag as well"
    if isinstance(event, LockMet):
        met = "could not apply its plan" if event.lock.stale else "met Terraform's state lock"
        again = f"trying again in {format_duration(event.pause)}" if event.pause else "trying again"
        return f"{name} {met}: {event.description}; {again}"
    instead = f"going on with {event.instead.name}" if event.instead else "looking for another run"
    return f"left {name}, because {event.why}; {instead}"


def record_result(record: TimelineRecord) -> str:
    """Return what became of a stage, job or task; empty while it is pending."""
    if record.state == "inProgress":
        return "started"
    if record.state != "completed":
        return ""
    return _RESULTS.get(record.result, record.result or "ended")


def shown_steps(progress: RunProgress) -> tuple[Step, ...]:
    """Return the stages with their jobs with their tasks, each in the order in which they run."""
    by_id = {r.id: r for r in progress.records}
    shown = [r for r in progress.records if r.kind in _SHOWN and r.name != _UNNAMED]
    paths = {r.id: list(_path(r, by_id)) for r in shown}
    shown.sort(key=lambda r: [(p.order, p.id) for p in paths[r.id]])
    return tuple(Step(r, sum(p.kind in _SHOWN and p.name != _UNNAMED for p in paths[r.id]) - 1) for r in shown)


def waits(progress: RunProgress) -> tuple[tuple[str, str], ...]:
    """Return what holds stages back, each as a key and a clause: `stage 'Production' waits for an approval`."""
    by_id = {r.id: r for r in progress.records}
    active = [r for r in progress.records if r.kind.startswith("Checkpoint") and r.state == "inProgress"]
    parents = {r.parent_id for r in active}
    found = []
    for checkpoint in active:
        if checkpoint.id not in parents:
            stage = next((p.name for p in _path(checkpoint, by_id) if p.kind == "Stage"), "")
            what = _CHECKPOINTS.get(checkpoint.kind, "waits for a check")
            found.append((checkpoint.id, f"stage '{stage}' {what}" if stage else f"the run {what}"))
    return tuple(found)


def _path(record: TimelineRecord, by_id: dict[str, TimelineRecord]) -> Iterator[TimelineRecord]:
    """Yield the record's ancestors from the outermost, then itself. A circle of parents ends it."""
    path = [record]
    seen = {record.id}
    while (parent := by_id.get(path[-1].parent_id)) and parent.id not in seen:
        path.append(parent)
        seen.add(parent.id)
    return reversed(path)
