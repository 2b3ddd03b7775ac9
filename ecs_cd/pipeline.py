"""Step 4: the infrastructure pipeline: which one, a run of it followed to its end, and why one failed.

Which run a delivery follows, and which one next, is `carriage`'s to say and `carrying`'s to do (rules 6 to 9).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ecs_cd.errors import DeadlineReached, EcsCdError, PipelineNotFound, RunCancelled, RunFailed
from ecs_cd.model import (
    FinishedRun,
    Pipeline,
    Record,
    Run,
    RunProgress,
    RunRequest,
    RunState,
)
from ecs_cd.text import quoted
from ecs_cd.waiting import Deadline, Pace, wait_for

PACE = Pace(first=1.0, factor=1.3, most=10.0)
_ID = re.compile(r"[0-9]{1,9}")
_MOST_LINES = 12
_MOST_CANDIDATES = 10
_ERROR = "##[error]"
"""What the agent puts before an error in a log."""

_TOLD_KINDS = ("Stage", "Job", "Task", "Checkpoint")
_TAIL = 200
"""Lines of a failing task's log that are read."""


class Pipelines(Protocol):
    """The pipelines of one Azure DevOps project."""

    def find(self, reference: str) -> tuple[Pipeline, ...]:
        r"""Return the pipelines that a reference can mean: an id, a name, or a path such as `\\folder\\name`.

        An empty tuple where there is none.
        """

    def queue(self, request: RunRequest) -> Run:
        """Queue a run.

        Raises:
            QueueRefused: no such branch, wrong parameters, a disabled pipeline.
            AccessDenied: the right to queue is missing; the message says which and for whom.
        """

    def active(self, pipeline: Pipeline, branch: str) -> tuple[Run, ...]:
        """Return the runs of a pipeline on a branch (a full ref) that are queued or in progress, oldest first."""

    def cancel(self, run_id: int) -> None:
        """Cancel a run.

        Raises:
            AccessDenied: the right to stop runs is missing; the message says which and for whom.
        """

    def tag(self, run_id: int, tag: str) -> None:
        """Put a tag on a run. Raises `AccessDenied` as `cancel` does."""

    def untag(self, run_id: int, tag: str) -> None:
        """Take a tag off a run; without it, nothing happens. Raises `AccessDenied` as `cancel` does."""

    def run(self, run_id: int) -> Run:
        """Return the run as it is now."""

    def records(self, run_id: int) -> tuple[Record, ...]:
        """Return the run's timeline; empty before there is one."""

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:
        """Return the last lines of a task's log, without the agent's timestamps."""


def locate(pipelines: Pipelines, reference: str) -> Pipeline:
    """Return the pipeline that `reference` means, without a look-up if it is an id: queueing tells whether it exists.

    Raises:
        PipelineNotFound: as `resolve` says.
    """
    return Pipeline(int(reference)) if _ID.fullmatch(reference) else resolve(pipelines, reference)


def resolve(pipelines: Pipelines, reference: str) -> Pipeline:
    """Return the one pipeline that `reference` (id, name or folder path) means.

    Raises:
        PipelineNotFound: none, or several; then the message lists them.
    """
    found = pipelines.find(reference)
    if len(found) == 1:
        return found[0]
    if not found:
        raise PipelineNotFound(
            f"There is no pipeline {quoted(reference)} in this project that these credentials can see.",
            hint="Give its id, its name, or its folder and name (`\\team\\my-infrastructure`), and check that the "
            "identity may view it.",
        )
    raise PipelineNotFound(
        f"{len(found)} pipelines are called {quoted(reference)}.",
        hint="Say which one is meant by its folder path or its id.",
        details=tuple(f"{p.path} (id {p.id})" for p in found[:_MOST_CANDIDATES]),
    )


def full_ref(branch: str) -> str:
    """Return a branch as a full ref: `develop` becomes `refs/heads/develop`, a ref stays."""
    return branch if branch.startswith("refs/") else f"refs/heads/{branch}"


def follow(pipelines: Pipelines, run: Run, *, deadline: Deadline, watch: Callable[[RunProgress], None]) -> FinishedRun:
    """Follow the run to its end, telling `watch` every time it or its timeline has changed.

    Raises:
        RunFailed: with the failing task's name, its first error lines and the link (rule 11).
        RunCancelled: with the name of who did it.
        DeadlineReached: it has not ended in time; it goes on by itself.
    """
    last = RunProgress(run)

    def look() -> RunProgress | None:
        nonlocal last
        seen = RunProgress(pipelines.run(run.id), pipelines.records(run.id))
        if seen != last:
            last = seen
            watch(seen)
        return seen if seen.run.state.ended else None

    try:
        ended = wait_for(look, deadline=deadline, pace=PACE, doing=f"following run {run.name} ({run.url})")
    except DeadlineReached as error:
        error.add(where(last), link=run.url)
        raise
    if ended.run.state is RunState.CANCELLED:
        raise cancelled(ended.run, ended.run.changed_by)
    well = finished(ended.run)
    if well is None:
        raise explain(pipelines, ended)
    return well


