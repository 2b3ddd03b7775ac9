"""Step 4: the moves of `carriage`, made until the change has been carried; the waits between them (rules 9 and 16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from ecs_cd.errors import DeadlineReached, TryLater
from ecs_cd.model.events import Event, LockMet, RunChanged, RunChosen, Warned, Watch
from ecs_cd.model.parameter import ParameterChange
from ecs_cd.model.run import FinishedRun, Pipeline, Run, RunProgress, RunRequest
from ecs_cd.model.state_lock import StateLock
from ecs_cd.run.follow import PACE, describe_progress
from ecs_cd.run.pipelines import Pipelines, full_ref
from ecs_cd.run.sharing import Carriage, turn
from ecs_cd.support.deadline import Deadline
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, RandomDelay, wait_for

LOCK_PACE = Backoff(first=10.0, factor=1.5, most=60.0, jitter=0.3)
"""Seconds until the next try after a state lock."""

HESITATION = RandomDelay(most=4.0)
"""Seconds before a run is queued where others may be about to queue one as well."""

MOST_DOUBTS = 2
"""So often may queueing fail without telling whether it was done: each time may be one more run."""
DOUBT_PAUSE = 2.0
"""Seconds until the next try after that."""


def carry_change(
    pipelines: Pipelines,
    infrastructure: Pipeline,
    branch: str,
    change: ParameterChange,
    *,
    deadline: Deadline,
    watch: Watch,
    template_parameters: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
) -> FinishedRun:
    """Have a run carry `change`: join one or queue one, and follow it to its end.

    Raises:
        RunFailed: with the failing task's name, its first error lines and the link (rule 11).
        RunCancelled: with the name of the person who did it.
        DeadlineReached: nothing has ended in time; what was queued goes on by itself.
        DeliveryFailed: as `Pipelines.queue` says.
        ValueError: `change` was a dry run; there is nothing to carry.
    """
    if change.dry_run:
        raise ValueError(f"{change.name} was not written, so there is nothing to carry")
    request = RunRequest(infrastructure, full_ref(branch), template_parameters or {}, variables or {})
    carrying = _Carrying(pipelines, deadline, watch)
    try:
        return carrying.through(Carriage(request))
    except DeadlineReached as error:
        error.add(hint=carrying.advice)
        raise


@dataclass
class _Carrying:
    """One delivery's moves. `run` is the run it follows, `last` what it saw of it; `advice`: on an old lock it met."""

    pipelines: Pipelines
    deadline: Deadline
    watch: Watch
    run: Run | None = None
    last: RunProgress | None = None
    advice: str = ""

    def through(self, known: Carriage) -> FinishedRun:
        pauses = LOCK_PACE.delays()
        while known.finished is None:
            if known.lock:
                known = self._patient(known, known.lock, 0.0 if known.lock.stale else next(pauses))
            elif known.doubt:
                known = self._doubting(known, known.doubt)
            elif known.crowded:
                self.deadline.sleep(HESITATION.pause(), self._doing(known))
                known = replace(known, crowded=False)
            elif known.asked:
                known = self._moved(known)
            else:  # a wrong address is told at once, and not at the deadline
                known = turn(self.pipelines, known, self._tell)
        return known.finished

    def _moved(self, known: Carriage) -> Carriage:
        """Make the same move again and again until something has come of it."""
        try:
            return wait_for(partial(self._new, known), deadline=self.deadline, pace=PACE, doing=self._doing(known))
        except DeadlineReached as error:
            if self.last and known.following == self.last.run.id:
                error.add(describe_progress(self.last), link=self.last.run.url)
            raise

    def _new(self, known: Carriage) -> Carriage | NotYet:
        after = turn(self.pipelines, known, self._tell)
        return NOT_YET if after == known else after

    def _doubting(self, known: Carriage, doubt: TryLater) -> Carriage:
        """Wait a little before looking whether a run was queued all the same."""
        if known.doubts > MOST_DOUBTS:
            raise doubt
        self.deadline.sleep(max(DOUBT_PAUSE, doubt.after), self._doing(known), last=doubt)
        return replace(known, doubt=None)

    def _patient(self, known: Carriage, lock: StateLock, pause: float) -> Carriage:
        """Wait before the next try after a state lock; a plan that went stale met one that is free again."""
        now = self.deadline.clock.utc()
        said, advice = lock.said(now), lock.advice(now)
        if self.run:
            self.watch(LockMet(self.run, lock, said, pause))
        if advice:
            self.watch(Warned(advice))
            self.advice = advice
        self.deadline.sleep(pause, f"waiting for Terraform's state lock: {said}")
        return replace(known, lock=None)

    def _doing(self, known: Carriage) -> str:
        if self.run and known.following == self.run.id:
            return f"following run {self.run.name}{f' ({self.run.url})' if self.run.url else ''}"
        if known.holders:
            return "waiting for the runs under way, one of which may hold Terraform's state lock"
        return f"looking for a run of pipeline {known.request.pipeline.path} to join, or queueing one"

    def _tell(self, event: Event) -> None:
        """Pass an event on, the first look at a run always, and of a run that is as it was, none."""
        if isinstance(event, RunChosen):
            self.run, self.last = event.run, None
        if isinstance(event, RunChanged):
            if event.progress == self.last:
                return
            self.run, self.last = event.progress.run, event.progress
        self.watch(event)
