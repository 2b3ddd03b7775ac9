"""What the service remembers: pipelines and runs, behind one lock that also announces every change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from ecs_cd_sandbox.azure_devops.contexts import level_variables, run_names
from ecs_cd_sandbox.azure_devops.definitions import Environment, PipelineDefinition
from ecs_cd_sandbox.azure_devops.environments import Approval, Environments
from ecs_cd_sandbox.azure_devops.expressions import ROOT_VARIABLE
from ecs_cd_sandbox.azure_devops.graph import check
from ecs_cd_sandbox.azure_devops.links import Project
from ecs_cd_sandbox.azure_devops.run import QueueRequest, Run
from ecs_cd_sandbox.azure_devops.run_number import RunNumberError, run_number
from ecs_cd_sandbox.azure_devops.run_variables import Resources, service_variables
from ecs_cd_sandbox.azure_devops.runtime_expressions import Evaluator, RuntimeExpressionError
from ecs_cd_sandbox.azure_devops.timeline import Issue, Timeline
from ecs_cd_sandbox.azure_devops.variables import Variables


class RunRefused(Exception):
    """No run can be made of a request; the message says why."""


class State:
    """Pipelines and runs. Hold `lock` to read or change anything; call `changed` after a change."""

    def __init__(
        self,
        definitions: Iterable[PipelineDefinition],
        clock: Callable[[], datetime],
        project: Project,
        environments: Iterable[Environment] = (),
        first_run_id: int = 1,
    ) -> None:
        """Start with some pipelines and no run."""
        self._first_run_id = first_run_id
        self.lock = threading.Condition(threading.RLock())
        self.clock = clock
        self.definitions = {definition.id: definition for definition in definitions}
        self.runs: dict[int, Run] = {}
        self.project = project
        self.environments = Environments(environments, clock)
        self.approvals: dict[str, Approval] = {}
        self.agents_online = True
        self.closing = False
        self.news = False
        """Whether anything changed since the orchestrator looked last."""
        self._counters: dict[tuple[int, str], int] = {}

    def changed(self) -> None:
        """Wake whoever waits for a change. The lock must be held."""
        self.news = True
        self.lock.notify_all()

    def written(self) -> None:
        """Wake whoever waits for a change that moves no run on, such as a line of a log. The lock must be held."""
        self.lock.notify_all()

    def wait_for(self, predicate: Callable[[], bool], timeout: float) -> None:
        """Wait until `predicate` holds; it is evaluated under the lock.

        Raises:
            TimeoutError: it did not come to hold within `timeout` seconds.
        """
        with self.lock:
            if not self.lock.wait_for(predicate, timeout):
                raise TimeoutError(f"the awaited state was not reached within {timeout} s")

    def count(self, definition: PipelineDefinition, what: str, seed: int = 1) -> int:
        """Return the next number of a pipeline's counter; the first is the seed."""
        key = (definition.id, what)
        self._counters[key] = self._counters.get(key, seed - 1) + 1
        return self._counters[key]

    def resources(self, run: Run) -> Resources:
        """Return the runs that a run uses, by alias; one that was deleted is not there any more."""
        return {alias: self.runs[number] for alias, number in run.resources.items() if number in self.runs}

    def known_variables(self, run: Run) -> Variables:
        """Return what the service knows of a run: what it sets itself, and the variables of the whole pipeline."""
        system = service_variables(run, self.resources(run), self.project)
        return level_variables(system, run.variables)

    def new_run(self, request: QueueRequest, delay: float = 0.0) -> Run:
        """Record a new run, with its stages pending; it is not admitted before `delay` seconds have passed.

        Raises:
            RunRefused: the pipeline's graph, variables or run name are wrong.
        """
        with self.lock:
            now = self.clock()
            run = Run(
                id=max(self.runs, default=self._first_run_id - 1) + 1,
                number="",
                revision=1,
                request=request,
                queue_time=now,
                changed=now,
                changed_by=request.requested_by,
                not_before=now + timedelta(seconds=delay),
                timeline=Timeline(self.clock),
                tags=list(request.tags),
                resources=dict(request.resources),
            )
            try:
                check(request.definition)
                run.variables = self._variables(run)
                run.number, run.revision = run_number(
                    request.definition.run_name,
                    self.known_variables(run),
                    now,
                    lambda text: self.count(request.definition, f"number {text}"),
                )
            except (ValueError, RuntimeExpressionError, RunNumberError) as error:
                raise RunRefused(str(error)) from error
            for stage in request.definition.stages:
                record = run.plan_stage(stage)
                if stage.name.lower() in request.stages_to_skip:
                    run.timeline.finish_below(record, "skipped")
            self.runs[run.id] = run
            return run

    def forget(self, run: Run) -> None:
        """Delete a run that is over, with its approvals."""
        del self.runs[run.id]
        self.approvals = {key: approval for key, approval in self.approvals.items() if approval.run_id != run.id}

    def new_failed_run(self, request: QueueRequest, messages: Iterable[str]) -> Run:
        """Record a run that failed before it began, with the reasons as issues."""
        with self.lock:
            run = self.new_run(request)
            run.problems = tuple(messages)
            record = run.timeline.add("Stage", "__default", parent=None, identifier="__default")
            for message in run.problems:
                run.timeline.add_issue(record, Issue("error", message))
            run.timeline.finish(record, "failed")
            run.start_time = run.queue_time
            run.end("failed")
            self.changed()
            return run

    def _variables(self, run: Run) -> Variables:
        """Return the variables of the whole pipeline: its own, its secrets, and what whoever queued it set."""
        definition, request = run.definition, run.request
        # A file was expanded with the variables given, and may have set them itself.
        asked = Variables(request.variables if definition.file is None else {})
        given = level_variables(Variables(definition.secrets, secret=True), asked)
        evaluator = Evaluator(
            level_variables(self.known_variables(run), given),
            run_names(run, self.resources(run)),
            ROOT_VARIABLE,
            lambda prefix, seed: self.count(definition, f"counter {prefix}", seed),
        )
        own = {name: value for name, value in definition.variables.items() if name not in given}
        return level_variables(evaluator.evaluate(own), given)
