"""Waits between attempts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from common.backoff import Backoff


def test_waits_double_up_to_their_cap_and_start_anew() -> None:
    backoff = Backoff(1, 60)
    assert [backoff.next_s() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff.failures == 8
    backoff.reset()
    assert (backoff.failures, backoff.next_s()) == (0, 1)


@given(st.floats(0.01, 5), st.floats(0.01, 60), st.floats(0, 1), st.integers(1, 20))
def test_waits_grow_to_their_cap(first_s: float, cap_s: float, jitter: float, tries: int) -> None:
    backoff = Backoff(first_s, cap_s, lambda: jitter)
    waits = [backoff.next_s() for _ in range(tries)]
    assert all(0 < wait <= cap_s for wait in waits)
    assert all(a <= b for a, b in pairwise(waits))
    backoff.reset()
    assert backoff.next_s() == waits[0]
