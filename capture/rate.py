"""Noticing that a live camera sends too few pictures. Pure."""

from __future__ import annotations

from collections import deque

_KEPT = 4
"""Intervals of which the median counts: a single pause or a burst says nothing."""
_CLEAR_RATIO = 1.2
"""How far above the limit the rate must be to count as good again."""


class FrameRateMonitor:
    """Times of arrival in, `too_slow` out."""

    def __init__(self, slow_fps: float) -> None:
        """`slow_fps`: fewer pictures a second are too few; 0 allows any rate."""
        self._longest_s = 1 / slow_fps if slow_fps > 0 else float("inf")
        self._intervals: deque[float] = deque(maxlen=_KEPT)
        self._last_s: float | None = None
        self.too_slow = False

    @property
    def interval_s(self) -> float:
        """The usual time between two pictures; 0 if it is not known yet."""
        return sorted(self._intervals)[len(self._intervals) // 2] if self._intervals else 0.0

    def step(self, now: float) -> bool:
        """Take the arrival of a picture; True if `too_slow` has changed."""
        if self._last_s is not None:
            self._intervals.append(now - self._last_s)
        self._last_s = now
        before = self.too_slow
        # A single interval may be the pause in which the camera started.
        if len(self._intervals) >= 2:
            limit_s = self._longest_s / _CLEAR_RATIO if before else self._longest_s
            self.too_slow = self.interval_s > limit_s
        return self.too_slow != before
