"""The one loop that waits, and the one deadline that ends it (rule 16)."""

from __future__ import annotations

import random
from datetime import timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.errors import AccessDenied, DeadlineReached, Throttled, TooSoon, Unreachable
from ecs_cd.support.clock import SystemClock
from ecs_cd.support.deadline import Deadline, format_duration
from ecs_cd.support.retry import NOT_YET, Backoff, MayPass, RandomDelay, retry, retryable, wait_at_most, wait_for
from tests.support.fakes import FakeClock


class _Looks:
    """Answers given one after another; an error among them is raised. The last is given for ever."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.count = 0

    def __call__(self) -> object:
        answer = self.answers[min(self.count, len(self.answers) - 1)]
        self.count += 1
        if isinstance(answer, BaseException):
            raise answer
        return answer


def asked_to_wait(seconds: float) -> Throttled:
    error = Throttled("Slow down.")
    error.after = seconds
    return error


def waited(look: _Looks, clock: FakeClock, seconds: float = 60, tolerate: type[Throttled] | None = None) -> object:
    backoff = Backoff(first=1, factor=2, most=8, jitter=0)
    deadline = Deadline.after(seconds, clock)
    if tolerate:
        return wait_for(look, deadline=deadline, backoff=backoff, doing="testing", tolerate=tolerate)
    return wait_for(look, deadline=deadline, backoff=backoff, doing="testing")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (600, "10 min"),
        (3599.7, "1 h"),
        (5400, "1 h 30 min"),
        (90000, "25 h"),
    ],
)
def test_a_length_of_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert format_duration(seconds) == said


def test_pauses_grow_to_the_most_and_stay_there() -> None:
    delays = Backoff(first=1, factor=2, most=8, jitter=0).delays()
    assert [next(delays) for _ in range(6)] == [1, 2, 4, 8, 8, 8]


@given(seed=st.integers(), jitter=st.floats(0, 0.9), factor=st.floats(1, 4))
def test_jitter_keeps_every_pause_within_its_bounds(seed: int, jitter: float, factor: float) -> None:
    backoff = Backoff(first=1, factor=factor, most=10, jitter=jitter, chance=random.Random(seed))
    steady = Backoff(first=1, factor=factor, most=10, jitter=0).delays()
    for _, varied, plain in zip(range(20), backoff.delays(), steady, strict=False):
        assert plain * (1 - jitter) <= varied <= plain * (1 + jitter) + 1e-9


def test_jitter_keeps_two_waits_from_marching_in_step() -> None:
    one, other = Backoff(chance=random.Random(1)).delays(), Backoff(chance=random.Random(2)).delays()
    assert [next(one) for _ in range(5)] != [next(other) for _ in range(5)]


def test_the_first_answer_ends_the_wait_without_a_pause() -> None:
    clock = FakeClock()
    assert waited(_Looks("found"), clock) == "found"
    assert clock.slept == []


def test_it_looks_until_there_is_an_answer() -> None:
    clock = FakeClock()
    assert waited(_Looks(NOT_YET, NOT_YET, "found"), clock) == "found"
    assert clock.slept == [1, 2]


@pytest.mark.parametrize("answer", [None, 0, False, "", ()])
def test_whatever_is_not_not_yet_is_an_answer(answer: object) -> None:
    clock = FakeClock()
    assert waited(_Looks(NOT_YET, answer), clock) is answer
    assert clock.slept == [1]


def test_what_may_pass_by_itself_does_not_end_the_wait() -> None:
    assert waited(_Looks(Unreachable("No route."), Throttled("Slow down."), "found"), FakeClock()) == "found"


def test_any_other_error_ends_the_wait_at_once() -> None:
    look = _Looks(AccessDenied("No."))
    with pytest.raises(AccessDenied):
        waited(look, FakeClock())
    assert look.count == 1


def test_an_obstacle_that_is_not_to_be_tolerated_ends_the_wait() -> None:
    look = _Looks(Unreachable("No route."))
    with pytest.raises(Unreachable):
        waited(look, FakeClock(), tolerate=Throttled)
    assert look.count == 1


@pytest.mark.parametrize("answer", [DeadlineReached("Over."), TooSoon("Over.")])
def test_an_error_that_answers_the_question_is_not_waited_out(answer: Exception) -> None:
    look = _Looks(answer)
    with pytest.raises(type(answer), match="Over"):
        waited(look, FakeClock())
    assert look.count == 1


def test_the_service_is_given_the_time_it_asks_for() -> None:
    clock = FakeClock()
    waited(_Looks(asked_to_wait(30), NOT_YET, "found"), clock)
    assert clock.slept == [30, 2]


def test_a_short_time_asked_for_does_not_shorten_the_pause() -> None:
    clock = FakeClock()
    waited(_Looks(NOT_YET, NOT_YET, asked_to_wait(0.1), "found"), clock)
    assert clock.slept == [1, 2, 4]


@given(allowed=st.floats(0, 100), asked=st.floats(0, 1000))
def test_the_deadline_is_reached_and_never_overslept(allowed: float, asked: float) -> None:
    clock = FakeClock()
    start = clock.now()
    with pytest.raises(DeadlineReached):
        waited(_Looks(NOT_YET, asked_to_wait(asked), NOT_YET), clock, allowed)
    assert clock.now() - start == pytest.approx(allowed, abs=1e-6)


def test_the_end_says_what_was_waited_for_how_long_and_the_last_obstacle() -> None:
    with pytest.raises(DeadlineReached) as caught:
        waited(_Looks(Throttled("Slow down."), Unreachable("No route.")), FakeClock(), 90)
    assert "1 min 30 s" in caught.value.message
    assert "while testing" in caught.value.message
    assert "last obstacle: No route." in caught.value.message
    assert "`timeout=`" in caught.value.hint


def test_an_obstacle_that_passed_is_not_blamed() -> None:
    with pytest.raises(DeadlineReached) as caught:
        waited(_Looks(Throttled("Slow down."), NOT_YET), FakeClock())
    assert "obstacle" not in caught.value.message


def test_ctrl_c_during_a_pause_ends_the_wait() -> None:
    clock = FakeClock()

    def interrupt() -> None:
        raise KeyboardInterrupt

    clock.later(3, interrupt)
    with pytest.raises(KeyboardInterrupt):
        waited(_Looks(NOT_YET), clock)


STEADY = Backoff(first=1, factor=2, most=8, jitter=0)


def called(call: _Looks, clock: FakeClock, may_pass: MayPass = retryable, most_wait: float = 60) -> object:
    return retry(call, clock=clock, backoff=STEADY, attempts=4, may_pass=may_pass, most_wait=most_wait)


def test_a_call_that_succeeds_is_made_once() -> None:
    clock = FakeClock()
    assert called(_Looks(None), clock) is None
    assert clock.slept == []


def test_a_call_is_made_again_after_what_may_pass() -> None:
    clock = FakeClock()
    assert called(_Looks(Unreachable("No route."), asked_to_wait(5), "done"), clock) == "done"
    assert clock.slept == [1, 5]


def test_the_last_attempt_s_error_is_raised_as_it_is() -> None:
    last = Unreachable("Still no route.")
    call, clock = _Looks(Throttled("Slow down."), Unreachable("No route."), Unreachable("No route."), last), FakeClock()
    with pytest.raises(Unreachable) as caught:
        called(call, clock)
    assert caught.value is last
    assert call.count == 4
    assert clock.slept == [1, 2, 4]


def test_what_is_declared_not_retryable_is_not_tried_again() -> None:
    call, clock = _Looks(AccessDenied("No.")), FakeClock()
    with pytest.raises(AccessDenied):
        called(call, clock)
    assert call.count == 1
    assert clock.slept == []


def test_a_foreign_error_is_judged_by_the_caller() -> None:
    def may_pass(error: Exception) -> float | None:
        return 3.0 if str(error) == "busy" else None

    clock = FakeClock()
    with pytest.raises(ValueError, match="broken"):
        called(_Looks(ValueError("busy"), ValueError("broken")), clock, may_pass)
    assert clock.slept == [3]


def test_a_pause_longer_than_what_is_left_of_the_wait_is_not_begun() -> None:
    call, clock = _Looks(Unreachable("No route."), asked_to_wait(10)), FakeClock()
    with pytest.raises(Throttled):
        called(call, clock, most_wait=10.5)
    assert call.count == 2
    assert clock.slept == [1]


@given(asked=st.lists(st.floats(0, 20), max_size=6), most_wait=st.floats(0, 40), seed=st.integers())
def test_attempts_and_pauses_keep_to_their_limits(asked: list[float], most_wait: float, seed: int) -> None:
    call, clock = _Looks(*map(asked_to_wait, asked), Unreachable("No route.")), FakeClock()
    backoff = Backoff(first=1, factor=2, most=8, chance=random.Random(seed))
    with pytest.raises((Throttled, Unreachable)):
        retry(call, clock=clock, backoff=backoff, attempts=4, may_pass=retryable, most_wait=most_wait)
    assert 1 <= call.count <= 4
    assert len(clock.slept) == call.count - 1
    assert sum(clock.slept) <= most_wait + 1e-9
    assert all(slept >= least for slept, least in zip(clock.slept, asked, strict=False))


def test_a_wait_of_a_few_seconds_ends_without_an_answer() -> None:
    clock = FakeClock()
    assert wait_at_most(_Looks(NOT_YET), seconds=5, clock=clock, backoff=STEADY) is NOT_YET
    assert clock.slept == [1, 2]


def test_a_wait_of_a_few_seconds_ends_with_the_answer() -> None:
    clock = FakeClock()
    assert wait_at_most(_Looks(NOT_YET, None), seconds=5, clock=clock, backoff=STEADY) is None
    assert clock.slept == [1]


def test_without_time_to_wait_it_is_looked_once() -> None:
    look = _Looks(NOT_YET)
    assert wait_at_most(look, seconds=0, clock=FakeClock(), backoff=STEADY) is NOT_YET
    assert look.count == 1


def test_a_wait_of_a_few_seconds_tolerates_no_error() -> None:
    look = _Looks(Unreachable("No route."))
    with pytest.raises(Unreachable):
        wait_at_most(look, seconds=5, clock=FakeClock(), backoff=STEADY)
    assert look.count == 1


def test_nothing_remains_after_the_deadline() -> None:
    clock = FakeClock()
    deadline = Deadline.after(5, clock)
    assert deadline.remaining() == 5
    clock.advance(7)
    assert deadline.remaining() == 0
    with pytest.raises(DeadlineReached):
        deadline.sleep(1, "testing")
    assert clock.slept == [0]


def test_the_systems_clock_never_goes_back_and_speaks_utc() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0)
    assert clock.now() >= before
    assert clock.utc().tzinfo is timezone.utc


@given(st.randoms(use_true_random=False), st.floats(0.1, 60))
def test_a_hesitation_is_at_most_what_it_may_be(chance: random.Random, most: float) -> None:
    assert 0 <= RandomDelay(most, chance).pause() <= most * (1 + 1e-9)


@pytest.mark.parametrize("crowd", [2, 8, 40])
def test_of_a_crowd_that_hesitates_one_is_ahead_by_a_margin_that_hardly_depends_on_its_size(crowd: int) -> None:
    hesitation = RandomDelay(4.0, random.Random(1))
    close = 0
    for _ in range(1000):
        first, second, *_ = sorted(hesitation.pause() for _ in range(crowd))
        close += second - first < 0.1
    assert close < 250  # were all pauses as likely, 40 would be as close as that in 640 of 1,000 cases
