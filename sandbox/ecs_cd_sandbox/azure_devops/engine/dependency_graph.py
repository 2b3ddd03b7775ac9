"""What depends on what: the stages of a pipeline, and the jobs of a stage. Names match in any letter case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ecs_cd_sandbox.azure_devops.model.definitions import JobDefinition, PipelineDefinition, StageDefinition

_Node = TypeVar("_Node", StageDefinition, JobDefinition)


def stages_before(pipeline: PipelineDefinition, stage: StageDefinition) -> tuple[StageDefinition, ...]:
    """Return the stages a stage depends on directly: those it names, or else the one before it."""
    if stage.depends_on is None:
        position = pipeline.stages.index(stage)
        return pipeline.stages[position - 1 : position] if position else ()
    return _named(pipeline.stages, stage.depends_on, lambda one: one.name)


def all_stages_before(pipeline: PipelineDefinition, stage: StageDefinition) -> tuple[StageDefinition, ...]:
    """Return the stages a stage depends on, directly or not."""
    return _closure(stage, lambda one: stages_before(pipeline, one), lambda one: one.name)


def jobs_before(stage: StageDefinition, job: JobDefinition) -> tuple[JobDefinition, ...]:
    """Return the jobs a job depends on directly."""
    return _named(stage.jobs, job.depends_on, lambda one: one.name)


def all_jobs_before(stage: StageDefinition, job: JobDefinition) -> tuple[JobDefinition, ...]:
    """Return the jobs a job depends on, directly or not."""
    return _closure(job, lambda one: jobs_before(stage, one), lambda one: one.name)


def check(pipeline: PipelineDefinition) -> None:
    """Refuse a pipeline that could never come to its end.

    Raises:
        ValueError: a stage or job depends on one that does not exist, or on itself.
    """
    _check("stage", [(stage.name, stage.depends_on or ()) for stage in pipeline.stages])
    for stage in pipeline.stages:
        if stage in all_stages_before(pipeline, stage):
            raise ValueError(f"Stage {stage.name} depends on itself.")
        _check("job", [(job.name, job.depends_on) for job in stage.jobs])
        for job in stage.jobs:
            if job in all_jobs_before(stage, job):
                raise ValueError(f"Job {job.name} of stage {stage.name} depends on itself.")


def _check(kind: str, dependencies: list[tuple[str, tuple[str, ...]]]) -> None:
    known = {name.lower() for name, _ in dependencies}
    for name, wanted in dependencies:
        unknown = [other for other in wanted if other.lower() not in known]
        if unknown:
            raise ValueError(f"{kind.capitalize()} {name} depends on unknown {kind} {unknown[0]}.")


def _named(known: Iterable[_Node], names: Iterable[str], name_of: Callable[[_Node], str]) -> tuple[_Node, ...]:
    wanted = {name.lower() for name in names}
    return tuple(one for one in known if name_of(one).lower() in wanted)


def _closure(
    start: _Node, before: Callable[[_Node], tuple[_Node, ...]], name_of: Callable[[_Node], str]
) -> tuple[_Node, ...]:
    found: dict[str, _Node] = {}
    pending = list(before(start))
    while pending:
        one = pending.pop(0)
        if name_of(one) not in found:
            found[name_of(one)] = one
            pending += before(one)
    return tuple(found.values())
