"""Step 4: have a run carry a change: the protocol of `sharing`, with the waits between its states (rules 9, 16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ecs_cd.errors import DeadlineReached
from ecs_cd.model.events import Event, LockMet, RunChanged, RunChosen, Warned, Watch
from ecs_cd.model.parameter import ParameterChange
from ecs_cd.model.run import FinishedRun, Pipeline, Run, RunProgress, RunRequest
from ecs_cd.run.follow import BACKOFF, describe_progress
from ecs_cd.run.pipelines import Pipelines, full_ref
from ecs_cd.run.sharing import next_state
from ecs_cd.run.states import (
    Acting,
    Done,
    Following,
    Hesitating,
    Looking,
    Queued,
    QueueFailed,
    ReadyToQueue,
    Start,
    State,
    WaitingForHolders,
    WaitingForLock,
)
from ecs_cd.support.concurrency import Background
from ecs_cd.support.deadline import Deadline
from ecs_cd.support.retry import NOT_YET, Backoff, NotYet, RandomDelay, wait_at_most, wait_for

LOCK_BACKOFF = Backoff(first=10.0, factor=1.5, most=60.0, jitter=0.3)
"""Seconds until the next attempt after a state lock."""

HESITATION = RandomDelay(most=4.0)
"""Seconds before a run is queued where others may be about to queue one as well."""

READABLE_WAIT = 10.0
"""Seconds that a change may take until it can be read: Parameter Store's reads are eventually consistent."""
READABLE_BACKOFF = Backoff(first=0.2, factor=2.0, most=2.0)

MAX_UNCERTAIN = 2
"""So often may queueing fail without an answer: each time may have queued one more run."""
UNCERTAIN_PAUSE = 2.0
"""Seconds until the next look after that."""


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
    is_readable: Callable[[], bool] | None = None,
) -> FinishedRun:
    """Have a run carry `change`: join one or queue one, and follow it to its end.

    `is_readable` says whether the change can be read already. It is asked while the runs are listed, and a run is not
    queued before it is so, or a few seconds have passed.

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
    loop = _Loop(pipelines, request, deadline, watch, is_readable)
    try:
        return loop.run_to_end()
    except DeadlineReached as error:
        error.add(hint=loop.lock_advice)
        raise


@dataclass
class _Loop:
    """The loop that waits. `run` is the run last followed, `last` its latest state; `lock_advice` is on an old lock."""

    pipelines: Pipelines
    request: RunRequest
    deadline: Deadline
    watch: Watch
    is_readable: Callable[[], bool] | None
    run: Run | None = None
    last: RunProgress | None = None
    lock_advice: str = ""
    seen: Background[bool] | None = None

    def run_to_end(self) -> FinishedRun:
        state: State = Start()
        lock_pauses = LOCK_BACKOFF.delays()
        while not isinstance(state, Done):
            match state:
                case WaitingForLock():
                    self._wait_for_lock(state, 0.0 if state.lock.stale else next(lock_pauses))
                    state = state.then
                case QueueFailed():
                    self._wait_after_failed_queue(state)
                    state = state.then
                case Hesitating():
                    self.deadline.sleep(HESITATION.pause(), self._doing(state))
                    state = state.then
                case Start():  # a wrong address is reported at once, and not at the deadline
                    state = self._first_look(state)
                case Looking() | ReadyToQueue() | WaitingForHolders() | Queued() | Following():
                    state = self._wait_for_change(state)
        return state.finished

    def _first_look(self, state: Start) -> State:
        """Look at the runs, and meanwhile at the change."""
        self.seen = Background(self.is_readable) if self.is_readable else None
        after = self._next(state)
        if self.seen:
            self.seen.result()
        return after

    def _next(self, state: Acting) -> State:
        return next_state(self.pipelines, self.request, state, self._report, before_queueing=self._wait_until_readable)

    def _wait_until_readable(self) -> None:
        if self.is_readable is None or self.seen is None or self.seen.result():
            return
        look, self.seen = self.is_readable, None
        seconds = min(READABLE_WAIT, self.deadline.remaining())
        found = wait_at_most(
            lambda: look() or NOT_YET, seconds=seconds, clock=self.deadline.clock, backoff=READABLE_BACKOFF
        )
        if found is NOT_YET:
            self.watch(Warned("Parameter Store does not show yet what was written; the run is queued all the same."))

    def _wait_for_change(self, state: Acting) -> State:
        """Ask again and again until the state changes."""
        after: State = state

        def changed() -> bool | NotYet:
            nonlocal after
            after = self._next(state)
            return NOT_YET if after == state else True

        try:
            wait_for(changed, deadline=self.deadline, backoff=BACKOFF, doing=self._doing(state))
        except DeadlineReached as error:
            if self.last and _followed(state) == self.last.run.id:
                error.add(describe_progress(self.last), link=self.last.run.url)
            raise
        return after

    def _wait_after_failed_queue(self, state: QueueFailed) -> None:
        """Wait a little before looking whether a run was queued all the same."""
        error = state.error
        if state.then.known.attempts.uncertain > MAX_UNCERTAIN:
            raise error
        self.deadline.sleep(max(UNCERTAIN_PAUSE, error.after), self._doing(state), last=error)

    def _wait_for_lock(self, state: WaitingForLock, pause: float) -> None:
        """Wait before the next attempt after a state lock."""
        now = self.deadline.clock.utc()
        description, advice = state.lock.describe(now), state.lock.advice(now)
        if self.run:
            self.watch(LockMet(self.run, state.lock, description, pause))
        if advice:
            self.watch(Warned(advice))
            self.lock_advice = advice
        self.deadline.sleep(pause, f"waiting for Terraform's state lock: {description}")

    def _doing(self, state: State) -> str:
        if self.run and _followed(state) == self.run.id:
            return f"following run {self.run.name}"
        if isinstance(state, WaitingForHolders):
            return "waiting for the runs under way, one of which may hold Terraform's state lock"
        return f"looking for a run of pipeline {self.request.pipeline.path} to join, or queueing one"

    def _report(self, event: Event) -> None:
        """Pass an event on, but of the followed run only what has changed since the last look."""
        if isinstance(event, RunChosen):
            self.run, self.last = event.run, None
        if isinstance(event, RunChanged):
            if event.progress == self.last:
                return
            self.run, self.last = event.progress.run, event.progress
        self.watch(event)


def _followed(state: State) -> int | None:
    match state:
        case Queued():
            return state.run_id
        case Following():
            return state.run.id
        case _:
            return None
