"""Takes a run through its graph: which stage and which job is next, what is skipped, and what it all comes to.

Called again and again under the engine's lock, it does what can be done at that moment. What is carried out by an agent
it only makes ready.
"""

from __future__ import annotations

from ecs_cd_sandbox.azure_devops.engine.checks import Checks
from ecs_cd_sandbox.azure_devops.engine.dependency_graph import all_stages_before, stages_before
from ecs_cd_sandbox.azure_devops.engine.expression_names import stage_names, stage_result
from ecs_cd_sandbox.azure_devops.engine.job_conductor import JobConductor
from ecs_cd_sandbox.azure_devops.expressions import CONDITION, VARIABLE
from ecs_cd_sandbox.azure_devops.model.conditions import ConditionError, GraphStatus, holds
from ecs_cd_sandbox.azure_devops.model.definitions import StageDefinition
from ecs_cd_sandbox.azure_devops.model.results import combine
from ecs_cd_sandbox.azure_devops.model.run import Run, RunResult
from ecs_cd_sandbox.azure_devops.model.run_progress import StageRun
from ecs_cd_sandbox.azure_devops.model.runtime_expressions import RuntimeExpressionError, plain
from ecs_cd_sandbox.azure_devops.model.state import State
from ecs_cd_sandbox.azure_devops.model.timeline import Issue, Record, RecordResult
from ecs_cd_sandbox.azure_devops.model.variables import merge_variables


class StageConductor:
    """Conducts runs that were admitted."""

    def __init__(self, state: State, checks: Checks) -> None:
        """Bind it to the state."""
        self._state = state
        self._checks = checks
        self._jobs = JobConductor(state)

    def advance(self, run: Run) -> bool:
        """Do what can be done now; say whether anything was."""
        acted = False
        for stage in run.stages.values():
            record = run.timeline.stage(stage.definition.name)
            while record and record.state != "completed" and self._stage(run, stage, record):
                acted = True
        if all(record.state == "completed" for record in run.timeline.records if record.type == "Stage"):
            self._end(run)
            acted = True
        return acted

    def _stage(self, run: Run, stage: StageRun, record: Record) -> bool:
        if stage.state == "waiting":
            return self._consider(run, stage, record)
        if stage.state == "checking":
            return self._check(run, stage, record)
        acted = self._jobs.advance(run, stage)
        phases = [child for child in run.timeline.children(record) if child.type == "Phase"]
        if all(phase.state == "completed" for phase in phases):
            run.timeline.finish(record, combine(phase.result for phase in phases))
            acted = True
        return acted

    def _consider(self, run: Run, stage: StageRun, record: Record) -> bool:
        """Once all that a stage depends on is over, begin or skip it."""
        definition = stage.definition
        if stage.stopping:
            run.timeline.finish_below(record, "canceled")
            return True
        if any(stage_result(run, before) is None for before in stages_before(run.definition, definition)):
            return False
        try:
            if self._wanted(run, definition):
                self._begin(run, stage)
            else:
                run.timeline.finish_below(record, "canceled" if run.status == "cancelling" else "skipped")
        except (ConditionError, RuntimeExpressionError) as error:
            self._fail(run, record, str(error))
        return True

    def _wanted(self, run: Run, stage: StageDefinition) -> bool:
        """Say whether the condition of a stage holds."""
        before = all_stages_before(run.definition, stage)
        status = GraphStatus(
            {one.name: stage_result(run, one) for one in before},
            cancelled=run.status == "cancelling",
            left_out=run.request.stages_to_skip,
        )
        variables = merge_variables(self._state.known_variables(run), self._jobs.static(stage.variables))
        names = stage_names(run, stage, self._state.resources(run))
        return holds(stage.condition, CONDITION, {**names, "variables": plain(variables)}, status)

    def _begin(self, run: Run, stage: StageRun) -> None:
        """Fix the variables of a stage and what it deploys to, and turn to its checks."""
        names = stage_names(run, stage.definition, self._state.resources(run))
        evaluator = self._jobs.evaluator(run, self._state.known_variables(run), names, VARIABLE)
        stage.variables = evaluator.evaluate(stage.definition.variables)
        stage.environments = self._jobs.environments(run, stage)
        stage.state = "checking"

    def _check(self, run: Run, stage: StageRun, record: Record) -> bool:
        known = stage.checkpoint
        verdict = self._checks.verdict(run, stage)
        if verdict == "passed":
            stage.state = "running"
        elif verdict in ("canceled", "skipped"):
            run.timeline.finish_below(record, "canceled" if verdict == "canceled" else "skipped")
        elif verdict == "failed":
            self._fail(run, record)
        return verdict != "waiting" or stage.checkpoint != known

    def _fail(self, run: Run, stage: Record, message: str = "") -> None:
        """End a stage as failed, with none of its jobs."""
        if message:
            run.timeline.add_issue(stage, Issue("error", self._jobs.masker(run)(message)))
        for child in run.timeline.children(stage):
            run.timeline.finish_below(child, "skipped")
        run.timeline.finish(stage, "failed")

    def _end(self, run: Run) -> None:
        results: dict[RecordResult, RunResult] = {
            "succeededWithIssues": "partiallySucceeded",
            "failed": "failed",
            "abandoned": "failed",
            "canceled": "canceled",
        }
        result = combine(record.result for record in run.timeline.records if record.type == "Stage")
        run.end("canceled" if run.status == "cancelling" else results.get(result, "succeeded"))
