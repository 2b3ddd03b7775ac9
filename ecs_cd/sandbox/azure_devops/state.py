"""What the service remembers: pipelines and runs, behind one lock that also announces every change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from ecs_cd.sandbox.azure_devops.definitions import PipelineDefinition
from ecs_cd.sandbox.azure_devops.run import QueueRequest, Run
from ecs_cd.sandbox.azure_devops.timeline import Timeline


class State:
    """Pipelines and runs. Hold `lock` to read or change anything; call `changed` after a change."""

    def __init__(self, definitions: Iterable[PipelineDefinition], clock: Callable[[], datetime]) -> None:
        """Start with some pipelines and no run."""
        self.lock = threading.Condition(threading.RLock())
        self.clock = clock
        self.definitions = {definition.id: definition for definition in definitions}
        self.runs: dict[int, Run] = {}
        self.closing = False

    def changed(self) -> None:
        """Wake whoever waits for a change. The lock must be held."""
        self.lock.notify_all()

    def wait_for(self, predicate: Callable[[], bool], timeout: float) -> None:
        """Wait until `predicate` holds; it is evaluated under the lock.

        Raises:
            TimeoutError: it did not come to hold within `timeout` seconds.
        """
        with self.lock:
            if not self.lock.wait_for(predicate, timeout):
                raise TimeoutError(f"the awaited state was not reached within {timeout} s")

    def new_run(self, request: QueueRequest, delay: float = 0.0) -> Run:
        """Record a new run, with its stages pending; it is not admitted before `delay` seconds have passed."""
        with self.lock:
            now = self.clock()
            day = f"{now:%Y%m%d}"
            revision = 1 + sum(
                1
                for run in self.runs.values()
                if run.definition.id == request.definition.id and run.number.startswith(f"{day}.")
            )
            run = Run(
                id=max(self.runs, default=0) + 1,
                number=f"{day}.{revision}",
                revision=revision,
                request=request,
                queue_time=now,
                changed=now,
                changed_by=request.requested_by,
                not_before=now + timedelta(seconds=delay),
                timeline=Timeline(self.clock),
                tags=list(request.tags),
            )
            for stage in request.definition.stages:
                record = run.plan_stage(stage)
                if stage.name.lower() in request.stages_to_skip:
                    run.timeline.finish_below(record, "skipped")
            self.runs[run.id] = run
            return run
