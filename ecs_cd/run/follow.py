"""Follow one run to its end."""

from __future__ import annotations

from collections.abc import Callable

from ecs_cd.errors import DeadlineReached, RunCancelled
from ecs_cd.model.run import FinishedRun, Run, RunProgress, RunState
from ecs_cd.run.failure import explain_failure
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.sanitize import quoted
from ecs_cd.support.deadline import Deadline
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, wait_for

BACKOFF = Backoff(first=1.0, factor=1.3, most=10.0)
"""Seconds between two looks at a run."""

_SHOWN_KINDS = ("Stage", "Job", "Task", "Checkpoint")


def follow_run(
    pipelines: Pipelines, run: Run, *, deadline: Deadline, watch: Callable[[RunProgress], None]
) -> FinishedRun:
    """Follow the run to its end, and call `watch` every time it or its timeline has changed.

    Raises:
        RunFailed: with the failing task's name, its first error lines and the link (rule 11).
        RunCancelled: with the name of who did it.
        DeadlineReached: it has not ended in time; it goes on by itself.
    """
    last = RunProgress(run)

    def look() -> RunProgress | NotYet:
        nonlocal last
        seen = RunProgress(pipelines.run(run.id), pipelines.records(run.id))
        if seen != last:
            last = seen
            watch(seen)
        return seen if seen.run.state.ended else NOT_YET

    try:
        ended = wait_for(look, deadline=deadline, backoff=BACKOFF, doing=f"following run {run.name}")
    except DeadlineReached as error:
        error.add(describe_progress(last), link=run.url)
        raise
    if ended.run.state is RunState.CANCELLED:
        raise cancelled_error(ended.run, ended.run.changed_by, hint="Queue another run.")
    finished = finished_run(ended.run)
    if finished is None:
        raise explain_failure(pipelines, ended, hint="Fix the cause, then queue another run.")
    return finished


def finished_run(run: Run) -> FinishedRun | None:
    """Return a run that succeeded, with or without issues, as a finished one; None for any other."""
    if run.state is RunState.SUCCEEDED:
        return FinishedRun(run)
    if run.state is RunState.PARTIALLY_SUCCEEDED:
        return FinishedRun(run, warning=f"Run {run.name} succeeded with issues ({run.url}).")
    return None


_AGAIN = (
    "The parameter holds the new tag, so the next run of this pipeline will apply it. "
    "Run the same command again to queue one."
)


def cancelled_error(run: Run, who: str, *, hint: str = _AGAIN) -> RunCancelled:
    """Return the error that names who cancelled a run; `who` is empty where Azure DevOps does not show it."""
    return RunCancelled(
        f"Run {run.name} was cancelled{f' by {who}' if who else ', and Azure DevOps does not show by whom'}.",
        hint=hint,
        link=run.url,
    )


def describe_progress(progress: RunProgress) -> tuple[str, ...]:
    """Return sentences on what is in progress; a checkpoint is an approval or a check that the run waits for."""
    active = [r for r in progress.records if r.state == "inProgress" and r.kind.startswith(_SHOWN_KINDS)]
    if active:
        return tuple(f"{r.kind} {quoted(r.name)} is in progress." for r in active)
    started = any(r.kind == "Job" and r.state != "pending" for r in progress.records)
    return (f"The run is {progress.run.state.value}; no job of it {'is in progress' if started else 'has started'}.",)
