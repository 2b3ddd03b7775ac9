"""Takes a stage through its jobs, and a deployment job through its hooks: makes ready what an agent is to carry out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ecs_cd_sandbox.azure_devops.agent.masking import Masker
from ecs_cd_sandbox.azure_devops.engine.dependency_graph import all_jobs_before, jobs_before
from ecs_cd_sandbox.azure_devops.engine.expression_names import (
    job_names,
    job_result,
    phase_of,
    secret_outputs,
    stage_names,
)
from ecs_cd_sandbox.azure_devops.expressions import CONDITION, VARIABLE, Scope, Value
from ecs_cd_sandbox.azure_devops.model.conditions import ConditionError, GraphStatus, holds
from ecs_cd_sandbox.azure_devops.model.definitions import Hook, JobDefinition
from ecs_cd_sandbox.azure_devops.model.environments import KnownEnvironment
from ecs_cd_sandbox.azure_devops.model.results import SUCCEEDED, combine
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.run_progress import JobRun, StageRun
from ecs_cd_sandbox.azure_devops.model.runtime_expressions import (
    Evaluator,
    RuntimeExpressionError,
    is_runtime,
    plain,
    secret_values,
)
from ecs_cd_sandbox.azure_devops.model.state import State
from ecs_cd_sandbox.azure_devops.model.timeline import Issue, Record, RecordResult
from ecs_cd_sandbox.azure_devops.model.variables import Variables, merge_variables


class JobConductor:
    """Conducts the jobs of stages that have started."""

    def __init__(self, state: State) -> None:
        """Bind it to the state."""
        self._state = state

    def advance(self, run: Run, stage: StageRun) -> bool:
        """Do what can be done now; say whether anything was."""
        acted = False
        for job in stage.definition.jobs:
            phase = phase_of(run, stage.definition, job)
            while phase and phase.state != "completed" and self._job(run, stage, job, phase):
                acted = True
        return acted

    def _job(self, run: Run, stage: StageRun, job: JobDefinition, phase: Record) -> bool:
        current = stage.jobs.get(phase.id)
        if current is None:
            return self._consider(run, stage, job, phase)
        if current.state == "done":
            self._hand_over(run, stage, phase, current.definition, current.variables)
        return current.state == "done"

    def _consider(self, run: Run, stage: StageRun, job: JobDefinition, phase: Record) -> bool:
        """Once all that a job depends on is over, make it ready or skip it."""
        if any(job_result(run, stage.definition, before) is None for before in jobs_before(stage.definition, job)):
            return False
        try:
            if self._wanted(run, stage, job):
                self._begin(run, stage, job, phase)
            else:
                run.timeline.finish_below(phase, "canceled" if stage.stopping else "skipped")
        except (ConditionError, RuntimeExpressionError) as error:
            run.timeline.add_issue(phase, Issue("error", self.masker(run)(str(error))))
            for child in run.timeline.children(phase):
                run.timeline.finish_below(child, "skipped")
            run.timeline.finish(phase, "failed")
        return True

    def _wanted(self, run: Run, stage: StageRun, job: JobDefinition) -> bool:
        before = all_jobs_before(stage.definition, job)
        status = GraphStatus(
            {one.name: job_result(run, stage.definition, one) for one in before}, cancelled=stage.stopping
        )
        variables = merge_variables(self._known(run, stage), self.static(job.variables))
        names = job_names(run, stage.definition, job, self._state.resources(run))
        return holds(job.condition, CONDITION, {**names, "variables": plain(variables)}, status)

    def _begin(self, run: Run, stage: StageRun, job: JobDefinition, phase: Record) -> None:
        """Fix the variables of a job, and hand its first part to the agents."""
        names = job_names(run, stage.definition, job, self._state.resources(run))
        evaluator = self.evaluator(run, self._known(run, stage), names, VARIABLE)
        own = evaluator.evaluate(job.variables)
        variables = merge_variables(run.variables, stage.variables, own, Variables(job.secrets, secret=True))
        definition = job
        if job.kind == "deployment":
            environment = self._environment(evaluator, merge_variables(self._known(run, stage), variables), job)
            definition = replace(job, environment=environment)
        self._hand_over(run, stage, phase, definition, variables)

    def _hand_over(self, run: Run, stage: StageRun, phase: Record, job: JobDefinition, variables: Variables) -> None:
        """Hand the next part of a job to the agents, skipping those that are not to run; without any, end the job."""
        before = stage.jobs.get(phase.id)
        stopping = stage.stopping or (before is not None and before.stopping)
        records = [child for child in run.timeline.children(phase) if child.type == "Job"]
        for hook, record in zip(job.hooks or (Hook("", job.steps),), records, strict=True):
            if record.state == "completed":
                continue
            if before and stopping:
                run.timeline.finish(record, "canceled")
            elif _follows(hook, [one.result for one in records if one.state == "completed"]):
                stage.jobs[phase.id] = JobRun(run.timeline, job, hook.steps, phase, record, variables, hook=hook.name)
                return
            else:
                run.timeline.finish(record, "skipped")
        self._finish(run, job, phase)

    def _finish(self, run: Run, job: JobDefinition, phase: Record) -> None:
        result = combine(child.result for child in run.timeline.children(phase) if child.type == "Job")
        if result == "failed" and job.continue_on_error:
            result = "succeededWithIssues"
        run.timeline.finish(phase, result)

    def environments(self, run: Run, stage: StageRun) -> tuple[KnownEnvironment, ...]:
        """Return the environments that the jobs of a stage deploy to, each once.

        Raises:
            RuntimeExpressionError: the name of one is an expression that cannot be evaluated.
        """
        found: dict[int, KnownEnvironment] = {}
        names = stage_names(run, stage.definition, self._state.resources(run))
        for job in stage.definition.jobs:
            if job.environment and job.kind == "deployment":
                known = self._known(run, stage)
                name = self._environment(
                    self.evaluator(run, known, names, VARIABLE), merge_variables(known, self.static(job.variables)), job
                )
                environment = self._state.environments.use(name)
                found[environment.id] = environment
        return tuple(found.values())

    def _environment(self, evaluator: Evaluator, variables: Variables, job: JobDefinition) -> str:
        name = variables.expand(evaluator.variable("the environment", job.environment).value)
        if "$(" in name:
            raise RuntimeExpressionError(
                f"Job {job.name}: the environment '{name}' names a variable that is not known."
            )
        return name

    def _known(self, run: Run, stage: StageRun) -> Variables:
        return merge_variables(self._state.known_variables(run), stage.variables)

    def evaluator(self, run: Run, known: Variables, names: Mapping[str, Value], scope: Scope) -> Evaluator:
        """Return what evaluates the variables of one level of a run."""
        evaluator = Evaluator(
            known, names, scope, lambda prefix, seed: self._state.count(run.definition, f"counter {prefix}", seed)
        )
        evaluator.hide(secret_outputs(run))
        return evaluator

    def static(self, values: Mapping[str, str]) -> Variables:
        """Return the variables of a level that are no expressions: all that its own condition can know."""
        return Variables({name: value for name, value in values.items() if not is_runtime(value)})

    def masker(self, run: Run) -> Masker:
        """Return what hides the secrets of a run."""
        masker = Masker()
        for secret in secret_values(run.variables) | secret_outputs(run):
            masker.add(secret)
        return masker


def _follows(hook: Hook, results: list[RecordResult | None]) -> bool:
    """Say whether a hook runs after hooks with these results: after a failure only `on.failure` does."""
    well = all(result in SUCCEEDED | {"skipped"} for result in results)
    return not well if hook.name == "on.failure" else well
