"""How far a run is inside the engine: each of its stages, and each job that was handed to the agents.

The timeline says what is over and how it ended; here is what a client does not see. The engine's lock guards it all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from ecs_cd_sandbox.azure_devops.model.cancellation import Cancellation
from ecs_cd_sandbox.azure_devops.model.definitions import JobDefinition, StageDefinition, StepDefinition
from ecs_cd_sandbox.azure_devops.model.environments import KnownEnvironment
from ecs_cd_sandbox.azure_devops.model.timeline import Issue, Record, Timeline
from ecs_cd_sandbox.azure_devops.model.variables import Variables

StageState = Literal["waiting", "checking", "running"]
"""Before what it depends on is over, before its checks have passed, with its jobs at work (or done)."""

JobState = Literal["ready", "running", "done"]
"""Before an agent, on an agent, over."""


def _after(minutes: float) -> float | None:
    """Return the moment some minutes from now, by a clock that nobody sets; 0 minutes is no limit."""
    return time.monotonic() + timedelta(minutes=minutes).total_seconds() if minutes else None


@dataclass(eq=False)
class JobRun:
    """One job of a run, or one hook of a deployment job: what an agent takes and carries out."""

    timeline: Timeline
    definition: JobDefinition
    steps: tuple[StepDefinition, ...]
    phase: Record
    record: Record
    variables: Variables
    hook: str = ""
    state: JobState = "ready"
    stopping: bool = False
    """Whether it was told to stop: only steps that run even so are still to come."""
    out_of_time: bool = False
    """Whether even those have had their time."""
    signal: Cancellation = field(default_factory=Cancellation)
    """What the step going on now listens to; each step has its own."""
    step_overdue: bool = False
    _deadline: float | None = None
    _step_deadline: float | None = None

    def begin(self, worker: str) -> None:
        """Put it on an agent."""
        self.state = "running"
        for record in (self.timeline.parent(self.phase), self.phase, self.record):
            if record and record.state == "pending":
                self.timeline.start(record, worker if record is self.record else None)
        self._deadline = _after(self.definition.timeout)

    def begin_step(self, minutes: float) -> Cancellation:
        """Return the signal for the coming step, which has so many minutes, or as many as the job if 0."""
        if not self.out_of_time:
            self.signal = Cancellation()
        self.step_overdue, self._step_deadline = False, _after(minutes)
        return self.signal

    def end_step(self) -> None:
        """Note that no step goes on."""
        self._step_deadline = None

    def stop(self) -> None:
        """Tell it to stop; one that no agent has yet is over at once. Telling it again changes nothing."""
        if self.state == "ready":
            self.timeline.finish(self.record, "canceled")
            self.state = "done"
        if self.state == "done" or self.stopping:
            return
        self.stopping = True
        self._deadline = _after(self.definition.cancel_timeout)
        self.signal.set()

    def abort(self) -> None:
        """Have it end as soon as it can, with no further step."""
        self.stop()
        self.out_of_time = True
        self.signal.set()

    def next_deadline(self) -> float | None:
        """Return when to look at it again, on the clock of `time.monotonic`."""
        known = [moment for moment in (self._deadline, self._step_deadline) if moment is not None]
        return min(known) if known and self.state == "running" else None

    def keep_time(self) -> bool:
        """Stop what has had its time; say whether anything was done."""
        now, acted = time.monotonic(), False
        if self.state != "running":
            return False
        if self._step_deadline is not None and self._step_deadline <= now:
            self._step_deadline, self.step_overdue, acted = None, True, True
            self.signal.set()
        if self._deadline is not None and self._deadline <= now:
            self._deadline, acted = None, True
            if self.stopping:
                self.abort()
            else:
                self.timeline.add_issue(self.record, Issue("error", self._overdue()))
                self.stop()
        return acted

    def _overdue(self) -> str:
        limit = f"{self.definition.timeout:g} minutes"
        return f"The job running on agent {self.record.worker} ran longer than the maximum time of {limit}."


@dataclass(eq=False)
class StageRun:
    """One attempt of one stage."""

    definition: StageDefinition
    state: StageState = "waiting"
    stopping: bool = False
    """Whether it was told to stop."""
    variables: Variables = field(default_factory=Variables)
    """The stage's own, as they were when it began."""
    environments: tuple[KnownEnvironment, ...] = ()
    """What its jobs deploy to."""
    checkpoint: str | None = None
    """The id of the record of its checks; None before they began, empty if it has none."""
    approvals: list[str] = field(default_factory=list)
    """The ids of its approvals."""
    wants_locks: bool = False
    """Whether it has come so far as to wait for its locks, or has them."""
    jobs: dict[str, JobRun] = field(default_factory=dict)
    """The last thing an agent was given of each job, by the id of the job's `Phase` record."""

    def stop(self) -> None:
        """Tell it, and what is at work in it, to stop."""
        self.stopping = True
        for job in self.jobs.values():
            job.stop()
