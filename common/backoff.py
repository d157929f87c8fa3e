"""Computes how long to wait before trying again. Pure: it neither waits nor reads the clock."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Waits that double from `first_s` up to `cap_s`. A success resets them."""

    def __init__(self, first_s: float, cap_s: float, jitter: Callable[[], float] = lambda: 1.0) -> None:
        """`jitter` returns numbers from 0 to 1: a wait is between half and all of its length.

        Spread waits keep many clients of one server from trying at the same moment.
        """
        self._first_s = min(first_s, cap_s)
        self._cap_s = cap_s
        self._jitter = jitter
        self._next_s = self._first_s
        self._failures = 0

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._failures

    def next_s(self) -> float:
        """Count a failure; seconds to wait before the next attempt."""
        wait_s = self._next_s
        self._next_s = min(self._cap_s, 2 * wait_s)
        self._failures += 1
        # Never below half: without a floor, an unlucky series of waits would hammer the other side.
        return wait_s * (0.5 + 0.5 * self._jitter())

    def reset(self) -> None:
        """Count a success: the next wait is the shortest again."""
        self._next_s = self._first_s
        self._failures = 0
