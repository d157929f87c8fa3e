"""How the two numbers of a hazard's calibration are found.

Scores of pictures without the hazard are summed up by their mean and standard deviation, and one standard
deviation is worth the same rise of the log-odds for every hazard. That needs few examples of the danger
itself, of which there are few; a logistic regression on them (Platt, 1999) is unstable where a hazard is
separable. Where the boundary lies is a rule by severity, not a fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Severity

LOGIT_PER_DEVIATION = 2.0
"""Log-odds per standard deviation of the scores of harmless pictures."""
THRESHOLD = 0.5
"""The boundary is where the probability is one half."""
FARTHEST = 4.0
"""Standard deviations; the boundary lies no farther from the harmless mean, unless the floor does."""
FLOOR = -3.5
"""Score (log-odds of a share). Below about 3 %, the share of any hazard is noise of the classifier."""
_PRIOR_PICTURES, _PRIOR_DEVIATIONS = 2.0, 5.0
"""Before any example: as if two pictures of the danger had been seen five deviations out."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """The boundary of a hazard, between harmless pictures and pictures of it."""

    nearest: float
    """Standard deviations from the harmless mean at least."""
    portion: float
    """Portion of the way from the harmless mean to the mean of the danger."""


RULES = {
    Severity.CRITICAL: Boundary(nearest=2.75, portion=0.50),
    Severity.WARNING: Boundary(nearest=3.00, portion=0.55),
    Severity.NOTICE: Boundary(nearest=3.00, portion=0.65),
}
"""The worse the danger, the rather a false alarm than a miss."""


@dataclass(frozen=True, slots=True)
class Line:
    """probability = 1 / (1 + exp(-(slope * score + offset)))."""

    slope: float
    offset: float

    @property
    def boundary(self) -> float:
        """The score at which the probability is one half."""
        return -self.offset / self.slope


def fit_line(
    harmless: NDArray[np.float64], weights: NDArray[np.float64], danger: NDArray[np.float64], rule: Boundary
) -> Line:
    """Line through weighted scores without the hazard and scores with it (which may be none).

    Raises ValueError if there are fewer than two harmless scores or they are all the same.
    """
    if len(harmless) < 2 or np.ptp(harmless) == 0:
        raise ValueError("a calibration needs at least two different scores of harmless pictures")
    mean = float(np.average(harmless, weights=weights))
    deviation = float(np.sqrt(np.average((harmless - mean) ** 2, weights=weights)))
    distances = (danger - mean) / deviation
    # With the prior as if it were pictures, one or two examples cannot move the boundary far.
    typical = (distances.sum() + _PRIOR_PICTURES * _PRIOR_DEVIATIONS) / (len(danger) + _PRIOR_PICTURES)
    steps = max(float(np.clip(rule.portion * typical, rule.nearest, FARTHEST)), (FLOOR - mean) / deviation)
    slope = LOGIT_PER_DEVIATION / deviation
    return Line(slope, -slope * (mean + steps * deviation))
