"""Subtracts a per-hazard baseline: the score that this camera's ordinary view produces.

A camera above a cooker gives the hot stove a raised score all day. So the log-odds of each hazard are
averaged over minutes, and their excess over an ordinary picture is subtracted, up to a limit: a danger that
is seen clearly is never suppressed. While a hazard is over its threshold, and for a while after, its average
does not change: otherwise a lasting danger would become ordinary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.log_odds import logits
from pipeline.types import Probabilities

ORDINARY = -4.0
"""Mean log-odds below which a view counts as ordinary: nothing is subtracted there.

Of the harmless training footage 95 % of the means of a clip lie below -4.1 (`derive_geometry`).
"""
MOST = 1.0
"""Largest log-odds subtracted: a probability over 0.803 stays over the shipped threshold of 0.6.

The largest value at which no hazard of the training footage is lost, had the camera seen the harmless seconds
before it for hours. It leaves 17 false alerts an hour of 21 (`derive_geometry`).
"""
AFTER_S = 20.0
"""Seconds after a hazard was over its threshold until its average changes again."""
EVERY_S = 0.1
"""Seconds between two pictures that enter the average."""
LONGEST_S = 1.0
"""A longer pause between two pictures counts as this many seconds."""
_BOUND = 6.0
"""Log-odds are clipped to plus and minus this before averaging, and the mean starts at minus this."""

LogOdds = NDArray[np.float64]


class BaselineFilter:
    """Learns and subtracts one camera's normal view. Used by one thread; times are those of the frames."""

    def __init__(self, over_s: float, thresholds: Sequence[float]) -> None:
        """`over_s`: time constant of the average in seconds; 0 subtracts nothing.

        `thresholds`: probability from which each hazard counts as present.
        """
        self._over_s = over_s
        self.set_thresholds(thresholds)
        self._mean: LogOdds | None = None
        self._excess: LogOdds | None = None
        self._not_before_s: LogOdds = np.zeros(0)
        self._last_s = -math.inf

    def set_thresholds(self, thresholds: Sequence[float]) -> None:
        """Use other thresholds for the same hazards from the next picture on. From any thread."""
        # One assignment of a new array: the detection thread sees the old thresholds or the new ones, never a
        # mix.
        self._there = logits(np.array(thresholds, np.float32))

    def subtract(self, probabilities: Probabilities, now: float) -> Probabilities:
        """The probabilities, shape (H,), as they would be in an ordinary view; never higher."""
        if self._over_s == 0:
            return probabilities
        # Updated only now and then: the mean covers minutes, and this method runs on every frame.
        if not 0 <= now - self._last_s < EVERY_S:
            mean = self._learn(logits(probabilities), now)
            excess = np.clip(mean - ORDINARY, 0, MOST)
            # None lets every frame of an ordinary view skip the arithmetic below.
            self._excess = excess if excess.any() else None
        if self._excess is None:
            return probabilities
        # The sigmoid of the log-odds less the excess.
        taken = 1 / (1 + np.exp(self._excess - logits(probabilities)))
        # Hazards without a baseline keep their exact probability: the way through log-odds would change its
        # last digits.
        return np.asarray(np.where(self._excess > 0, taken, probabilities), np.float32)

    def _learn(self, odds: LogOdds, now: float) -> LogOdds:
        """Update and return the mean log-odds.

        If the recording starts again, the view is another one and the mean starts anew; its first picture
        does not enter it. Values that are not finite do not enter it either.
        """
        elapsed, self._last_s = now - self._last_s, now
        if self._mean is None or elapsed < 0:
            self._mean = np.full(odds.shape, -_BOUND)
            self._not_before_s = np.full(odds.shape, -math.inf)
            return self._mean
        odds = np.where(np.isfinite(odds), odds, self._mean)
        # A present danger must not become part of the ordinary view, nor its last seconds below the
        # threshold.
        self._not_before_s = np.where(odds >= self._there, now + AFTER_S, self._not_before_s)
        # Bounded: after a long pause a single frame would otherwise replace the mean.
        weight = -math.expm1(-min(elapsed, LONGEST_S) / self._over_s)
        learnt = self._mean + weight * (np.clip(odds, -_BOUND, _BOUND) - self._mean)
        self._mean = np.where(now >= self._not_before_s, learnt, self._mean)
        return self._mean
