"""Probabilities as log-odds, within a bound."""

from __future__ import annotations

import math

LOGIT_BOUND = 6.0
"""Log-odds are bounded to +-6 (probability 0.0025 to 0.9975): beyond that a difference says nothing."""


def logit(probability: float) -> float:
    """Log-odds, bounded by LOGIT_BOUND."""
    p = min(max(probability, 1e-9), 1 - 1e-9)
    return max(-LOGIT_BOUND, min(LOGIT_BOUND, math.log(p / (1 - p))))
