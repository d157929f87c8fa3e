from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from capture.source_clock import SourceClock

delays = st.lists(st.floats(0, 20), min_size=1, max_size=60)


@given(delays, st.floats(-1e6, 1e6))
def test_the_delay_is_that_beyond_the_least_so_far(late: list[float], zero: float) -> None:
    clock, least = SourceClock(), float("inf")
    for i, delay in enumerate(late):
        sent = 20.0 * i  # apart by more than any delay, so that they arrive in order
        least = min(least, delay)
        found = clock.delay_s(zero + sent, sent + delay, caught_up=False)
        assert abs(found - (delay - least)) < 1e-3


def test_a_backlog_that_lasts_does_not_become_the_usual() -> None:
    clock = SourceClock()
    clock.delay_s(0.0, 0.1, caught_up=True)
    for i in range(1, 1000):
        found = clock.delay_s(i / 10, i / 10 + 5.1, caught_up=False)
    assert abs(found - 5.0) < 1e-6


def test_a_source_that_stood_still_is_the_usual_again_after_the_window() -> None:
    """A camera whose stamps only count its pictures: after a pause they lie behind for ever."""
    clock = SourceClock()
    for i in range(100):
        clock.delay_s(i / 10, i / 10, caught_up=True)
    found = [clock.delay_s(10 + i / 10, 24 + i / 10, caught_up=True) for i in range(400)]
    assert found[0] > 13
    assert found[-1] < 0.01


def test_stamps_that_begin_again_are_fitted_anew() -> None:
    clock = SourceClock()
    clock.delay_s(1000.0, 1.0, caught_up=True)
    assert clock.delay_s(0.0, 2.0, caught_up=False) == 0.0
    assert clock.delay_s(float("nan"), 3.0, caught_up=True) == 0.0
    assert clock.delay_s(500.0, 4.0, caught_up=True) == 0.0
