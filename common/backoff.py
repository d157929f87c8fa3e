"""How long to wait before trying again."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Doubling waits from `first_s`, capped at `cap_s`, spread so that many do not try at once."""

    def __init__(self, first_s: float, cap_s: float, jitter: Callable[[], float]) -> None:
        """`jitter` returns numbers from 0 to 1; a wait is between half and all of its length."""
        self._first_s = min(first_s, cap_s)
        self._cap_s = cap_s
        self._jitter = jitter
        self._next_s = self._first_s

    def next_s(self) -> float:
        """Seconds to wait now."""
        wait_s = self._next_s
        self._next_s = min(self._cap_s, 2 * wait_s)
        return wait_s * (0.5 + 0.5 * self._jitter())

    def reset(self) -> None:
        """It worked: begin with the shortest wait next time."""
        self._next_s = self._first_s
