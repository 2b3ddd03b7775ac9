"""Carrying out one job on an agent: its steps, and what each comes to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from ecs_cd_sandbox.azure_devops.agent.job import Job, JobAccess
from ecs_cd_sandbox.azure_devops.agent.predefined_variables import deployment_variables, predefined
from ecs_cd_sandbox.azure_devops.agent.step_context import StepContext, StepFailedError
from ecs_cd_sandbox.azure_devops.agent.workspace import Workspace, open_workspace
from ecs_cd_sandbox.azure_devops.expressions import STEP_CONDITION
from ecs_cd_sandbox.azure_devops.model.conditions import ConditionError, StepStatus, holds
from ecs_cd_sandbox.azure_devops.model.definitions import JobKind, StepDefinition
from ecs_cd_sandbox.azure_devops.model.results import combine, job_status
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.run_progress import JobRun
from ecs_cd_sandbox.azure_devops.model.runtime_expressions import plain
from ecs_cd_sandbox.azure_devops.model.state import State
from ecs_cd_sandbox.azure_devops.model.timeline import Issue, Record, RecordResult, merge_results
from ecs_cd_sandbox.azure_devops.model.variables import Variables

OpenAccess = Callable[[Run, str], AbstractContextManager[JobAccess]]


class Execution:
    """One job that has begun on an agent. `open_access` gives it its token for as long as it runs."""

    def __init__(self, state: State, run: Run, job: JobRun, open_access: OpenAccess) -> None:
        """Bind the execution to the job."""
        self._state = state
        self._job = job
        self._run = run
        self._timeline = run.timeline
        self._record = job.record
        self._open_access = open_access
        self._results: list[RecordResult | None] = []

    def run(self) -> None:
        """Carry the job out to its end; whatever its actions do, it ends."""
        try:
            with self._open_access(self._run, self._record.id) as access, open_workspace(self._kind) as workspace:
                self._steps(self._shared(access, workspace))
        except Exception as error:  # noqa: BLE001 - an agent outlives every job, also one it could not begin
            with self._state.lock:
                self._timeline.add_issue(self._record, Issue("error", f"The job could not be carried out: {error}"))
            self._results.append("failed")
        with self._state.lock:
            self._timeline.finish(self._record, "canceled" if self._job.stopping else combine(self._results))
            self._job.state = "done"
            self._state.changed()

    @property
    def _kind(self) -> JobKind:
        return self._job.definition.kind

    def _shared(self, access: JobAccess, workspace: Workspace) -> Job:
        """Bring together what the steps of the job share."""
        job = self._job
        variables = Variables()
        variables.update_with(job.variables)
        with self._state.lock:
            resources = self._state.resources(self._run)
            deployment = {}
            if job.definition.kind == "deployment":
                environment = self._state.environments.use(job.definition.environment)
                deployment = deployment_variables(environment, job.hook)
            system = predefined(
                self._run,
                self._record,
                job.definition,
                access,
                workspace,
                resources=resources,
                deployment=deployment,
            )
        return Job(access, workspace, variables=variables, system=system)

    def _steps(self, shared: Job) -> None:
        steps = [(step, self._plan(step, number)) for number, step in enumerate(self._job.steps, start=1)]
        for step, record in steps:
            with self._state.lock:
                context = self._begin(step, record, shared)
                self._state.changed()
            if context is not None:
                self._step(context, step, record)

    def _plan(self, step: StepDefinition, number: int) -> Record:
        """Add the pending record of a step."""
        with self._state.lock:
            record = self._timeline.add(
                "Task",
                step.name,
                parent=self._record,
                identifier=f"{self._record.identifier}.{step.ref_name or number}",
                task=step.task,
                ref_name=step.ref_name or None,
            )
            self._state.changed()
            return record

    def _begin(self, step: StepDefinition, record: Record, shared: Job) -> StepContext | None:
        """Start a step, or note why not."""
        stopping = self._job.stopping
        try:
            wanted = step.enabled and not self._job.out_of_time and self._wanted(step, shared)
        except ConditionError as error:
            self._timeline.add_issue(record, Issue("error", shared.masker(str(error))))
            self._timeline.finish(record, "failed")
            self._results.append("failed")
            return None
        if not wanted:
            self._timeline.finish(record, "skipped")
            return None
        self._timeline.start(record, self._record.worker)
        shared.system.set("Agent.JobStatus", "Canceled" if stopping else job_status(self._results))
        return StepContext(
            self._state,
            self._run,
            record,
            shared,
            cancelled=self._job.begin_step(step.timeout),
            ref_name=step.ref_name or step.task.name,
            restrictions=step.restrictions,
        )

    def _wanted(self, step: StepDefinition, shared: Job) -> bool:
        status = StepStatus(self._results, cancelled=self._job.stopping)
        return holds(step.condition, STEP_CONDITION, {"variables": plain(shared.all_variables())}, status)

    def _step(self, context: StepContext, step: StepDefinition, record: Record) -> None:
        """Carry a step out, again if it fails and may be tried again."""
        result = self._try(context, step)
        for number in range(1, step.retries + 1):
            if result != "failed" or context.cancelled.is_set():
                break
            context.warning(f"The step failed and is tried again (retry {number} of {step.retries}).")
            context.begin_again()
            result = self._try(context, step)
        with self._state.lock:
            self._job.end_step()
            if self._job.step_overdue:
                context.error("The task has timed out.")
                result = "failed"
            elif result == "failed" and context.cancelled.is_set():
                result = "canceled"
            if result == "failed" and step.continue_on_error:
                result = "succeededWithIssues"
            self._timeline.finish(record, result)
            self._results.append(result)
            self._state.changed()

    def _try(self, context: StepContext, step: StepDefinition) -> RecordResult:
        """Carry a step out once."""
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
        return merge_results(result, "failed") if context.commands_failed else result
