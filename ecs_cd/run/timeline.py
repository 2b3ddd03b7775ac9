"""What the timeline of a run tells of its jobs and stages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ecs_cd.model.run import Run, RunState, TimelineRecord

Timelines = Callable[[int], tuple[TimelineRecord, ...]]
"""The timeline of the run with this id."""


def no_job_started(records: Sequence[TimelineRecord]) -> bool:
    """Return whether a timeline shows that no job has started and no stage was skipped; an empty one shows nothing."""
    return (
        bool(records)
        and all(record.state == "pending" for record in records if record.kind == "Job")
        and not any(record.state == "completed" for record in records if record.kind == "Stage")
    )


def job_started(records: Sequence[TimelineRecord]) -> bool:
    """Return whether a job has started; one that was cancelled before it could has not."""
    return any(
        record.state == "inProgress" or (record.state == "completed" and record.result not in ("canceled", "skipped"))
        for record in records
        if record.kind == "Job"
    )


def first_attempt_with_all_stages(records: Sequence[TimelineRecord]) -> bool:
    """Return whether a timeline shows a run's first attempt, and no stage skipped.

    A run that is started again keeps its id, and the results of the jobs that succeeded before.
    """
    return bool(records) and all(record.attempt == 1 for record in records) and not skips_stage(records)


def skips_stage(records: Sequence[TimelineRecord]) -> bool:
    """Return whether a stage was skipped; not where a failure or a cancellation is the cause."""
    stopped = any(record.result in ("failed", "canceled", "abandoned") for record in records)
    return not stopped and any(record.kind == "Stage" and record.result == "skipped" for record in records)


def with_job_in_progress(timelines: Timelines, runs: Iterable[Run]) -> frozenset[int]:
    """Return the ids of those runs of which an agent executes a job.

    A run that waits for an approval or a manual validation, perhaps for days, is not among them.
    """
    return frozenset(
        run.id
        for run in runs
        if run.state is RunState.RUNNING
        and any(r.kind == "Job" and r.state == "inProgress" and r.worker for r in timelines(run.id))
    )
