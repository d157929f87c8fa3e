"""Measures how well scores rank positives above negatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


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


def roc_curve(positives: NDArray[Any], negatives: NDArray[Any]) -> tuple[Points, Points]:
    """Shares of the negatives and of the positives at or above each score, from (0, 0) to (1, 1).

    The trapezoids below it add up to `roc_auc`. Both sets must hold something.
    """
    hits, misses = _cumulative(positives, negatives)
    return np.append(0.0, misses / len(negatives)), np.append(0.0, hits / len(positives))


def precision_recall_curve(positives: NDArray[Any], negatives: NDArray[Any]) -> tuple[Points, Points]:
    """Recall and precision at each score, from the highest.

    The precision holds from the recall before it, so that the area below these steps is `average_precision`
    (no line between two points: Davis and Goadrich, 2006). There must be a positive.
    """
    hits, misses = _cumulative(positives, negatives)
    # Before the first positive precision is 0 at recall 0; beyond the last it only falls, at recall 1.
    recall, precision = hits / len(positives), hits / (hits + misses)
    return np.append(0.0, recall), np.append(precision[0], precision)


def _cumulative(positives: NDArray[Any], negatives: NDArray[Any]) -> tuple[Points, Points]:
    """Counts of positives and negatives at or above each distinct score, the highest score first."""
    scores = np.unique(np.concatenate([positives, negatives]).astype(np.float64))[::-1]
    counts = [
        np.searchsorted(np.sort(-np.asarray(one, np.float64)), -scores, "right").astype(np.float64)
        for one in (positives, negatives)
    ]
    return counts[0], counts[1]
