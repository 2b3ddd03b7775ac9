"""Carrying out one run: its stages, their jobs, their steps, and what each comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Literal

from ecs_cd.sandbox.azure_devops.context import StepContext, StepFailedError
from ecs_cd.sandbox.azure_devops.definitions import Condition, JobDefinition, StageDefinition, StepDefinition
from ecs_cd.sandbox.azure_devops.job import Job, JobAccess
from ecs_cd.sandbox.azure_devops.predefined import predefined
from ecs_cd.sandbox.azure_devops.run import Cancellation, Run, RunResult
from ecs_cd.sandbox.azure_devops.state import State
from ecs_cd.sandbox.azure_devops.timeline import Record, RecordResult, merge_results
from ecs_cd.sandbox.azure_devops.variables import Variables
from ecs_cd.sandbox.azure_devops.workspace import Workspace, open_workspace

_JOB_STATUS: dict[RecordResult, str] = {
    "succeeded": "Succeeded",
    "succeededWithIssues": "SucceededWithIssues",
    "failed": "Failed",
    "canceled": "Canceled",
    "skipped": "Succeeded",
    "abandoned": "Failed",
}
"""`Agent.JobStatus` as a step finds it, by what the steps before it came to."""

Outcome = Literal["succeeded", "failed", "canceled"]
OpenAccess = Callable[[Run, str], AbstractContextManager[JobAccess]]

_ALLOWED: dict[Outcome, frozenset[Condition]] = {
    "succeeded": frozenset({"succeeded", "succeededOrFailed", "always"}),
    "failed": frozenset({"failed", "succeededOrFailed", "always"}),
    "canceled": frozenset({"always"}),
}


def combine(results: Iterable[RecordResult | None]) -> RecordResult:
    """Return what a parent comes to, given what its children came to."""
    found = set(results)
    for result in ("canceled", "abandoned", "failed", "succeededWithIssues"):
        if result in found:
            return result
    return "skipped" if found == {"skipped"} else "succeeded"


def _outcome(results: Iterable[RecordResult | None]) -> Outcome:
    combined = combine(results)
    if combined == "canceled":
        return combined
    return "failed" if combined in {"failed", "abandoned"} else "succeeded"


class Execution:
    """One run on one agent. `open_access` gives each job its token for as long as it runs."""

    def __init__(self, state: State, run: Run, worker: str, open_access: OpenAccess) -> None:
        """Bind the run to the agent."""
        self._state = state
        self._run = run
        self._timeline = run.timeline
        self._worker = worker
        self._open_access = open_access

    def run(self) -> None:
        """Carry the run out to its end; whatever its actions do, it ends."""
        with self._state.lock:
            self._begin()
            self._state.changed()
        results: list[RecordResult | None] = []
        for stage in self._run.definition.stages:
            results.append(self._stage(stage, _outcome(results)))
        with self._state.lock:
            self._end(combine(results))
            self._state.changed()

    def _begin(self) -> None:
        run = self._run
        if run.status != "cancelling":
            run.status = "inProgress"
        run.start_time = run.start_time or self._state.clock()
        run.result = run.finish_time = None
        run.resources = run.resources or self._newest_runs()
        retrying = False
        for stage in run.definition.stages:
            record = run.timeline.stage(stage.name)
            asked = stage.name.lower() in run.retries
            again = retrying and record is not None and record.result in {"skipped", "failed", "canceled"}
            if (asked or again) and stage.name.lower() not in run.request.stages_to_skip:
                retrying = True
                run.plan_retry(stage, all_jobs=run.retries.get(stage.name.lower(), True))
        run.retries.clear()

    def _newest_runs(self) -> dict[str, int]:
        """Return the newest successful run of each pipeline this one uses, by alias."""
        good = ("succeeded", "partiallySucceeded")
        found = {}
        for alias, pipeline in self._run.definition.resources.items():
            runs = [r.id for r in self._state.runs.values() if r.definition.name == pipeline and r.result in good]
            if runs:
                found[alias] = max(runs)
        return found

    def _end(self, result: RecordResult) -> None:
        run = self._run
        results: dict[RecordResult, RunResult] = {
            "succeededWithIssues": "partiallySucceeded",
            "failed": "failed",
            "abandoned": "failed",
            "canceled": "canceled",
        }
        run.result = "canceled" if run.status == "cancelling" else results.get(result, "succeeded")
        run.finish_time = run.changed = self._state.clock()
        run.status, run.phase = "completed", "done"

    def _stage(self, stage: StageDefinition, before: Outcome) -> RecordResult | None:
        with self._state.lock:
            record = self._timeline.stage(stage.name)
            if record is None or record.state == "completed":
                return record.result if record else None
            refused = self._refusal(stage, before)
            if refused:
                self._timeline.finish_below(record, refused)
                return record.result
            self._fresh_signal()
            self._timeline.start(record)
            phases = {phase.ref_name: phase for phase in self._timeline.children(record) if phase.type == "Phase"}
            self._state.changed()
        results = [self._phase(stage, phases[job.name], job) for job in stage.jobs]
        with self._state.lock:
            self._timeline.finish(record, combine(results))
            self._state.changed()
            return record.result

    def _refusal(self, stage: StageDefinition, before: Outcome) -> RecordResult | None:
        """Say what a stage comes to without being started, or None if it is to start."""
        if stage.name.lower() in self._run.stages_to_cancel:
            return "canceled"
        cancelling = self._run.status == "cancelling"
        if stage.condition in _ALLOWED["canceled" if cancelling else before]:
            return None
        return "canceled" if cancelling else "skipped"

    def _fresh_signal(self) -> None:
        """Let the coming work listen to a signal of its own, which is set already when the server closes."""
        self._run.cancelled = Cancellation()
        if self._state.closing:
            self._run.cancelled.set()

    def _stopping(self, stage: StageDefinition) -> bool:
        """Say whether the run or this stage is being cancelled, or the server closes."""
        asked = self._run.status == "cancelling" or stage.name.lower() in self._run.stages_to_cancel
        return asked or self._state.closing

    def _phase(self, stage: StageDefinition, phase: Record, job: JobDefinition) -> RecordResult | None:
        with self._state.lock:
            if phase.state == "completed":
                return phase.result
            if self._stopping(stage) and all(step.condition != "always" for step in job.steps):
                self._timeline.finish_below(phase, "canceled")
                return phase.result
            record = next(child for child in self._timeline.children(phase) if child.type == "Job")
            self._timeline.start(phase)
            self._timeline.start(record, self._worker)
            tasks = [
                self._timeline.add(
                    "Task",
                    step.name,
                    parent=record,
                    identifier=f"{record.identifier}.{step.ref_name or index}",
                    task=step.task,
                    ref_name=step.ref_name or None,
                )
                for index, step in enumerate(job.steps, start=1)
            ]
            self._state.changed()
        result = self._steps(stage, record, job, tasks)
        with self._state.lock:
            self._timeline.finish(record, result)
            self._timeline.finish(phase, result)
            self._state.changed()
        return result

    def _steps(self, stage: StageDefinition, record: Record, job: JobDefinition, tasks: list[Record]) -> RecordResult:
        results: list[RecordResult | None] = []
        with self._open_access(self._run, record.id) as access, open_workspace(job.kind) as workspace:
            shared = self._job(job, record, access, workspace)
            for step, task in zip(job.steps, tasks, strict=True):
                with self._state.lock:
                    before = "canceled" if self._stopping(stage) else _outcome(results)
                    if step.condition not in _ALLOWED[before]:
                        self._timeline.finish(task, "skipped")
                        self._state.changed()
                        continue
                    self._timeline.start(task, self._worker)
                    if before == "canceled":
                        self._fresh_signal()
                    shared.system.set(
                        "Agent.JobStatus", _JOB_STATUS[before if before == "canceled" else combine(results)]
                    )
                name = step.ref_name or step.task.name
                context = StepContext(
                    self._state, self._run, task, shared, ref_name=name, restrictions=step.restrictions
                )
                results.append(self._step(context, step, task))
        return "canceled" if self._stopping(stage) else combine(results)

    def _job(self, job: JobDefinition, record: Record, access: JobAccess, workspace: Workspace) -> Job:
        """Bring together what the steps of a job share; what is said nearer to the job wins."""
        run = self._run
        variables = Variables(run.definition.variables)
        variables.update_with(Variables(run.definition.secrets, secret=True))
        variables.update_with(Variables(run.request.variables))
        variables.update_with(Variables(job.variables))
        variables.update_with(Variables(job.secrets, secret=True))
        with self._state.lock:
            resources = {alias: self._state.runs[number] for alias, number in run.resources.items()}
            system = predefined(run, record, job, access, workspace, resources=resources)
        return Job(access, workspace, variables=variables, system=system)

    def _step(self, context: StepContext, step: StepDefinition, task: Record) -> RecordResult:
        result: RecordResult = "succeeded"
        try:
            step.action(context)
        except StepFailedError:
            result = "failed"
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a step raises is its failure, not the agent's
            context.error(f"{type(error).__name__}: {error}")
            result = "failed"
        if result == "succeeded" and context.result is not None:
            result = context.result
        if context.commands_failed:
            result = merge_results(result, "failed")
        if result == "failed" and context.cancelled.is_set():
            result = "canceled"
        elif result == "failed" and step.continue_on_error:
            result = "succeededWithIssues"
        with self._state.lock:
            self._timeline.finish(task, result)
            self._state.changed()
        return result
