"""The protocol in time: how long it waits for what, what it reports, and what it says at the deadline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from ecs_cd.errors import DeadlineReached, ServiceUnavailable, Throttled, Unreachable
from ecs_cd.model.events import Event, LockMet, RunChanged, RunChosen, Warned
from ecs_cd.model.image import ImageTag
from ecs_cd.model.parameter import ParameterChange, Recorded
from ecs_cd.model.run import FinishedRun, Pipeline, Run, RunOrigin, RunRequest, RunState, TimelineRecord
from ecs_cd.run.carry import MAX_UNCERTAIN, UNCERTAIN_PAUSE, carry_change
from ecs_cd.run.pipelines import Pipelines
from ecs_cd.support.deadline import Deadline
from tests.support.azure_in_memory import LOCK_ERROR, AzureState, LockBehavior, MemoryAzureDevOps, RunEnd
from tests.support.fakes import FakeClock

CHANGE = ParameterChange("/api/dev/tag", ImageTag("226"), "225", "226", 2, Recorded.WRITTEN)
MAIN = "refs/heads/main"
WORK = 30.0
"""Seconds that a run takes."""


class Running(MemoryAzureDevOps):
    """An organization with agents: a run starts `delay` seconds after it was queued, and takes `WORK`.

    While `held` it meets the state lock at once instead.
    """

    def __init__(
        self, clock: FakeClock, *, delay: float = 5.0, held: float = 0.0, log: tuple[str, ...] = LOCK_ERROR
    ) -> None:
        super().__init__(AzureState(LockBehavior.NONE))
        self.clock = clock
        self.delay = delay
        self.held_until = clock.now() + held
        self.log = log
        self.polls = 0

    def queue(self, request: RunRequest) -> Run:
        run = super().queue(request)
        self.clock.later(self.delay, lambda: self._start(run.id))
        return run

    def run(self, run_id: int) -> Run:
        self.polls += 1
        return super().run(run_id)

    def log_tail(self, run_id: int, log_id: int, lines: int) -> tuple[str, ...]:
        return self.log

    def _start(self, run_id: int) -> None:
        if not self.state.run(run_id).waits:
            return
        self.state = self.state.start(run_id)
        if self.clock.now() < self.held_until:
            self.clock.later(1.0, lambda: self._end(run_id, RunEnd.LOCKED))
        else:
            self.clock.later(WORK, lambda: self._end(run_id, RunEnd.SUCCESS))

    def _end(self, run_id: int, how: RunEnd) -> None:
        if not self.state.run(run_id).state.ended:
            self.state = self.state.end(run_id, how)


def carried(
    azure: Running | Failing, clock: FakeClock, *, seconds: float = 1800, events: list[Event] | None = None
) -> FinishedRun:
    reported: list[Event] = events if events is not None else []
    deadline = Deadline.after(seconds, clock)
    infrastructure = Pipeline(7, "infrastructure")
    pipelines = cast("Pipelines", azure)
    return carry_change(pipelines, infrastructure, "main", CHANGE, deadline=deadline, watch=reported.append)


def test_a_run_is_queued_followed_and_reported_as_ours() -> None:
    clock, events = FakeClock(), list[Event]()
    finished = carried(Running(clock), clock, events=events)
    assert finished.run and finished.run.state is RunState.SUCCEEDED
    assert (finished.origin, finished.attempts) == (RunOrigin.QUEUED, 1)
    assert [type(event) for event in events] == [RunChosen, RunChanged, RunChanged, RunChanged]


def test_a_run_that_waits_already_is_joined() -> None:
    clock = FakeClock()
    azure = Running(clock)
    azure.queue(RunRequest(Pipeline(7), MAIN))
    assert carried(azure, clock).origin is RunOrigin.JOINED
    assert len(azure.state.runs) == 1


def test_nothing_is_slept_between_queueing_and_the_first_look() -> None:
    clock = FakeClock()
    azure = Running(clock)
    with pytest.raises(DeadlineReached):
        carried(azure, clock, seconds=0.5)
    assert clock.slept == [0.5]
    assert azure.polls == 1


def test_the_deadline_says_which_run_was_followed_and_what_it_was_at() -> None:
    clock = FakeClock()
    with pytest.raises(DeadlineReached, match=r"Gave up after 20 s.*while following run") as caught:
        carried(Running(clock), clock, seconds=20)
    assert caught.value.details == (
        "Stage 'Plan' is in progress.",
        "Stage 'Apply' is in progress.",
        "Job 'terraform' is in progress.",
    )


@pytest.mark.parametrize("held", [1.0, 20.0, 300.0])
def test_a_lock_held_by_somebody_else_is_waited_for(held: float) -> None:
    clock, events = FakeClock(), list[Event]()
    azure = Running(clock, held=held)
    finished = carried(azure, clock, events=events)
    waits = [event for event in events if isinstance(event, LockMet)]
    assert finished.attempts == len(azure.state.runs) == len(waits) + 1
    assert {event.lock.who for event in waits} <= {"somebody@else"}
    assert all(event.pause in clock.slept for event in waits)


def test_the_waits_for_a_lock_grow_and_no_two_deliveries_wait_alike() -> None:
    def pauses() -> list[float]:
        clock, events = FakeClock(), list[Event]()
        carried(Running(clock, held=300), clock, events=events)
        return [event.pause for event in events if isinstance(event, LockMet)]

    first, second = pauses(), pauses()
    assert first != second
    assert 7 <= first[0] <= 13
    assert first[4] > first[0]


def test_a_plan_that_went_stale_is_tried_again_without_the_pause_for_a_lock() -> None:
    clock, events = FakeClock(), list[Event]()
    finished = carried(Running(clock, held=1.0, delay=0, log=("Error: Saved plan is stale",)), clock, events=events)
    assert finished.attempts == 2
    assert [event.pause for event in events if isinstance(event, LockMet)] == [0.0]


def test_with_a_run_at_work_the_next_one_is_queued() -> None:
    clock, events = FakeClock(), list[Event]()
    azure = Running(clock, delay=0)
    azure.queue(RunRequest(Pipeline(7), MAIN))
    clock.sleep(1)
    assert carried(azure, clock, events=events).origin is RunOrigin.QUEUED
    assert len(azure.state.runs) == 2


def test_who_hesitates_joins_the_run_that_somebody_queued_meanwhile() -> None:
    clock, events = FakeClock(), list[Event]()
    azure = Running(clock, delay=0)
    azure.queue(RunRequest(Pipeline(7), MAIN))
    clock.sleep(1)

    def somebody_queues() -> None:
        azure.queue(RunRequest(Pipeline(7), MAIN))

    clock.later(1e-9, somebody_queues)
    finished = carried(azure, clock, events=events)
    assert (finished.origin, finished.run and finished.run.id, len(azure.state.runs)) == (RunOrigin.JOINED, 2, 2)


def test_the_deadline_ends_the_wait_for_a_lock_and_names_its_holder() -> None:
    clock = FakeClock()
    with pytest.raises(DeadlineReached, match=r"waiting for Terraform's state lock: somebody@else holds it") as caught:
        carried(Running(clock, delay=0, held=9e9), clock, seconds=8.0)  # no look after 2.4 s, no pause below 7 s
    assert "force-unlock" not in caught.value.hint


def test_of_an_old_lock_the_way_to_free_it_is_named_and_not_gone() -> None:
    clock, events = FakeClock(), list[Event]()
    created = clock.utc() - timedelta(hours=3)
    log = (*LOCK_ERROR, f"  Created:   {created:%Y-%m-%d %H:%M:%S}.1 +0000 UTC")
    with pytest.raises(DeadlineReached) as caught:
        carried(Running(clock, held=9e9, log=log), clock, seconds=60, events=events)
    assert "`terraform force-unlock 0a1b`" in caught.value.hint
    assert any(isinstance(event, Warned) and "terraform force-unlock 0a1b" in event.message for event in events)


def test_a_wrong_address_is_reported_at_once_and_not_at_the_deadline() -> None:
    clock = FakeClock()
    azure = Failing(Running(clock), {"active": [Unreachable("No route.")]})
    with pytest.raises(Unreachable):
        carried(azure, clock)
    assert clock.slept == []


class Failing:
    """Fails these calls first, each with the next of its errors."""

    def __init__(self, azure: Running, errors: dict[str, list[Exception]]) -> None:
        self._azure = azure
        self._errors = errors
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*given: object) -> object:
            self.calls.append(name)
            if self._errors.get(name):
                raise self._errors[name].pop(0)
            return getattr(self._azure, name)(*given)

        return call


def test_short_failures_are_outlived_once_azure_devops_has_answered() -> None:
    clock = FakeClock()
    errors: dict[str, list[Exception]] = {
        "run": [Unreachable("No route."), Throttled("Slow down.")],
        "records": [ServiceUnavailable("503")],
    }
    assert carried(Failing(Running(clock), errors), clock).run


def test_a_queueing_that_may_have_been_done_is_looked_for_before_the_next_try() -> None:
    clock = FakeClock()
    azure = Failing(Running(clock), {"queue": [ServiceUnavailable("503")] * MAX_UNCERTAIN})
    assert carried(azure, clock).origin is RunOrigin.QUEUED
    assert [name for name in azure.calls if name in ("active", "queue")][:6] == ["active", "queue"] * (
        MAX_UNCERTAIN + 1
    )


def test_a_queueing_that_fails_again_and_again_is_a_failure_for_each_may_be_one_more_run() -> None:
    clock = FakeClock()
    azure = Failing(Running(clock), {"queue": [ServiceUnavailable("503")] * 99})
    with pytest.raises(ServiceUnavailable):
        carried(azure, clock)
    assert azure.calls.count("queue") == MAX_UNCERTAIN + 1


def test_a_throttled_queueing_is_tried_until_it_is_let_through() -> None:
    clock = FakeClock()
    azure = Failing(Running(clock), {"queue": [Throttled("429")] * 9})
    assert carried(azure, clock).run


@pytest.mark.parametrize(("after", "pause"), [(45.0, 45.0), (0.5, UNCERTAIN_PAUSE), (0.0, UNCERTAIN_PAUSE)])
def test_a_failed_queueing_is_tried_again_no_sooner_than_azure_devops_asked_for(after: float, pause: float) -> None:
    clock, error = FakeClock(), Throttled("429")
    error.after = after
    azure = Failing(Running(clock), {"queue": [error]})
    assert carried(azure, clock).run
    assert clock.slept[0] == pause


def test_what_was_not_written_is_not_carried() -> None:
    clock = FakeClock()
    azure = Running(clock)
    with pytest.raises(ValueError, match="nothing to carry"):
        carry_change(
            azure,
            Pipeline(7),
            "main",
            replace(CHANGE, dry_run=True),
            deadline=Deadline.after(9, clock),
            watch=lambda _: None,
        )
    assert azure.state.runs == ()


def test_an_interrupt_leaves_every_run_alone() -> None:
    clock = FakeClock()
    azure = Running(clock)

    def stop() -> None:
        raise KeyboardInterrupt

    clock.later(12, stop)
    with pytest.raises(KeyboardInterrupt):
        carried(azure, clock)
    assert azure.state.runs[0].state is RunState.RUNNING
    assert TimelineRecord("s", "", "Stage", "Apply", "inProgress", order=2) in azure.records(1)


# The change must be readable before a run is queued


def carried_when(
    azure: Running, clock: FakeClock, is_readable: Callable[[], bool], events: list[Event] | None = None
) -> FinishedRun:
    return carry_change(
        azure,
        Pipeline(7),
        MAIN,
        CHANGE,
        deadline=Deadline.after(1800, clock),
        watch=(events if events is not None else []).append,
        is_readable=is_readable,
    )


def test_a_change_that_can_be_read_is_asked_for_once_and_nothing_is_waited_for() -> None:
    clock = FakeClock()
    asked: list[float] = []

    def is_readable() -> bool:
        asked.append(clock.now())
        return True

    carried_when(Running(clock), clock, is_readable)
    assert asked == [1000.0]


def test_no_run_is_queued_before_the_change_can_be_read() -> None:
    clock = FakeClock()
    queued: list[float] = []

    class Noting(Running):
        def queue(self, request: RunRequest) -> Run:
            queued.append(self.clock.now())
            return super().queue(request)

    carried_when(Noting(clock), clock, lambda: clock.now() >= 1003.0)
    assert len(queued) == 1 and queued[0] >= 1003.0


def test_a_change_that_stays_unreadable_is_a_warning_and_the_run_is_queued() -> None:
    clock = FakeClock()
    events: list[Event] = []
    assert carried_when(Running(clock), clock, lambda: False, events).run
    assert [event.message for event in events if isinstance(event, Warned)] == [
        "Parameter Store does not show yet what was written; the run is queued all the same."
    ]


def test_a_run_that_waits_is_joined_whether_the_change_can_be_read_or_not() -> None:
    clock = FakeClock()
    azure = Running(clock)
    azure.queue(RunRequest(Pipeline(7), MAIN))
    events: list[Event] = []
    assert carried_when(azure, clock, lambda: False, events).origin is RunOrigin.JOINED
    assert not [event for event in events if isinstance(event, Warned)]
