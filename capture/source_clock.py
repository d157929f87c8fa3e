"""Estimates the delay of a live source's pictures from the source's time stamps and our clock."""

from __future__ import annotations

import math
from collections import deque

_WINDOW_S = 30.0
"""Seconds over which the offset is estimated: two clocks drift apart by a millisecond or two in that time."""
_DISORDER_S = 1.0
"""A smaller step back of the time stamps is disorder; after a larger one, the source has restarted."""


class SourceClock:
    """Estimates the offset between the source's clock and ours, assuming that the least delay seen is zero.

    The result is therefore the delay beyond the least one, without the constant part (exposure, encoding,
    the network at its best). Only pictures for which this process had to wait change the estimate. During a
    backlog it is kept; otherwise a steady backlog would count as no delay after a while.
    """

    def __init__(self) -> None:
        self._least: deque[tuple[float, float]] = deque()  # (arrived_s, offset_s), both ascending
        self._last_sent_s = -math.inf

    def delay_s(self, sent_s: float, arrived_s: float, *, caught_up: bool) -> float:
        """Delay in seconds, 0 or more, of a picture that its source stamped with `sent_s`.

        `caught_up`: no picture was waiting, so this one was read as soon as it arrived.
        """
        if not math.isfinite(sent_s):
            return 0.0
        if sent_s < self._last_sent_s - _DISORDER_S:
            self._least.clear()
        self._last_sent_s = sent_s
        offset_s = arrived_s - sent_s
        # An offset below the least one proves that pictures can arrive faster, even during a backlog.
        if caught_up or not self._least or offset_s < self._least[0][1]:
            self._add(arrived_s, offset_s)
        return max(0.0, offset_s - self._least[0][1])

    def _add(self, arrived_s: float, offset_s: float) -> None:
        """Update the monotonic queue, whose first entry is the least offset of the window."""
        while self._least and self._least[-1][1] >= offset_s:
            self._least.pop()
        self._least.append((arrived_s, offset_s))
        while arrived_s - self._least[0][0] > _WINDOW_S:
            self._least.popleft()
