"""Durations of each stage from frame to sound, and counts.

Each stage keeps its last measurements for percentiles, and counts all since the start in fixed buckets, as
Prometheus' histograms do.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

SAMPLES_KEPT = 1000
"""Measurements kept of each stage."""
BUCKETS_S = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 10.0),
)
"""Upper bounds in seconds, each included; longer durations have a bucket of their own."""


@dataclass(slots=True)
class _Stage:
    last: deque[float]
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Histogram:
    """All measurements of a stage since the start."""

    buckets: tuple[tuple[float, int], ...]
    """(upper bound in seconds, how many were no longer)."""
    sum_s: float
    count: int


class Metrics:
    """Durations in seconds by stage, and counts. Used by several threads; never waits for long."""

    def __init__(self, samples_kept: int = SAMPLES_KEPT) -> None:
        self._samples_kept = samples_kept
        self._stages: dict[str, _Stage] = {}
        self._counts: dict[str, Counter[str]] = {}
        self._lock = threading.Lock()  # held for microseconds; percentiles are computed outside it

    def record(self, stage: str, seconds: float) -> None:
        """Add one measurement in seconds."""
        # Outside the lock, which the detection thread takes for every frame.
        bucket = bisect_left(BUCKETS_S, seconds)
        with self._lock:
            stage_record = self._stages.get(stage)
            if stage_record is None:
                stage_record = self._stages[stage] = _Stage(deque(maxlen=self._samples_kept))
            stage_record.last.append(seconds)
            stage_record.counts[bucket] += 1
            stage_record.total_s += seconds

    def count(self, what: str, which: str) -> None:
        """Increment a count."""
        with self._lock:
            self._counts.setdefault(what, Counter())[which] += 1

    def counts(self, what: str) -> Mapping[str, int]:
        """Return the counts of each kind."""
        with self._lock:
            return dict(self._counts.get(what, {}))

    def histogram(self, stage: str) -> Histogram:
        """Return the histogram of all measurements of a stage; empty if there are none."""
        with self._lock:
            stage_record = self._stages.get(stage) or _Stage(deque())
            cumulative, total_s = tuple(accumulate(stage_record.counts)), stage_record.total_s
        return Histogram(tuple(zip(BUCKETS_S, cumulative, strict=False)), total_s, cumulative[-1])

    def percentiles(self) -> Mapping[str, Mapping[str, float]]:
        """Median, 95th and 99th percentile of the last samples in milliseconds, and the number of all."""
        with self._lock:
            stages = {name: np.array(stage.last) for name, stage in self._stages.items()}
            totals = {name: sum(stage.counts) for name, stage in self._stages.items()}
        return {name: _summary(values, totals[name]) for name, values in stages.items()}


def _summary(seconds: np.ndarray[tuple[int], np.dtype[np.float64]], total: int) -> Mapping[str, float]:
    p50, p95, p99 = (round(float(v) * 1000, 2) for v in np.percentile(seconds, [50, 95, 99]))
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "count": total}