def finished(run: Run) -> FinishedRun | None:
    """Return a run that ended well as such; None for any other."""
    if run.state is RunState.SUCCEEDED:
        return FinishedRun(run)
    if run.state is RunState.PARTIALLY_SUCCEEDED:
        return FinishedRun(run, warning=f"Run {run.name} succeeded with issues ({run.url}).")
    return None


def cancelled(run: Run, who: str) -> RunCancelled:
    """Return the error that names who cancelled a run; `who` may be empty."""
    return RunCancelled(
        f"Run {run.name} was cancelled{f' by {who}' if who else ''}.",
        hint="The parameter holds the new tag, so the next run of this pipeline will apply it. "
        "Run the same command again to queue one.",
        link=run.url,
    )


@dataclass(frozen=True)
class Evidence:
    """What is known of why a run did not end well: its first failing task, if one failed, and the end of its log."""

    ended: RunProgress
    task: Record | None
    tail: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Return everything said: the errors of all records, then the log."""
        return (*(error for record in self.ended.records for error in record.errors), *self.tail)


def examine(pipelines: Pipelines, ended: RunProgress) -> Evidence:
    """Gather the evidence; the log is a courtesy, without which the failure must be told as well."""
    failed = next((r for r in ended.of_kind("Task") if r.result == "failed"), None)
    if failed is None or failed.log_id is None:
        return Evidence(ended, failed)
    try:
        return Evidence(ended, failed, pipelines.log_tail(ended.run.id, failed.log_id, _TAIL))
    except EcsCdError:
        return Evidence(ended, failed)


def explain(pipelines: Pipelines, ended: RunProgress) -> RunFailed:
    """Return the error that says why a run failed: the first failing task, its first error lines, the link."""
    return failure(examine(pipelines, ended))


def failure(evidence: Evidence) -> RunFailed:
    """Return the error that the evidence makes."""
    ended, run, failed = evidence.ended, evidence.ended.run, evidence.task
    if failed is None:
        stopped = next((r for kind in ("Job", "Phase", "Stage") for r in ended.of_kind(kind) if r.errors), None)
        return RunFailed(
            f"Run {run.name} failed{f' in {stopped.kind.lower()} {quoted(stopped.name)}' if stopped else ''}.",
            hint="Open the run to see why.",
            details=stopped.errors[:_MOST_LINES] if stopped else (),
            link=run.url,
        )
    return RunFailed(
        f"Run {run.name} failed in task {quoted(failed.name)}.",
        hint="Mend the cause, then run the same command again.",
        details=_error_lines(failed, evidence.tail),
        link=_task_link(run, ended, failed),
    )


def _error_lines(failed: Record, tail: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the log says went wrong; the timeline's own issues where the log says nothing."""
    first = next((i for i, line in enumerate(tail) if _says_error(line)), None)
    told = tuple(line.removeprefix(_ERROR) for line in tail[first : first + _MOST_LINES]) if first is not None else ()
    return told or failed.errors[:_MOST_LINES] or tail[-_MOST_LINES:]


def _says_error(line: str) -> bool:
    lowered = line.lower()
    return _ERROR in lowered or "error:" in lowered or lowered.startswith("error")


def _task_link(run: Run, ended: RunProgress, task: Record) -> str:
    """Return the link that opens the task's log in the web portal."""
    parents = {r.id: r for r in ended.records}
    job = parents.get(task.parent_id)
    view = f"view=logs&j={job.id}&t={task.id}" if job else f"view=logs&t={task.id}"
    return f"{run.url}{'&' if '?' in run.url else '?'}{view}" if run.url else ""


def where(progress: RunProgress) -> tuple[str, ...]:
    """Return what is in progress; a checkpoint is an approval or a check that the run waits for."""
    active = [r for r in progress.records if r.state == "inProgress" and r.kind.startswith(_TOLD_KINDS)]
    if active:
        return tuple(f"{r.kind} {quoted(r.name)} is in progress." for r in active)
    started = any(r.kind == "Job" and r.state != "pending" for r in progress.records)
    return (f"The run is {progress.run.state.value}; no job of it {'is in progress' if started else 'has started'}.",)
