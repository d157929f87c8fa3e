"""When the device is given more, or less, in advance."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from speech.playback.latency_policy import CALM_S, LIMIT, SETTLE_S, STEPS_S, WINDOW_S, LatencyPolicy


def opened() -> LatencyPolicy:
    policy = LatencyPolicy()
    policy.opened(0.0)
    return policy


def stalls(policy: LatencyPolicy, from_s: float, underruns: int = 0, *, idle: bool = True) -> list[bool]:
    """Three stalls of some blocks each, a second apart; what came of each look at them."""
    return [
        policy.wants_reopening(underruns + 2 * number, idle, from_s + number)
        for number in range(1, LIMIT + 1)
    ]


def test_repeated_stalls_raise_it_one_step() -> None:
    policy = opened()
    assert policy.latency_s == STEPS_S[0]
    assert stalls(policy, SETTLE_S) == [False, False, True]
    assert policy.latency_s == STEPS_S[1]


def test_one_long_stall_is_one_however_many_blocks_it_took() -> None:
    policy = opened()
    looks = [policy.wants_reopening(10 * number, True, SETTLE_S + number * 0.05) for number in range(9)]
    assert not any(looks)
    assert not policy.wants_reopening(80, True, SETTLE_S + WINDOW_S - 1)


def test_a_device_that_never_keeps_up_is_given_more_within_two_seconds() -> None:
    policy = opened()
    looks = [policy.wants_reopening(number, True, SETTLE_S + number * 0.05) for number in range(1, 40)]
    assert sum(looks) == 1


def test_rare_ones_and_those_of_the_start_do_not() -> None:
    policy = opened()
    assert not policy.wants_reopening(50, True, SETTLE_S / 2)
    for number in range(20):
        assert not policy.wants_reopening(51 + number, True, SETTLE_S + number * WINDOW_S)


def test_it_waits_until_nothing_sounds() -> None:
    policy = opened()
    assert not any(stalls(policy, SETTLE_S, idle=False))
    assert policy.wants_reopening(2 * LIMIT, True, SETTLE_S + 5)


def test_after_a_calm_less_is_tried_again() -> None:
    policy = opened()
    assert stalls(policy, SETTLE_S)[-1]
    policy.opened(10.0)
    assert not policy.wants_reopening(0, True, 9.0 + CALM_S[0])
    assert policy.wants_reopening(0, True, 10.0 + CALM_S[0])
    assert policy.latency_s == STEPS_S[0]
    policy.opened(20.0 + CALM_S[0])
    assert not policy.wants_reopening(0, True, 9 * CALM_S[-1])


def test_what_did_not_hold_is_tried_less_and_less_often() -> None:
    policy, now, waited = opened(), 10.0, []
    for _ in range(6):
        assert stalls(policy, now)[-1]
        policy.opened(now := now + 10)
        began_s = now
        while not policy.wants_reopening(0, True, now):
            now += 1
        waited.append(now - began_s)
        policy.opened(now)
        now += 5
    assert waited == [120, 300, 600, 600, 600, 600]


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
