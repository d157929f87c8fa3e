"""Fits heads for a model to labelled pictures: cross-validated by source and calibrated, with figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.calibration.fit_labelled import LEAST_HARMLESS, LEAST_SHOWN
from pipeline.calibration.head_training import EmbeddingNet, Matrix, platt, train_heads
from pipeline.calibration.table import CalibrationError, Fit, FitQuality
from pipeline.evaluation.folds import source_folds
from pipeline.evaluation.ranking import roc_auc
from pipeline.log_odds import sigmoid

PRICE = 0.05
"""Share of harmless photographs on which a false alarm is allowed, as for the starter."""
_LOWEST, _HIGHEST = 0.2, 0.95
"""Bounds of a threshold: few harmless photographs say little about the ends of the scale."""
_FRAME_WEIGHT = 0.5
"""Weight of a frame of footage beside a photograph, as for the starter."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadExamples:
    """N pictures and frames; H hazards."""

    hazards: tuple[str, ...]
    embeddings: Matrix
    """(N, D), unit rows."""
    shown: Matrix
    """(N, H): 1 if the picture shows the hazard."""
    known: Matrix
    """(N, H): 0 if it is uncertain."""
    sources: NDArray[np.str_]
    photographs: NDArray[np.bool_]
    """(N,): False for frames of footage."""
    harmless: NDArray[np.bool_]
    """(N,): photographs labelled safe, of which nothing is uncertain."""

    def weights(self) -> Matrix:
        """Weights (N,): a source counts by the square root of its number of pictures; footage counts less."""
        _, position, counts = np.unique(self.sources, return_inverse=True, return_counts=True)
        weight = counts[position] ** -0.5
        return np.asarray(np.where(self.photographs, weight, _FRAME_WEIGHT * weight), np.float32)

    def of(self, hazards: Sequence[str]) -> HeadExamples:
        """Reduced to some hazards; a picture of another one shows none of these, but is not harmless."""
        columns = [self.hazards.index(name) for name in hazards]
        return HeadExamples(
            tuple(hazards),
            self.embeddings,
            self.shown[:, columns],
            self.known[:, columns],
            self.sources,
            self.photographs,
            self.harmless,
        )


@dataclass(frozen=True, slots=True, eq=False)
class FittedHeads:
    """A net trained on all examples, with the figures of the same training on unseen sources."""

    hazards: tuple[str, ...]
    net: EmbeddingNet
    """Its scores are calibrated log-odds."""
    fits: Mapping[str, Fit]
    """With thresholds and figures; without fingerprints."""
    reasons: Mapping[str, str]
    """The reason why each other hazard was not fitted."""
    folds: int


def fit_heads(examples: HeadExamples) -> FittedHeads:
    """Fit every hazard that has enough sources. Raises CalibrationError if there is none."""
    reasons = _unfit(examples)
    hazards = tuple(name for name in examples.hazards if name not in reasons)
    if not hazards:
        raise CalibrationError(
            "no hazard can be fitted: " + "; ".join(f"{name}: {why}" for name, why in reasons.items())
        )
    chosen = examples.of(hazards)
    folds = folds_of(chosen)
    raw = _out_of_fold(chosen, folds)
    # Threshold and figures come from scores whose net and line were fitted without the picture's source.
    odds = cross_calibrated(raw, chosen, folds)
    slope, offset = _line(raw, chosen, np.ones(len(raw), np.bool_))
    threshold = _threshold(sigmoid(odds), chosen.harmless)
    fits = {
        name: _fit(sigmoid(odds)[:, column], column, threshold, chosen) for column, name in enumerate(hazards)
    }
    net = train_heads(chosen.embeddings, chosen.shown, chosen.known, chosen.weights())
    # The line is folded into the last layer, so that the net's scores are calibrated log-odds.
    calibrated = EmbeddingNet(
        net.hidden_weight,
        net.hidden_bias,
        np.asarray(slope * net.output_weight, np.float32),
        np.asarray(slope * net.output_bias + offset, np.float32),
    )
    return FittedHeads(hazards, calibrated, fits, reasons, len(set(folds.tolist())))


def _unfit(examples: HeadExamples) -> dict[str, str]:
    """Return the reason why a hazard cannot be fitted, by name."""
    sources = len(set(examples.sources[examples.harmless].tolist()))
    if sources < LEAST_HARMLESS:
        why = f"harmless photographs from {sources} sources, at least {LEAST_HARMLESS} are needed"
        return dict.fromkeys(examples.hazards, why)
    reasons = {}
    for column, name in enumerate(examples.hazards):
        shown = (examples.shown[:, column] > 0) & examples.photographs
        have = len(set(examples.sources[shown].tolist()))
        if have < LEAST_SHOWN:
            reasons[name] = f"photographs of it from {have} sources, at least {LEAST_SHOWN} are needed"
    return reasons


def folds_of(examples: HeadExamples) -> NDArray[np.intp]:
    """(N,): the fold of each picture. A source is in one fold; every hazard is spread over them."""
    kinds = np.concatenate([examples.shown, ~examples.shown.any(1, keepdims=True)], axis=1)
    return source_folds(examples.sources, kinds)


def _out_of_fold(examples: HeadExamples, folds: NDArray[np.intp]) -> NDArray[np.float64]:
    """Raw scores (N, H) of each fold's pictures by a net trained on the others."""
    raw = np.zeros(examples.shown.shape)
    weights = examples.weights()
    for fold in np.unique(folds):
        others = folds != fold
        net = train_heads(
            examples.embeddings[others], examples.shown[others], examples.known[others], weights[others]
        )
        raw[~others] = net.scores(examples.embeddings[~others])
    return raw


def cross_calibrated(
    raw: NDArray[np.float64], examples: HeadExamples, folds: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Calibrated log-odds (N, H) of each fold's pictures, by a line from the other folds."""
    odds = np.zeros_like(raw)
    for fold in np.unique(folds):
        slope, offset = _line(raw, examples, folds != fold)
        odds[folds == fold] = slope * raw[folds == fold] + offset
    return odds


def _line(raw: NDArray[np.float64], examples: HeadExamples, chosen: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit one line for all hazards: a hazard with few sources could not support a line of its own."""
    rows = chosen & examples.photographs
    known = examples.known[rows] > 0
    return platt(raw[rows][known], examples.shown[rows][known].astype(np.float64))


def _threshold(chance: NDArray[np.float64], harmless: NDArray[np.bool_]) -> float:
    """Return the probability at which a share of PRICE of the harmless photographs raises a false alarm."""
    limit = float(np.quantile(chance[harmless].max(1), 1 - PRICE))
    return round(min(max(limit, _LOWEST), _HIGHEST), 4)


def _fit(chance: NDArray[np.float64], column: int, threshold: float, examples: HeadExamples) -> Fit:
    shown = (examples.shown[:, column] > 0) & examples.photographs
    harmless = examples.harmless
    auc = roc_auc(chance[shown], chance[harmless])
    sources = Counter(examples.sources[shown].tolist())
    quality = FitQuality(
        pictures=int(shown.sum()),
        sources=len(sources),
        harmless=int(harmless.sum()),
        recall=round(float((chance[shown] >= threshold).mean()), 3),
        false_alarms=int((chance[harmless] >= threshold).sum()),
        auc=None if auc is None else round(auc, 3),
        log_loss=None,
    )
    said = f"a head fitted here; {quality.pictures} photographs of it from {quality.sources} sources"
    # Slope and offset change nothing: the head's scores are calibrated already.
    return Fit(slope=1.0, offset=0.0, threshold=threshold, provenance=said, measured=quality)
