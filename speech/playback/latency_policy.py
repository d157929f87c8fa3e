"""Decides the size of the device's buffer: as small as the device plays without stalls."""

from __future__ import annotations

from collections import deque

STEPS_S = (0.03, 0.045, 0.07, 0.12, 0.24)
"""Seconds of sound in the device's buffer."""
SETTLE_S = 3.0
"""Underruns within this time after opening are the server's starting, not ours."""
WINDOW_S = 30.0
LIMIT = 3
"""So many stalls within the window ask for the next step."""
STALL_S = 0.5
"""Underruns closer together than this are one stall, however many blocks it took: a machine that stood still
for a moment will not do better with a slightly larger buffer."""
CALM_S = (120.0, 300.0, 600.0)
"""So long without an underrun, and a lower step is tried again; longer each time that it did not hold.

Not sooner, for a device that is being opened again is silent meanwhile."""


class LatencyPolicy:
    """Steps up after repeated stalls, down after a calm. Pure: takes counts and times."""

    def __init__(self) -> None:
        self._step = 0
        self._opened_at_s = 0.0
        self._counted = 0
        self._recent: deque[float] = deque(maxlen=LIMIT)
        self._calm_since_s = 0.0
        self._relapses = 0
        self._lowered_at_s: float | None = None

    @property
    def latency_s(self) -> float:
        """The parameters for opening the device."""
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
        if new > 0:
            self._calm_since_s = now
            if not self._recent or now - self._recent[-1] >= STALL_S:
                self._recent.append(now)
        return idle and self._changed(now)

    def _changed(self, now: float) -> bool:
        before = self._step
        if len(self._recent) == LIMIT and now - self._recent[0] <= WINDOW_S:
            self._raise(now)
        elif now - self._calm_since_s >= self._calm_s:
            self._step, self._calm_since_s = max(self._step - 1, 0), now
            self._lowered_at_s = now if self._step < before else None
            self._relapses = 0 if before == 0 else self._relapses
        return self._step != before

    def _raise(self, now: float) -> None:
        """One step up; a lower one that had just been tried is not tried again as soon."""
        if self._lowered_at_s is not None and now - self._lowered_at_s < self._calm_s:
            self._relapses = min(self._relapses + 1, len(CALM_S) - 1)
        self._step, self._lowered_at_s = min(self._step + 1, len(STEPS_S) - 1), None
        self._recent.clear()

    @property
    def _calm_s(self) -> float:
        return CALM_S[self._relapses]
