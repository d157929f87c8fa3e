"""When the device is given more, or less, in advance."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from speech.latency import CALM_S, LIMIT, SETTLE_S, STEPS_S, WINDOW_S, LatencyPolicy


def opened() -> LatencyPolicy:
    policy = LatencyPolicy()
    policy.opened(0.0)
    return policy


def test_repeated_underruns_raise_it_one_step() -> None:
    policy = opened()
    assert policy.latency_s == STEPS_S[0]
    assert not policy.wants_reopening(LIMIT - 1, True, SETTLE_S + 1)
    assert policy.wants_reopening(LIMIT, True, SETTLE_S + 2)
    assert policy.latency_s == STEPS_S[1]


def test_rare_ones_and_those_of_the_start_do_not() -> None:
    policy = opened()
    assert not policy.wants_reopening(50, True, SETTLE_S / 2)
    for number in range(20):
        assert not policy.wants_reopening(51 + number, True, SETTLE_S + number * WINDOW_S)


def test_it_waits_until_nothing_sounds() -> None:
    policy = opened()
    assert not policy.wants_reopening(LIMIT, False, SETTLE_S + 1)
    assert policy.wants_reopening(LIMIT, True, SETTLE_S + 2)


def test_after_a_long_calm_less_is_tried_again() -> None:
    policy = opened()
    assert policy.wants_reopening(LIMIT, True, SETTLE_S + 1)
    policy.opened(10.0)
    assert not policy.wants_reopening(0, True, CALM_S)
    assert policy.wants_reopening(0, True, 10.0 + CALM_S)
    assert policy.latency_s == STEPS_S[0]
    policy.opened(2 * CALM_S)
    assert not policy.wants_reopening(0, True, 9 * CALM_S)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.floats(0, 100)), max_size=100))
def test_it_stays_on_the_ladder_one_step_at_a_time(history: list[tuple[int, bool, float]]) -> None:
    policy, now, underruns = opened(), 0.0, 0
    for new, idle, after_s in history:
        now, underruns = now + after_s, underruns + new
        before = STEPS_S.index(policy.latency_s)
        changed = policy.wants_reopening(underruns, idle, now)
        assert abs(STEPS_S.index(policy.latency_s) - before) == int(changed)
        if changed:
            policy.opened(now)
            underruns = 0
