"""How long things take, from frame to ear: the last measurements of each stage and their percentiles."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

import numpy as np

KEPT = 1000
"""Measurements kept of each stage."""


class Ledger:
    """Durations in seconds by stage. Used by several threads; never waits for long."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._stages: dict[str, deque[float]] = {}
        self._totals: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, stage: str, seconds: float) -> None:
        """Add one measurement; the oldest is forgotten."""
        with self._lock:
            self._stages.setdefault(stage, deque(maxlen=self._kept)).append(seconds)
            self._totals[stage] = self._totals.get(stage, 0) + 1

    def percentiles(self) -> Mapping[str, Mapping[str, float]]:
        """Median, 95th and 99th percentile of the kept ones in milliseconds, and how many there ever were."""
        with self._lock:
            stages = {name: np.array(values) for name, values in self._stages.items()}
            totals = dict(self._totals)
        return {name: _summary(values, totals[name]) for name, values in stages.items()}


def _summary(seconds: np.ndarray[tuple[int], np.dtype[np.float64]], total: int) -> Mapping[str, float]:
    p50, p95, p99 = (round(float(v) * 1000, 2) for v in np.percentile(seconds, [50, 95, 99]))
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "count": total}
