"""The figures of `watchword evaluate` for heads that have not seen the sources they are judged on.

The trainer of the heads scores one part of the sources at a time by heads trained without it; the figures,
the text and the JSON are those of `watchword evaluate`. The command itself cannot do this: training needs
torch, which the daemon's installation does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from daemon.tools.maintainer.splits import FOLDS, part_of
from pipeline.evaluation.dataset import LabelledPicture
from pipeline.evaluation.pictures import evaluate_pictures
from pipeline.log_odds import sigmoid


class OutOfFoldScores(Protocol):
    """Scores pictures by heads that were trained without the part that the pictures are in."""

    def __call__(self, part: str, pictures: Sequence[LabelledPicture]) -> NDArray[np.float32]:
        """Calibrated log-odds, shape (N, H); the calibration must not have seen the part either."""
        ...


def cross_validated(
    pictures: Sequence[LabelledPicture],
    hazards: Sequence[str],
    thresholds: Sequence[float],
    scores: OutOfFoldScores,
    splits: Mapping[str, str],
    parts: Sequence[str] = FOLDS,
) -> dict[str, Any]:
    """The picture part of `evaluate --json` over all parts together, and `parts` with the figures of each.

    Raises SplitsError for a source that is in no part, ValueError if a part is empty or scored wrongly.
    """
    by_part = {
        part: [picture for picture in pictures if part_of(picture.source, splits) == part] for part in parts
    }
    if empty := [part for part, members in by_part.items() if not members]:
        raise ValueError(f"no picture is in part {empty[0]}")
    rows = {part: _scored(scores, part, members, len(hazards)) for part, members in by_part.items()}
    everything = [picture for part in parts for picture in by_part[part]]
    report = _evaluated(everything, hazards, thresholds, np.concatenate([rows[part] for part in parts]))
    each = {part: _evaluated(by_part[part], hazards, thresholds, rows[part]) for part in parts}
    kept = ("any_hazard", "safe", "macro")
    return {**report, "parts": {part: {key: one[key] for key in kept} for part, one in each.items()}}


def _scored(
    scores: OutOfFoldScores, part: str, pictures: Sequence[LabelledPicture], hazards: int
) -> NDArray[np.float64]:
    """Probabilities (N, H)."""
    odds = np.asarray(scores(part, pictures), np.float64)
    # A trainer that drops one picture would shift the scores of all that follow.
    if odds.shape != (len(pictures), hazards) or not np.isfinite(odds).all():
        raise ValueError(f"part {part}: scores of the shape {odds.shape}, or not all of them finite")
    return sigmoid(odds)


def _evaluated(
    pictures: Sequence[LabelledPicture],
    hazards: Sequence[str],
    thresholds: Sequence[float],
    probabilities: NDArray[np.float64],
) -> dict[str, Any]:
    return evaluate_pictures(
        hazards,
        probabilities,
        np.array(thresholds),
        [picture.labels for picture in pictures],
        [picture.source for picture in pictures],
        [picture.uncertain for picture in pictures],
    )
