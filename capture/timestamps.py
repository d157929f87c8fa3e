"""Repairs the time stamps of a container so that they increase steadily."""

from __future__ import annotations

import math

_USUAL_FPS = 25.0
_LARGEST_FPS = 1000.0
_DISORDER_S = 1.0
"""A step back by less is disorder among frames; by more, the source has started counting again."""
_SMALLEST_STEP_S = 1e-6
_LARGEST_GAP_S = 3600.0
"""A step forward by more is a fault in the stamps, not a pause."""


class TimestampRepair:
    """Strictly rising times in seconds; if the reported ones do not rise, the frame rate fills in.

    Reported times are kept as they are, so that variable frame rates and pauses stay true.
    """

    def __init__(self, fps: float) -> None:
        usable = 1 / _LARGEST_GAP_S <= fps <= _LARGEST_FPS  # False for NaN
        self.interval_s = 1 / (fps if usable else _USUAL_FPS)
        """Seconds a frame lasts by the announced rate."""
        self.count = 0
        """Stamps given so far."""
        self._last_s = 0.0
        self._offset_s = 0.0

    @property
    def end_s(self) -> float:
        """When the last frame stamped so far is over; 0 before the first."""
        return self._last_s + self.interval_s if self.count else 0.0

    def next(self, reported_s: float) -> float:
        """The stamp of the next frame, for which the container reports `reported_s`."""
        if not math.isfinite(reported_s):
            reported_s = 0.0
        stamp_s = self._following(reported_s) if self.count else self._starting(reported_s)
        self.count += 1
        self._last_s = stamp_s
        return stamp_s

    def _starting(self, reported_s: float) -> float:
        if 0 <= reported_s <= _LARGEST_GAP_S:
            return reported_s
        # A stamp of many hours is where a longer recording was cut; this file starts at 0.
        self._offset_s = -reported_s
        return 0.0

    def _following(self, reported_s: float) -> float:
        step_s = reported_s + self._offset_s - self._last_s
        if _SMALLEST_STEP_S <= step_s <= _LARGEST_GAP_S:
            return self._last_s + step_s
        stamp_s = self._last_s + self.interval_s
        # A jump moves the offset, so that later frames keep their distances; disorder is only smoothed over.
        if not -_DISORDER_S <= step_s < _SMALLEST_STEP_S:
            self._offset_s = stamp_s - reported_s
        return stamp_s
