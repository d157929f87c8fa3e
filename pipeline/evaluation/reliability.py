"""Reliability of probabilities: how often a hazard was there, by the probability that was given.

Each known pair of a picture and a hazard counts. Pooled over the hazards every bin is reported; of a single
hazard only bins with enough pictures from enough sources, since a handful from one source says nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.intervals import bootstrap_draws, interval
from pipeline.evaluation.picture_scores import PictureScores

BINS = 10
"""Of equal width, from probability 0 to 1."""
LEAST_PICTURES, LEAST_SOURCES = 50, 5
"""Of a hazard's bin that is reported."""

Table = NDArray[np.float64]


def reliability(of: PictureScores, sources: NDArray[Any]) -> dict[str, Any]:
    """`pooled` bins, `hazards` with their bins, and `expected_calibration_error` of the pooled ones.

    That is the mean distance between the mean probability of a bin and the share shown in it, weighted by the
    pairs in the bin (Naeini et al., 2015).
    """
    # A probability of exactly 1 belongs to the last bin.
    place = np.minimum((of.scores * BINS).astype(np.int64), BINS - 1)
    pooled = _pooled(of, place, sources)
    pairs = sum(one["pairs"] for one in pooled)
    gaps = (one["pairs"] * abs(one["mean_probability"] - one["share_shown"]) for one in pooled)
    hazards = {name: _of_hazard(of, place, sources, column) for column, name in enumerate(of.names)}
    return {
        "pooled": pooled,
        "expected_calibration_error": round(sum(gaps) / pairs, 4) if pairs else None,
        "hazards": {name: bins for name, bins in hazards.items() if bins},
    }


def _pooled(of: PictureScores, place: NDArray[np.int64], sources: NDArray[Any]) -> list[dict[str, Any]]:
    """All bins that hold anything, with an interval of the share shown by a bootstrap over sources."""
    draws, bins = bootstrap_draws(sources.tolist()), []
    for number in range(BINS):
        inside = of.known & (place == number)
        pairs, shown = inside.sum(1), (inside & of.shown).sum(1)
        if not pairs.any():
            continue
        fewest = len(set(sources[pairs > 0].tolist()))
        # A draw of sources may hold nothing of this bin.
        shares = [float(shown[rows].sum() / pairs[rows].sum()) for rows in draws if pairs[rows].any()]
        bins.append(
            {
                **_bin(of, inside, number),
                "sources": fewest,
                "share_shown_ci": interval(shares[0], shares[1:], fewest, counts=True),
            }
        )
    return bins


def _of_hazard(
    of: PictureScores, place: NDArray[np.int64], sources: NDArray[Any], column: int
) -> list[dict[str, Any]]:
    bins = []
    for number in range(BINS):
        inside = np.zeros_like(of.known)
        inside[:, column] = of.known[:, column] & (place[:, column] == number)
        count = len(set(sources[inside[:, column]].tolist()))
        if inside.sum() >= LEAST_PICTURES and count >= LEAST_SOURCES:
            bins.append({**_bin(of, inside, number), "sources": count})
    return bins


def _bin(of: PictureScores, inside: NDArray[np.bool_], number: int) -> dict[str, Any]:
    return {
        "from": round(number / BINS, 3),
        "to": round((number + 1) / BINS, 3),
        "pairs": int(inside.sum()),
        "mean_probability": round(float(of.scores[inside].mean()), 4),
        "share_shown": round(float(of.shown[inside].mean()), 4),
    }
