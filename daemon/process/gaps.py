"""Detects that the process, or the whole machine, stood still."""

from __future__ import annotations

import time
from collections.abc import Callable

GAP_S = 30.0
"""Seconds from which a gap is announced: there were no warnings meanwhile."""


def boottime() -> float:
    """Seconds since the machine started, those of a suspend included."""
    # CLOCK_MONOTONIC stops during a suspend, CLOCK_BOOTTIME does not (clock_gettime(2)).
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class GapMonitor:
    """`step` is called several times a second; a long time between two calls is a gap."""

    def __init__(self, clock: Callable[[], float] = boottime, gap_s: float = GAP_S) -> None:
        self._clock = clock
        self._gap_s = gap_s
        self._last_s = clock()

    def step(self) -> float:
        """Seconds of the gap that has just ended; 0 if there was none."""
        now, last_s = self._clock(), self._last_s
        self._last_s = now
        return now - last_s if now - last_s >= self._gap_s else 0.0
