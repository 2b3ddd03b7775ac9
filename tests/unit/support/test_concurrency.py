from __future__ import annotations

import _thread
import threading

import pytest

from ecs_cd.support.concurrency import Background, Once, batches, run_all, run_together, run_within
from tests.support.fakes import FakeClock


def test_answers_come_in_the_order_of_the_calls() -> None:
    second_done = threading.Event()

    def first() -> int:
        assert second_done.wait(10)
        return 1

    def second() -> str:
        second_done.set()
        return "2"

    assert run_together(first, second) == (1, "2")


def test_the_first_error_ends_the_wait_for_the_others() -> None:
    never = threading.Event()

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_all([lambda: never.wait(60), fail])
    never.set()


def test_calls_not_yet_begun_are_dropped_after_the_first_error() -> None:
    """The thread of the call that failed may have begun the next one by then, but none after that."""
    threads: list[threading.Thread] = []
    begun: list[int] = []
    raised = threading.Event()

    def fail() -> None:
        threads.append(threading.current_thread())
        raise ValueError("no")

    def later(number: int) -> None:
        begun.append(number)
        assert raised.wait(10)

    with pytest.raises(ValueError, match="no"):
        run_all([fail, *[lambda number=number: later(number) for number in range(5)]], most=1)
    raised.set()
    threads[0].join(10)
    assert not threads[0].is_alive()
    assert begun in ([], [0])


def test_an_interruption_does_not_wait_for_the_calls() -> None:
    never = threading.Event()

    def interrupt() -> bool:
        _thread.interrupt_main()
        return True

    with pytest.raises(KeyboardInterrupt):
        run_all([lambda: never.wait(60), interrupt, lambda: never.wait(60)])
    never.set()


def test_no_more_run_at_once_than_allowed() -> None:
    running = threading.Semaphore(2)
    free: list[bool] = []

    def call() -> None:
        free.append(running.acquire(blocking=False))
        running.release()

    run_all([call] * 20, most=2)
    assert free == [True] * 20


def test_a_call_that_takes_longer_than_allowed_has_no_answer() -> None:
    never, clock = threading.Event(), FakeClock()

    def others() -> int:
        clock.advance(11)
        return 1

    assert run_within(10, clock, [lambda: never.wait(60), others]) == [None, 1]
    never.set()


def test_calls_in_time_all_answer_and_the_first_error_is_raised() -> None:
    assert run_within(10, FakeClock(), [lambda: 1, lambda: 2]) == [1, 2]
    assert run_within(10, FakeClock(), []) == []
    with pytest.raises(ZeroDivisionError):
        run_within(10, FakeClock(), [lambda: 1 // 0])


def test_threads_do_not_keep_a_process_from_ending() -> None:
    seen: list[bool] = []
    run_all([lambda: seen.append(threading.current_thread().daemon)] * 3)
    assert seen == [True] * 3


def test_batches_hold_everything_once() -> None:
    assert batches([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert batches([], 2) == []


def test_a_call_in_the_background_returns_what_it_returned_as_often_as_it_is_asked() -> None:
    begun = threading.Event()
    call = Background(lambda: begun.wait(5))
    begun.set()
    assert call.result() and call.result()


def test_what_a_call_in_the_background_raises_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Background(fail).result()


def test_an_answer_is_made_once_for_a_key_and_others_wait_for_it() -> None:
    once, asking = Once[int](), threading.Barrier(3)
    made: list[str] = []

    def ask() -> int:
        asking.wait(5)
        return once.get("key", make)

    def make() -> int:
        made.append("key")
        return len(made)

    assert run_all([ask, ask, ask]) == [1, 1, 1]
    assert once.get("other", lambda: 7) == 7
    assert made == ["key"]


def test_an_error_is_made_once_too() -> None:
    once = Once[int]()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            once.get("key", lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        once.get("key", lambda: 1)
