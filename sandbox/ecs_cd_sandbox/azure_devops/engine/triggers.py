"""Starts runs by themselves: after a push, and after a run (or some stages) of a pipeline that another one uses.

Source: https://learn.microsoft.com/azure/devops/pipelines/process/pipeline-triggers and
https://learn.microsoft.com/azure/devops/pipelines/repos/azure-repos-git ("CI triggers").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ecs_cd_sandbox.azure_devops.engine.branch_filters import branch_matches, full_name, paths_match
from ecs_cd_sandbox.azure_devops.engine.pipeline_resources import ResourceError, choose_runs, is_source
from ecs_cd_sandbox.azure_devops.engine.run_creation import RunRefused, create_failed_run
from ecs_cd_sandbox.azure_devops.model.definitions import (
    Expansion,
    PipelineDefinition,
    PipelineResource,
    ValidationFailed,
)
from ecs_cd_sandbox.azure_devops.model.identities import Identity
from ecs_cd_sandbox.azure_devops.model.results import SUCCEEDED
from ecs_cd_sandbox.azure_devops.model.run import QueueRequest, Run, Source
from ecs_cd_sandbox.azure_devops.model.state import State

_SKIP = re.compile(
    r"\[(skip ci|ci skip|skip-checks: true|skip-checks:true|skip azurepipelines|azurepipelines skip"
    r"|skip azpipelines|azpipelines skip|skip azp|azp skip)\]|\*\*\*NO_CI\*\*\*",
    re.IGNORECASE,
)
"""What in the message of a commit keeps its push from starting anything."""


@dataclass(frozen=True)
class Push:
    """A push to a branch (full name); `changed` are the paths of the files that differ."""

    repository: str
    branch: str
    changed: tuple[str, ...]
    by: Identity
    message: str = ""


@dataclass(frozen=True)
class _Start:
    """What to start a pipeline with."""

    source: Source
    by: Identity
    reason: str
    info: Mapping[str, str]
    alias: str = ""
    used: Mapping[str, int] = field(default_factory=dict)


class RunStarter:
    """Starts runs. `queue` is given each request; a pipeline that cannot be run gets a failed run that says why."""

    def __init__(self, state: State, queue: Callable[[QueueRequest], Run]) -> None:
        """Bind it to the state."""
        self._state = state
        self._queue = queue

    def pushed(self, push: Push) -> list[Run]:
        """Start the pipelines of a repository that a push concerns. The lock must be held."""
        if _SKIP.search(push.message):
            return []
        started = []
        for definition in list(self._state.definitions.values()):
            if definition.file and definition.repository.name.lower() == push.repository.lower():
                run = self._after_push(definition, push)
                started += [run] if run else []
        return started

    def followed(self, run: Run) -> None:
        """Start the pipelines that wait for a run, or for some stages of it, once each. The lock must be held."""
        done = {
            record.identifier.lower()
            for record in run.timeline.records
            if record.type == "Stage" and record.result in SUCCEEDED
        }
        if run.seen_by_triggers == (run.phase, len(done)):
            return
        run.seen_by_triggers = (run.phase, len(done))
        for definition in list(self._state.definitions.values()):
            for resource in self._resources(definition):
                if _concerns(resource, run, done) and (definition.id, resource.alias) not in run.triggered:
                    run.triggered.add((definition.id, resource.alias))
                    self._after_run(definition, resource, run)

    def _after_push(self, definition: PipelineDefinition, push: Push) -> Run | None:
        commit = definition.commit(push.branch)
        if definition.file is None or commit is None or definition.queue_status == "disabled":
            return None
        info = {
            "ci.sourceBranch": push.branch,
            "ci.sourceSha": commit,
            "ci.message": push.message,
            "ci.triggerRepository": definition.repository.name,
        }
        start = _Start(Source(push.branch, commit), push.by, "individualCI", info)
        try:
            triggers = definition.file.triggers(definition, push.branch)
        except ValidationFailed as failure:
            return self._failed(definition, start, failure.messages)
        wanted = triggers.branches is not None and branch_matches(triggers.branches, push.branch)
        return self._start(definition, start) if wanted and paths_match(triggers.paths, push.changed) else None

    def _after_run(self, definition: PipelineDefinition, resource: PipelineResource, run: Run) -> None:
        source = self._source(definition, run)
        if source is None or definition.queue_status == "disabled":
            return
        info = {
            "alias": resource.alias,
            "artifactType": "Pipeline",
            "pipelineId": str(run.definition.id),
            "pipelineTriggerType": "PipelineCompletion",
            "projectId": self._state.project.id,
            "source": run.definition.name,
            "version": run.number,
        }
        start = _Start(
            source, run.request.requested_by, "resourceTrigger", info, resource.alias, {resource.alias: run.id}
        )
        self._start(definition, start)

    def _resources(self, definition: PipelineDefinition) -> Iterable[PipelineResource]:
        """Return the pipelines a pipeline uses, as its file has them on the default branch.

        A file that is wrong there starts nothing: it does not say after which pipelines it would.
        """
        if definition.file is None:
            return definition.resources
        try:
            return definition.file.triggers(definition, definition.default_branch).pipelines
        except ValidationFailed:
            return ()

    def _source(self, definition: PipelineDefinition, run: Run) -> Source | None:
        """Return where the started run takes its file from: the same branch and commit, if it is of one repository."""
        branch = run.request.source.branch
        if definition.repository.name == run.definition.repository.name and definition.commit(branch):
            return run.request.source
        commit = definition.commit(definition.default_branch)
        return Source(definition.default_branch, commit) if commit else None

    def _start(self, definition: PipelineDefinition, start: _Start) -> Run:
        wanted = Expansion(start.source.branch, start.source.commit, reason=start.reason)
        try:
            expanded = definition.file.expand(definition, wanted) if definition.file else definition
            request = self._request(expanded, start)
            chosen = {**choose_runs(self._state, expanded, {}, start.used), **start.used}
            return self._queue(replace(request, resources=chosen))
        except ValidationFailed as failure:
            return self._failed(definition, start, failure.messages)
        except (ResourceError, RunRefused) as error:
            return self._failed(definition, start, (str(error),))

    def _request(self, definition: PipelineDefinition, start: _Start) -> QueueRequest:
        parameters = {name: one.default for name, one in definition.parameters.items() if one.default is not None}
        return QueueRequest(
            definition,
            start.source,
            start.by,
            reason=start.reason,
            parameters=parameters,
            triggering_alias=start.alias,
            trigger_info=start.info,
        )

    def _failed(self, definition: PipelineDefinition, start: _Start, messages: Iterable[str]) -> Run:
        """Record a run that failed before it began."""
        bare = replace(definition, stages=(), variables={}, secrets={}, run_name="", resources=())
        return create_failed_run(self._state, self._request(bare, start), messages)


def _concerns(resource: PipelineResource, run: Run, done: set[str]) -> bool:
    """Say whether a run has come as far as a resource's trigger wants it to."""
    if resource.trigger is None or not is_source(resource, run.definition):
        return False
    if not branch_matches(resource.trigger, full_name(run.request.source.branch)):
        return False
    if not set(resource.trigger_tags) <= set(run.tags):
        return False
    if resource.trigger_stages:
        return {stage.lower() for stage in resource.trigger_stages} <= done
    return run.phase == "done" and run.result in {"succeeded", "partiallySucceeded"}
