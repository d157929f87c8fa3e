"""Combines the scores of the features and of the classifier's own classes into calibrated log-odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.tools.maintainer.heads.head_training import Net
from daemon.tools.maintainer.heads.training_set import Rows
from pipeline.log_odds import sigmoid
from pipeline.models.starter.heads import Heads

CLASS_SHARE = 0.3
"""Of a score, from the classifier's own classes; the rest comes from the features."""
_SLOPE_PRIOR = 2.0
"""Strength with which a hazard's slope over its classes is held at 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixing:
    """The parameters by which features and classes are combined."""

    slope: float
    offset: float
    """Of the mixture, shared by all hazards: those with few sources need no line of their own."""
    class_slope: NDArray[np.float32]
    class_offset: NDArray[np.float32]
    """(H,): log-odds of the classes, made comparable with the features' scores."""
    share: float = CLASS_SHARE
    """Of a score, from the classes."""

    def scores(self, raw: NDArray[Any], seen: NDArray[Any]) -> NDArray[np.float32]:
        """Calibrated log-odds (N, H) of the features' raw ones and of the classes'."""
        classes = seen * self.class_slope + self.class_offset
        mixed = (1 - self.share) * raw + self.share * classes
        return np.asarray(self.slope * mixed + self.offset, np.float32)


def fit_mixing(
    raw: NDArray[Any], seen: NDArray[Any], rows: Rows, chosen: NDArray[Any], share: float = CLASS_SHARE
) -> Mixing:
    """From scores of rows that the net was not trained on: (N, H) each, `chosen` of the N."""
    shown, known = rows.shown[chosen], rows.known[chosen]
    lines = [line(seen[chosen, h], shown[:, h], known[:, h], _SLOPE_PRIOR) for h in range(raw.shape[1])]
    slopes, offsets = (np.array(part, np.float32) for part in zip(*lines, strict=True))
    mixed = (1 - share) * raw[chosen] + share * (seen[chosen] * slopes + offsets)
    slope, offset = line(mixed.ravel(), shown.ravel(), known.ravel(), 0.0)
    return Mixing(slope, offset, slopes, offsets, share)


def line(
    scores: NDArray[Any], shown: NDArray[Any], weights: NDArray[Any], prior: float
) -> tuple[float, float]:
    """Slope and offset of a logistic regression (Platt, 1999), by Newton's method.

    `prior` holds the slope at 1.
    """
    slope, offset = 1.0, 0.0
    z = scores.astype(np.float64)
    for _ in range(60):
        chance = sigmoid(slope * z + offset)
        error, curve = weights * (chance - shown), weights * chance * (1 - chance) + 1e-9
        gradient = np.array([(error * z).sum() + prior * (slope - 1), error.sum()])
        mixed = (curve * z).sum()
        # The small terms keep the matrix invertible if a hazard has no positive or no negative.
        bend = np.array([[(curve * z * z).sum() + prior, mixed], [mixed, curve.sum() + 1e-3]])
        # Limited: Newton's method overshoots if the scores separate the labels completely.
        step = np.clip(np.linalg.solve(bend, gradient), -1, 1)
        slope, offset = slope - float(step[0]), offset - float(step[1])
        if np.abs(step).max() < 1e-6:
            break
    return slope, offset


def heads_of(
    *,
    net: Net,
    mixing: Mixing,
    hazards: tuple[str, ...],
    classes: NDArray[np.float32],
    threshold: float,
    centre: NDArray[np.float32],
) -> Heads:
    """The shipped heads: mixing and calibration folded into the last layer."""
    own, theirs = mixing.slope * (1 - mixing.share), mixing.slope * mixing.share
    constant = theirs * mixing.class_offset + mixing.offset
    return Heads(
        hazards=hazards,
        hidden_weight=net.hidden_weight,
        hidden_bias=net.hidden_bias,
        output_weight=np.asarray(own * net.output_weight, np.float32),
        output_bias=np.asarray(own * net.output_bias + constant, np.float32),
        classes=classes,
        class_slope=np.asarray(theirs * mixing.class_slope, np.float32),
        threshold=np.full(len(hazards), threshold, np.float32),
        centre=centre,
    )
