"""Rate limits hold for each client, and their memory is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from common.rate_limit import MOST_CLIENTS, RateLimiter


@given(st.lists(st.floats(0, 5), max_size=80))
def test_no_client_gets_more_than_its_share(waits: list[float]) -> None:
    buckets, now, taken = RateLimiter(2.0, 5.0), 0.0, 0
    for wait_s in waits:
        now += wait_s
        taken += buckets.take("a", now) == 0.0
    assert taken <= 5.0 + 2.0 * now + 1e-6


def test_many_clients_fill_no_memory() -> None:
    buckets = RateLimiter(1.0, 1.0)
    for number in range(3 * MOST_CLIENTS):
        buckets.take(str(number), 0.0)
    assert len(buckets._buckets) == MOST_CLIENTS
