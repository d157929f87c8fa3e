"""Extrapolates the tail of a sample: how often a level is exceeded that was rarely or never seen.

Peaks over threshold: excesses over a high level follow a generalised Pareto distribution (Pickands, 1975;
Davison and Smith, 1990; Coles, "An Introduction to Statistical Modeling of Extreme Values", 2001, ch. 4).
Fitted by probability-weighted moments (Hosking and Wallis, 1987), which is closed and steady for few
excesses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float64]

LEAST_EXCESSES = 10
"""Fewer cannot tell the shape of a tail: it is then taken to be exponential."""
_SHAPES = (-0.5, 0.5)
"""Estimates beyond are noise of small samples."""
_TOP = 0.2
"""Share of the maxima that counts as the tail, if there are many."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Maxima of independent blocks beyond `start` are generalised Pareto."""

    start: float
    share: float
    """Of the blocks whose maximum lies beyond `start`."""
    scale: float
    shape: float

    def level(self, chance: float) -> float:
        """The level that a block's maximum exceeds with this probability; not below `start`."""
        ratio = self.share / chance
        if ratio <= 1:
            return self.start
        if abs(self.shape) < 1e-6:
            # The limit of the formula below for a shape of 0, where it would divide by 0.
            return self.start + self.scale * math.log(ratio)
        return self.start + self.scale / self.shape * math.expm1(self.shape * math.log(ratio))


def fit_tail(maxima: Levels) -> Tail:
    """From the maxima of at least three blocks, all of them finite. Raises ValueError for fewer."""
    if len(maxima) < 3:
        raise ValueError("a tail needs the maxima of at least three blocks")
    ordered = np.sort(np.asarray(maxima, np.float64))
    # One maximum is left over as the level that the excesses are counted from.
    count = min(len(ordered) - 1, max(LEAST_EXCESSES, round(_TOP * len(ordered))))
    start = float(ordered[-count - 1])
    excesses = ordered[-count:] - start
    return Tail(start, count / len(ordered), *_pareto(excesses))


def _pareto(excesses: Levels) -> tuple[float, float]:
    """Scale and shape; ascending excesses."""
    count, mean = len(excesses), max(float(excesses.mean()), 1e-9)
    if count < LEAST_EXCESSES:
        return mean, 0.0
    # Plotting positions with the constant 0.35 of Hosking and Wallis.
    beyond = (count - np.arange(1, count + 1) + 0.35) / count
    weighted = float((excesses * beyond).mean())
    shape = 2 - mean / (mean - 2 * weighted) if mean > 2 * weighted else _SHAPES[1]
    shape = float(np.clip(shape, *_SHAPES))
    return mean * (1 - shape), shape


def level_interval(maxima: Levels, chance: float, draws: int = 200) -> tuple[float, float]:
    """95 % interval of `fit_tail(maxima).level(chance)`, by a bootstrap over the blocks."""
    random = np.random.default_rng(20_240_501)
    drawn = [fit_tail(random.choice(maxima, len(maxima))).level(chance) for _ in range(draws)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
