"""Computes the age of a live source's picture at its arrival, from the source's time stamps and our clock."""

from __future__ import annotations

import math
from collections import deque

_WINDOW_S = 30.0
"""Seconds over which the offset is fitted: clocks drift by a millisecond or two in that time."""
_DISORDER_S = 1.0
"""A step back by less is disorder among pictures; by more, the source has started counting again."""


class SourceClock:
    """Fits the offset between the source's clock and ours: the least delay seen is taken for none.

    So the figure is the delay beyond the least: the constant part (exposure, encoding, the network at its
    best) is not in it. Only pictures for which this process had to wait enter the fit; during a backlog it
    is kept, or a steady backlog would count as none after a while.
    """

    def __init__(self) -> None:
        self._least: deque[tuple[float, float]] = deque()  # (arrived, offset), both rising
        self._last_sent_s = -math.inf

    def delay_s(self, sent_s: float, arrived_s: float, *, caught_up: bool) -> float:
        """Seconds that a picture stamped `sent_s` by its source was late when it arrived; 0 or more.

        `caught_up`: nothing had been waiting, the picture was taken as soon as it came.
        """
        if not math.isfinite(sent_s):
            return 0.0
        if sent_s < self._last_sent_s - _DISORDER_S:
            self._least.clear()
        self._last_sent_s = sent_s
        offset_s = arrived_s - sent_s
        # An offset below the least proves that pictures can be faster, whether or not this one was waited
        # for.
        if caught_up or not self._least or offset_s < self._least[0][1]:
            self._add(arrived_s, offset_s)
        return max(0.0, offset_s - self._least[0][1])

    def _add(self, arrived_s: float, offset_s: float) -> None:
        """A queue of rising minima: its first is the least offset of the window."""
        while self._least and self._least[-1][1] >= offset_s:
            self._least.pop()
        self._least.append((arrived_s, offset_s))
        while arrived_s - self._least[0][0] > _WINDOW_S:
            self._least.popleft()
