"""How much a device is given in advance: as little as it bears."""

from __future__ import annotations

from collections import deque

STEPS_S = (0.03, 0.045, 0.07, 0.12, 0.24)
"""Seconds of sound in the device's buffer."""
SETTLE_S = 3.0
"""Underruns within this time after opening are the server's starting, not ours."""
WINDOW_S = 30.0
LIMIT = 3
"""So many underruns within the window ask for the next step."""
CALM_S = 600.0
"""So long without one, and a lower step is tried again."""


class LatencyPolicy:
    """Steps up after repeated underruns, down after a long calm. Pure: takes counts and times."""

    def __init__(self) -> None:
        self._step = 0
        self._opened_at_s = 0.0
        self._counted = 0
        self._recent: deque[float] = deque(maxlen=LIMIT)
        self._calm_since_s = 0.0

    @property
    def latency_s(self) -> float:
        """What to open the device with."""
        return STEPS_S[self._step]

    def opened(self, now: float) -> None:
        """A stream was opened; its underruns count from 0."""
        self._opened_at_s = self._calm_since_s = now
        self._counted = 0
        self._recent.clear()

    def wants_reopening(self, underruns: int, idle: bool, now: float) -> bool:
        """Take in the stream's count; True once, while idle, when the latency has changed."""
        new, self._counted = underruns - self._counted, underruns
        if now - self._opened_at_s < SETTLE_S:
            return False
        if new:
            self._calm_since_s = now
            self._recent.extend([now] * min(new, LIMIT))
        return idle and self._changed(now)

    def _changed(self, now: float) -> bool:
        before = self._step
        if len(self._recent) == LIMIT and now - self._recent[0] <= WINDOW_S:
            self._step = min(self._step + 1, len(STEPS_S) - 1)
            self._recent.clear()
        elif now - self._calm_since_s >= CALM_S:
            self._step = max(self._step - 1, 0)
            self._calm_since_s = now
        return self._step != before
