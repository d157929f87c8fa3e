"""A rate per second over the last seconds."""

from __future__ import annotations

from collections import deque

WINDOW_S = 10.0


class Rate:
    """Computes a rate from samples of a running total."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=64)

    def record(self, total: int, now: float) -> None:
        """Add a sample of the total."""
        self._samples.append((now, total))
        while len(self._samples) > 2 and now - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()

    @property
    def per_second(self) -> float:
        """Mean rate over the window; 0 before two samples."""
        if len(self._samples) < 2:
            return 0.0
        (first_s, first), (last_s, last) = self._samples[0], self._samples[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0
