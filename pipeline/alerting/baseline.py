"""Subtracts a per-hazard baseline: the score that this camera's ordinary view produces.

A camera that hangs over a cooker sees a hot stove a little, all day. So the log-odds of each hazard are
averaged over minutes, and their excess over those of an ordinary picture is subtracted, up to a limit: a
danger that is seen clearly is never suppressed. Nothing is learnt from a hazard that is over its threshold,
nor for a while after, so that one which lasts stays one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.log_odds import logits
from pipeline.types import Probabilities

ORDINARY = -4.0
"""Log-odds below which a view is ordinary, whatever the hazard: nothing is taken off for those.

Of the harmless training footage 95 % of the means of a clip lie below -4.1 (`derive_geometry`).
"""
MOST = 1.0
"""Log-odds taken off at most: what shows a danger at 0.80 counts in any view at the shipped threshold of 0.6.

The most at which no hazard of the training footage is lost to a baseline, had the camera seen the harmless
seconds before it for hours; 17 false alerts an hour are left of 21 (`derive_geometry`).
"""
AFTER_S = 20.0
"""Seconds after a hazard until its view may be a normal one again."""
EVERY_S = 0.1
"""Seconds from one picture that is learnt from to the next."""
LONGEST_S = 1.0
"""A pause between two pictures counts no longer than this."""
_BOUND = 6.0

LogOdds = NDArray[np.float64]


class BaselineFilter:
    """The normal view of one camera. Used by one thread; times are those of the frames."""

    def __init__(self, over_s: float, thresholds: Sequence[float]) -> None:
        """`over_s`: time constant of the average in seconds; 0 takes nothing off.

        `thresholds`: probability of each hazard from which it is there.
        """
        self._over_s = over_s
        self.set_thresholds(thresholds)
        self._mean: LogOdds | None = None
        self._excess: LogOdds | None = None
        self._not_before_s: LogOdds = np.zeros(0)
        self._last_s = -math.inf

    def set_thresholds(self, thresholds: Sequence[float]) -> None:
        """Other thresholds from the next picture on, of the same hazards; from any thread."""
        # One assignment of a new array: the detection thread sees the old thresholds or the new ones, never a
        # mix.
        self._there = logits(np.array(thresholds, np.float32))

    def subtract(self, probabilities: Probabilities, now: float) -> Probabilities:
        """The probabilities, shape (H,), as they would be in an ordinary view; never higher."""
        if self._over_s == 0:
            return probabilities
        # Learnt now and then only: the mean covers minutes, and this runs on every frame.
        if not 0 <= now - self._last_s < EVERY_S:
            mean = self._learn(logits(probabilities), now)
            excess = np.clip(mean - ORDINARY, 0, MOST)
            # None lets every frame of an ordinary view skip the arithmetic below.
            self._excess = excess if excess.any() else None
        if self._excess is None:
            return probabilities
        # The sigmoid of the log-odds less the excess.
        taken = 1 / (1 + np.exp(self._excess - logits(probabilities)))
        # Untouched where nothing is subtracted: there and back through log-odds would change the last digits.
        return np.asarray(np.where(self._excess > 0, taken, probabilities), np.float32)

    def _learn(self, odds: LogOdds, now: float) -> LogOdds:
        """A recording that begins anew is another view; the first picture teaches nothing by itself.

        Numbers that are not finite teach nothing either.
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
