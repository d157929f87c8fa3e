"""How many a second, over the last seconds."""

from __future__ import annotations

from collections import deque

WINDOW_S = 10.0


class Rate:
    """Fed with a running total now and then."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque(maxlen=64)

    def note(self, total: int, now: float) -> None:
        """The total as it is now."""
        self._marks.append((now, total))
        while len(self._marks) > 2 and now - self._marks[0][0] > WINDOW_S:
            self._marks.popleft()

    @property
    def per_second(self) -> float:
        """Mean rate over the window; 0 before two notes."""
        if len(self._marks) < 2:
            return 0.0
        (first_s, first), (last_s, last) = self._marks[0], self._marks[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0
