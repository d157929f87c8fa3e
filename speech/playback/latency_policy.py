"""Chooses the size of the device's buffer: the smallest that plays without stalls."""

from __future__ import annotations

from collections import deque

STEPS_S = (0.03, 0.045, 0.07, 0.12, 0.24)
"""The possible buffer sizes, in seconds of sound."""
SETTLE_S = 3.0
"""Seconds after opening in which underruns are ignored: the sound server causes them as it starts."""
WINDOW_S = 30.0
"""Seconds within which stalls are counted."""
LIMIT = 3
"""Stalls within the window that raise the buffer by one step."""
STALL_S = 0.5
"""Underruns within fewer seconds are one stall, however many blocks were lost: a slightly larger buffer does
not help a machine that stood still for a moment."""
CALM_S = (120.0, 300.0, 600.0)
"""Seconds without an underrun after which a lower step is tried. The wait grows each time a lower step fails.

It is long because reopening the device interrupts the sound."""


class LatencyPolicy:
    """Raises the step after repeated stalls, lowers it after a calm time. Pure: takes counts and times."""

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
        """Seconds of buffer with which to open the device."""
        return STEPS_S[self._step]

    def opened(self, now: float) -> None:
        """Record that a stream was opened. Its count of underruns starts at 0."""
        self._opened_at_s = self._calm_since_s = now
        self._counted = 0
        self._recent.clear()

    def wants_reopening(self, underruns: int, idle: bool, now: float) -> bool:
        """Record the stream's count of underruns. True if the device should be reopened with another latency.

        Only True while `idle`, so that reopening interrupts no speech.
        """
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
        """Raise the step. If a lower step has just failed, wait longer before the next attempt."""
        if self._lowered_at_s is not None and now - self._lowered_at_s < self._calm_s:
            self._relapses = min(self._relapses + 1, len(CALM_S) - 1)
        self._step, self._lowered_at_s = min(self._step + 1, len(STEPS_S) - 1), None
        self._recent.clear()

    @property
    def _calm_s(self) -> float:
        return CALM_S[self._relapses]
