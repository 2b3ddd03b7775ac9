"""What the conditions and runtime expressions of stages and jobs may name.

Outputs of other jobs are found only where there is a direct dependency. Source:
https://learn.microsoft.com/azure/devops/pipelines/process/expressions ("Dependencies") and .../deployment-jobs
("Support for output variables").
"""

from __future__ import annotations

from collections.abc import Iterable

from ecs_cd_sandbox.azure_devops.engine.dependency_graph import jobs_before, stages_before
from ecs_cd_sandbox.azure_devops.expressions import Value
from ecs_cd_sandbox.azure_devops.model.definitions import JobDefinition, StageDefinition
from ecs_cd_sandbox.azure_devops.model.results import result_name
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.run_variables import Resources
from ecs_cd_sandbox.azure_devops.model.runtime_expressions import secret_values
from ecs_cd_sandbox.azure_devops.model.timeline import Record, RecordResult

Names = dict[str, Value]


def run_names(run: Run, resources: Resources) -> Names:
    """Return what can be named everywhere in a run."""
    pipelines: Names = {
        alias: {"runID": str(source.id), "runName": source.number, "pipelineID": str(source.definition.id)}
        for alias, source in resources.items()
    }
    return {"pipeline": {"startTime": run.start_time or run.queue_time}, "resources": {"pipeline": pipelines}}


def stage_names(run: Run, stage: StageDefinition, resources: Resources) -> Names:
    """Return what a stage can name: the stages it depends on, as wholes and by job."""
    before = stages_before(run.definition, stage)
    dependencies: Names = {one.name: _stage(run, one) for one in before}
    return {**run_names(run, resources), "dependencies": dependencies, "stageDependencies": _jobs_of(run, before)}


def job_names(run: Run, stage: StageDefinition, job: JobDefinition, resources: Resources) -> Names:
    """Return what a job can name: the jobs it depends on, and those of the stages its stage depends on."""
    dependencies: Names = {one.name: _job(run, stage, one) for one in jobs_before(stage, job)}
    before = stages_before(run.definition, stage)
    return {**run_names(run, resources), "dependencies": dependencies, "stageDependencies": _jobs_of(run, before)}


def secret_outputs(run: Run) -> set[str]:
    """Return the values of the run's output variables that must not be shown."""
    return {value for record in run.timeline.records for value in secret_values(record.outputs)}


def stage_result(run: Run, stage: StageDefinition) -> RecordResult | None:
    """Return what a stage came to, or None."""
    record = run.timeline.stage(stage.name)
    return record.result if record else None


def job_result(run: Run, stage: StageDefinition, job: JobDefinition) -> RecordResult | None:
    """Return what a job came to, or None."""
    record = phase_of(run, stage, job)
    return record.result if record else None


def phase_of(run: Run, stage: StageDefinition, job: JobDefinition) -> Record | None:
    """Return the record of a job in the newest attempt of its stage."""
    parent = run.timeline.stage(stage.name)
    children = run.timeline.children(parent) if parent else []
    return next((child for child in children if child.type == "Phase" and child.ref_name == job.name), None)


def _stage(run: Run, stage: StageDefinition) -> Names:
    outputs: Names = {}
    for job in stage.jobs:
        outputs |= {f"{job.name}.{name}": value for name, value in _outputs(run, stage, job).items()}
    return {"result": result_name(stage_result(run, stage)), "outputs": outputs}


def _jobs_of(run: Run, stages: Iterable[StageDefinition]) -> Names:
    return {stage.name: {job.name: _job(run, stage, job) for job in stage.jobs} for stage in stages}


def _job(run: Run, stage: StageDefinition, job: JobDefinition) -> Names:
    return {"result": result_name(job_result(run, stage, job)), "outputs": _outputs(run, stage, job)}


def _outputs(run: Run, stage: StageDefinition, job: JobDefinition) -> Names:
    """Return a job's output variables; those of a deployment job are below its own name, and below the hook's."""
    phase = phase_of(run, stage, job)
    found: Names = {}
    for record in run.timeline.children(phase) if phase else []:
        prefixes = [""]
        if job.kind == "deployment":
            prefixes = [f"{job.name}."] + ([f"{record.ref_name}."] if job.hooks else [])
        for task in run.timeline.children(record):
            for variable in task.outputs.all():
                found |= {f"{prefix}{_step(task)}.{variable.name}": variable.value for prefix in prefixes}
    return found


def _step(record: Record) -> str:
    return record.ref_name or (record.task.name if record.task else record.name)
