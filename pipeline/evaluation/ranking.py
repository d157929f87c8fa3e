"""Measures how well scores rank positives above negatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def roc_auc(positives: NDArray[Any], negatives: NDArray[Any]) -> float | None:
    """Chance that a positive scores above a negative, ties counting half (Mann and Whitney, 1947).

    None if either is empty.
    """
    if not len(positives) or not len(negatives):
        return None
    ordered = np.sort(np.asarray(negatives, np.float64))
    # Both sides: a tie is counted once in the two together, hence half.
    below = np.searchsorted(ordered, positives, "left")
    not_above = np.searchsorted(ordered, positives, "right")
    return float((below + not_above).mean() / (2 * len(ordered)))


def average_precision(positives: NDArray[Any], negatives: NDArray[Any]) -> float | None:
    """Mean, over the positives, of the precision at each one's score; ties count against it.

    None if there is no positive.
    """
    if not len(positives):
        return None
    hits = np.searchsorted(np.sort(-np.asarray(positives, np.float64)), -positives, "right")
    misses = np.searchsorted(np.sort(-np.asarray(negatives, np.float64)), -positives, "right")
    return float((hits / (hits + misses)).mean())
