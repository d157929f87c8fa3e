"""Durations counted in buckets that only ever grow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.runtime.metrics import BUCKETS_S, Metrics


@given(st.lists(st.floats(0, 20)))
def test_every_measurement_is_in_each_bucket_that_is_no_shorter(seconds: list[float]) -> None:
    ledger = Metrics(samples_kept=5)
    for one in seconds:
        ledger.record("decide", one)
    told = ledger.histogram("decide")
    assert told.count == len(seconds)
    assert abs(told.sum_s - sum(seconds)) < 1e-6
    assert told.buckets == tuple((bound, sum(one <= bound for one in seconds)) for bound in BUCKETS_S)
    if seconds:
        assert ledger.percentiles()["decide"]["count"] == len(seconds)


def test_counts_of_each_kind() -> None:
    ledger = Metrics()
    for hazard in ("fire", "dog", "fire"):
        ledger.count("alerts", hazard)
    assert ledger.counts("alerts") == {"fire": 2, "dog": 1}
    assert ledger.counts("nothing") == {}
    assert ledger.histogram("nothing").count == 0
