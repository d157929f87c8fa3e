"""Probabilities as log-odds: ln(p / (1 - p))."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LOGIT_BOUND = 6.0
"""Log-odds are bounded to +-6 (probability 0.0025 to 0.9975): beyond that a difference says nothing."""
TINY = 1e-9
"""Probabilities are kept this far from 0 and 1, so that their log-odds are finite."""
_LARGEST = 30.0
"""Log-odds beyond which a probability is 0 or 1 for every purpose, and its exponential might overflow."""


def logit(probability: float) -> float:
    """Log-odds of one probability, finite."""
    p = min(max(probability, TINY), 1 - TINY)
    return math.log(p / (1 - p))


def bounded_logit(probability: float) -> float:
    """Log-odds within +-LOGIT_BOUND."""
    return max(-LOGIT_BOUND, min(LOGIT_BOUND, logit(probability)))


def logits(probabilities: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of each probability, finite; the same shape, computed in float64."""
    p = np.clip(probabilities.astype(np.float64), TINY, 1 - TINY)
    return np.asarray(np.log(p / (1 - p)))


def sigmoid(log_odds: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each of the log-odds; the same shape, computed in float64."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds.astype(np.float64), -_LARGEST, _LARGEST))))
