from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from capture.source_clock import SourceClock, StampTrust

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


@given(st.floats(-1e9, 1e9), st.integers(2, 400))
def test_a_stamp_that_stays_makes_no_picture_old(stamp: float, count: int) -> None:
    """Some cameras send the same stamp with each picture; taken for time, it would stand still."""
    clock = SourceClock()
    assert all(clock.delay_s(stamp, i / 10, caught_up=True) == 0.0 for i in range(count))


def test_stamps_in_whole_seconds_tell_of_delays_once_a_second() -> None:
    clock = SourceClock()
    found = [clock.delay_s(float(i // 10), i / 10, caught_up=True) for i in range(50)]
    assert max(found) < 1e-6
    assert abs(clock.delay_s(5.0, 7.0, caught_up=True) - 2.0) < 1e-6


@given(st.floats(0.0, 0.9), st.sampled_from([4, 10, 25]))
def test_stamps_of_another_pace_are_given_up(pace: float, fps: int) -> None:
    """A camera that counts 25 pictures a second while it sends 20: its pictures do not get older."""
    clock = SourceClock()
    seconds = int(21 / (1 - pace)) + 2
    found = [clock.delay_s(pace * i / fps, i / fps, caught_up=True) for i in range(seconds * fps)]
    assert found[-1] == 0.0
    # A source that begins again is believed again.
    assert clock.delay_s(-100.0, seconds + 1.0, caught_up=True) == 0.0
    assert clock.delay_s(-99.9, seconds + 2.0, caught_up=True) > 0.8


def test_a_clock_that_drifts_is_believed() -> None:
    """100 parts in a million, for three days: every minute a picture, and at the end one that is late."""
    clock = SourceClock()
    for minute in range(3 * 24 * 60):
        clock.delay_s(minute * 60 * (1 - 1e-4), minute * 60.0, caught_up=True)
    now = 3 * 24 * 3600.0
    clock.delay_s(now * (1 - 1e-4), now, caught_up=True)
    assert abs(clock.delay_s(now * (1 - 1e-4) + 1, now + 4, caught_up=True) - 3.0) < 0.01


def at_pace(trust: StampTrust, pace: float, seconds: int) -> list[float]:
    """The delays of a new connection to a camera, ten pictures a second."""
    clock = SourceClock(trust)
    return [clock.delay_s(pace * i / 10, i / 10, caught_up=True) for i in range(10 * seconds)]


def test_stamps_of_another_pace_are_not_believed_on_the_next_connection() -> None:
    """Each connection took 100 s to find it out anew, during which the pictures counted as late."""
    trust = StampTrust()
    assert max(at_pace(trust, 0.8, 110)) > 5
    assert trust.disproved
    for _ in range(2):
        assert max(at_pace(trust, 0.8, 110)) == 0.0


def test_stamps_that_keep_time_again_are_believed_again_after_a_while() -> None:
    trust = StampTrust()
    at_pace(trust, 0.8, 110)
    clock = SourceClock(trust)
    for i in range(320):
        clock.delay_s(i / 10, i / 10 + 0.3 * (i % 2), caught_up=True)
    assert not trust.disproved
    assert clock.delay_s(32.0, 35.0, caught_up=True) == 3.0
    assert SourceClock(trust).delay_s(1.0, 1.0, caught_up=True) == 0.0


def test_a_late_connection_is_known_to_be_late_before_and_after_another_one() -> None:
    """A network that delays by up to six seconds disproves nothing."""
    trust = StampTrust()
    for _ in range(2):
        clock = SourceClock(trust)
        found = [clock.delay_s(i / 10, i / 10 + min(6.0, i / 50), caught_up=True) for i in range(600)]
        assert max(found) > 5
    assert not trust.disproved
