"""Estimates the delay of a live source's pictures from the source's time stamps and our clock."""

from __future__ import annotations

import math
from collections import deque

_WINDOW_S = 30.0
"""Seconds over which the offset is estimated: two clocks drift apart by a millisecond or two in that time."""
_IMPLAUSIBLE_S = 20.0
"""More delay than a camera and the network can hold back while pictures go on coming."""
_DRIFT_S = 600.0
"""Two clocks that only drift take longer than this to differ by so much."""
_TRIAL_S, _TRIAL_SLACK_S = 30.0, 1.0
"""Stamps that kept no time on an earlier connection are believed after so many seconds in which they do."""
_DISORDER_S = 1.0
"""A smaller step back of the time stamps is disorder; after a larger one, the source has restarted."""


class StampTrust:
    """Whether the stamps of a camera keep time, kept from one connection to the next."""

    def __init__(self) -> None:
        self.disproved = False


class SourceClock:
    """Estimates the offset between the source's clock and ours, assuming that the least delay seen is zero.

    The result is therefore the delay beyond the least one, without the constant part (exposure, encoding,
    the network at its best). Only pictures for which this process had to wait change the estimate. During a
    backlog it is kept; otherwise a steady backlog would count as no delay after a while.

    A source whose stamps do not keep time is not believed: some cameras send the same stamp again and again,
    or count their pictures at a rate that is not theirs. Their pictures would seem older and older, and time
    would stand still for the detector. Pictures of a network that is too slow look the same at first: both
    fall behind steadily. Only a delay that no queue can hold tells them apart: at a pace of 0.8 after 100 s.
    """

    def __init__(self, trust: StampTrust | None = None) -> None:
        """`trust`: what earlier connections have found; this one adds to it."""
        self._trust = trust or StampTrust()
        self._least: deque[tuple[float, float]] = deque()  # (arrived_s, offset_s), both ascending
        self._last_sent_s = -math.inf
        self._last_delay_s = 0.0
        self._floor: tuple[float, float] | None = None
        """(arrived_s, offset_s) of the least offset since the stamps began, or since a drift was found."""
        self._believed = not self._trust.disproved
        self._trial_from_s: float | None = math.inf if self._trust.disproved else None
        """Since when the stamps have kept time; None if they are not on trial."""

    def delay_s(self, sent_s: float, arrived_s: float, *, caught_up: bool) -> float:
        """Delay in seconds, 0 or more, of a picture that its source stamped with `sent_s`.

        `caught_up`: no picture was waiting, so this one was read as soon as it arrived.
        """
        if not math.isfinite(sent_s):
            return 0.0
        # A stamp that stays, or goes on in whole seconds, says nothing about the pictures in between.
        if sent_s != self._last_sent_s:
            self._last_delay_s = self._fresh_delay_s(sent_s, arrived_s, caught_up)
        return self._last_delay_s if self._believed else 0.0

    def _fresh_delay_s(self, sent_s: float, arrived_s: float, caught_up: bool) -> float:
        if sent_s < self._last_sent_s - _DISORDER_S:
            self._least.clear()
            self._floor, self._believed, self._trial_from_s = None, True, None
        self._last_sent_s = sent_s
        offset_s = arrived_s - sent_s
        self._judge(arrived_s, offset_s, caught_up)
        # An offset below the least one proves that pictures can arrive faster, even during a backlog.
        if caught_up or not self._least or offset_s < self._least[0][1]:
            self._add(arrived_s, offset_s)
        return max(0.0, offset_s - self._least[0][1])

    def _judge(self, arrived_s: float, offset_s: float, caught_up: bool) -> None:
        """Stop believing stamps that fall behind farther than pictures can, which were waited for."""
        if self._trial_from_s is not None:
            self._try(arrived_s, offset_s)
        elif self._floor is None or offset_s < self._floor[1]:
            self._floor = arrived_s, offset_s
        elif caught_up and offset_s - self._floor[1] > _IMPLAUSIBLE_S:
            self._believed = self._believed and arrived_s - self._floor[0] > _DRIFT_S
            self._trust.disproved = self._trust.disproved or not self._believed
            self._floor = arrived_s, offset_s

    def _try(self, arrived_s: float, offset_s: float) -> None:
        """Believe stamps again that have kept time for a while."""
        if self._floor is None or offset_s - self._floor[1] > _TRIAL_SLACK_S:
            self._floor, self._trial_from_s = (arrived_s, offset_s), arrived_s
        elif offset_s < self._floor[1]:
            self._floor = arrived_s, offset_s
        if self._trial_from_s is not None and arrived_s - self._trial_from_s > _TRIAL_S:
            self._believed, self._trust.disproved, self._trial_from_s = True, False, None

    def _add(self, arrived_s: float, offset_s: float) -> None:
        """Update the monotonic queue, whose first entry is the least offset of the window."""
        while self._least and self._least[-1][1] >= offset_s:
            self._least.pop()
        self._least.append((arrived_s, offset_s))
        while arrived_s - self._least[0][0] > _WINDOW_S:
            self._least.popleft()
