"""Why a run failed: its first failing task and what the log says (rule 11)."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.errors import EcsCdError, RunFailed
from ecs_cd.model.pipeline_problems import read_problem
from ecs_cd.model.run import Run, RunProgress, TimelineRecord
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.sanitize import quoted

_MAX_LINES = 12
"""Lines of a log that an error shows."""
_ERROR = "##[error]"
"""The agent's prefix of an error in a log."""
_TAIL_LINES = 200
"""Lines that are read from the end of a failing task's log."""


@dataclass(frozen=True)
class Evidence:
    """What is known of why a run did not end well: its first failing task, if one failed, and the end of its log."""

    ended: RunProgress
    task: TimelineRecord | None
    tail: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Return all lines: the errors of all records, then the log."""
        return (*(error for record in self.ended.records for error in record.errors), *self.tail)


def gather_evidence(pipelines: Pipelines, ended: RunProgress) -> Evidence:
    """Return the evidence; without the log, if that cannot be read: the failure must be reported all the same."""
    failed = next((r for r in ended.of_kind("Task") if r.result == "failed"), None)
    if failed is None or failed.log_id is None:
        return Evidence(ended, failed)
    try:
        return Evidence(ended, failed, pipelines.log_tail(ended.run.id, failed.log_id, _TAIL_LINES))
    except EcsCdError:
        return Evidence(ended, failed)


def explain_failure(pipelines: Pipelines, ended: RunProgress) -> RunFailed:
    """Return the error that says why a run failed: the first failing task, its first error lines, the link."""
    return run_failure(gather_evidence(pipelines, ended))


def run_failure(evidence: Evidence) -> RunFailed:
    """Return the error that the evidence leads to."""
    ended, run, failed = evidence.ended, evidence.ended.run, evidence.task
    if failed is None:
        stopped = next((r for kind in ("Job", "Phase", "Stage") for r in ended.of_kind(kind) if r.errors), None)
        return RunFailed(
            f"Run {run.name} failed{f' in {stopped.kind.lower()} {quoted(stopped.name)}' if stopped else ''}.",
            hint=_advice(evidence, "Open the run to see why."),
            details=stopped.errors[:_MAX_LINES] if stopped else (),
            link=run.url,
        )
    return RunFailed(
        f"Run {run.name} failed in task {quoted(failed.name)}.",
        hint=_advice(evidence, "Fix the cause, then run the same command again."),
        details=_error_lines(failed, evidence.tail),
        link=_task_link(run, ended, failed),
    )


def _advice(evidence: Evidence, otherwise: str) -> str:
    """Return what to do about the problem that Azure Pipelines names, else what is given.

    Of a task's own errors only a repository that cannot be read is looked for: they are the texts of any program.
    """
    ended, task = evidence.ended, evidence.task
    errors = (error for record in ended.records if record.kind != "Task" for error in record.errors)
    problem = read_problem("\n".join(errors), branch=ended.run.branch)
    if problem is None and task is not None:
        problem = read_problem("\n".join(task.errors), branch=ended.run.branch)
        problem = problem if problem and problem.kind == "repository" else None
    return problem.advice if problem else otherwise


def _error_lines(failed: TimelineRecord, tail: tuple[str, ...]) -> tuple[str, ...]:
    """Return the error lines of the log; the timeline's own issues where the log has none."""
    first = next((i for i, line in enumerate(tail) if _is_error(line)), None)
    found = tuple(line.removeprefix(_ERROR) for line in tail[first : first + _MAX_LINES]) if first is not None else ()
    return found or failed.errors[:_MAX_LINES] or tail[-_MAX_LINES:]


def _is_error(line: str) -> bool:
    lowered = line.lower()
    return _ERROR in lowered or "error:" in lowered or lowered.startswith("error")


def _task_link(run: Run, ended: RunProgress, task: TimelineRecord) -> str:
    """Return the link that opens the task's log in the web portal."""
    parents = {r.id: r for r in ended.records}
    job = parents.get(task.parent_id)
    view = f"view=logs&j={job.id}&t={task.id}" if job else f"view=logs&t={task.id}"
    return f"{run.url}{'&' if '?' in run.url else '?'}{view}" if run.url else ""
