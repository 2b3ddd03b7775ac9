"""Requests at a rate, whoever sends them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.support.rate_limit import RateLimit
from tests.support.fakes import FakeClock


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    clock = FakeClock()
    rate = RateLimit(10, 5, clock)
    began = clock.now()
    moments = []
    for _ in range(25):
        rate.take()
        moments.append(round(clock.now() - began, 3))
    assert moments[:5] == [0.0] * 5
    assert moments[5:] == [round(0.1 * n, 3) for n in range(1, 21)]


def test_a_long_rest_earns_no_more_than_the_burst() -> None:
    clock = FakeClock()
    rate = RateLimit(10, 5, clock)
    clock.advance(60)
    began = clock.now()
    for _ in range(10):
        rate.take()
    assert round(clock.now() - began, 3) == 0.5


@given(st.lists(st.floats(0, 3), max_size=60))
def test_no_second_ever_has_more_than_burst_and_rate(pauses: list[float]) -> None:
    clock = FakeClock()
    rate = RateLimit(10, 5, clock)
    moments = []
    for pause in pauses:
        clock.advance(pause)
        rate.take()
        moments.append(clock.now())
    for at in moments:
        assert sum(at <= other < at + 1 for other in moments) <= 5 + 10 + 1
