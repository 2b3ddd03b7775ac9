"""What the service remembers: pipelines and runs, behind one lock that also announces every change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime

from ecs_cd_sandbox.azure_devops.model.definitions import Environment, PipelineDefinition
from ecs_cd_sandbox.azure_devops.model.environments import Approval, Environments
from ecs_cd_sandbox.azure_devops.model.links import Project
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.azure_devops.model.run_variables import Resources, service_variables
from ecs_cd_sandbox.azure_devops.model.variables import Variables, merge_variables


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
        self.first_run_id = first_run_id
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
        return merge_variables(system, run.variables)

    def forget(self, run: Run) -> None:
        """Delete a run that is over, with its approvals."""
        del self.runs[run.id]
        self.approvals = {key: approval for key, approval in self.approvals.items() if approval.run_id != run.id}
