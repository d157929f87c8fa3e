"""Heads of the open sources' folds: each fold's rows are scored by a net that was trained on the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.tools.maintainer.heads.features import Features
from daemon.tools.maintainer.heads.head_figures import Judged, limit
from daemon.tools.maintainer.heads.head_mixing import CLASS_SHARE, Mixing, fit_mixing
from daemon.tools.maintainer.heads.head_training import SHIPPED, Net, Recipe, train
from daemon.tools.maintainer.heads.splits import LOCKED
from daemon.tools.maintainer.heads.training_set import Rows
from pipeline.evaluation.dataset import SAFE
from pipeline.evaluation.pictures import evaluate_pictures
from pipeline.hazards import builtin_hazards
from pipeline.log_odds import sigmoid

HAZARDS = tuple(builtin_hazards())


def fold_nets(
    features: Features, rows: Rows, folds: tuple[str, ...], recipe: Recipe = SHIPPED
) -> dict[str, Net]:
    """For each fold a net trained on the other open sources."""
    open_ = rows.parts != LOCKED
    return {fold: train(features, rows, open_ & (rows.parts != fold), recipe) for fold in folds}


def out_of_fold(nets: Mapping[str, Net], features: Features, rows: Rows) -> NDArray[np.float32]:
    """Raw scores (N, H) of each fold's rows by its net; NaN for rows of no fold."""
    # NaN and not 0: a row that no fold judges must not slip into a figure unnoticed.
    raw = np.full(rows.shown.shape, np.nan, np.float32)
    for fold, net in nets.items():
        raw[rows.parts == fold] = net.scores(features.pooled[0][rows.parts == fold])
    return raw


def cross_fitted(
    raw: NDArray[Any],
    seen: NDArray[Any],
    rows: Rows,
    folds: tuple[str, ...],
    share: float = CLASS_SHARE,
) -> NDArray[np.float32]:
    """Calibrated log-odds of each fold's rows, by a calibration from the other folds."""
    scores = np.full(raw.shape, np.nan, np.float32)
    for fold in folds:
        # `or folds`: a single fold, as in a quick try, has no others.
        others = tuple(other for other in folds if other != fold) or folds
        mixing = fit_mixing(raw, seen, rows, photographs(rows, others), share)
        scores[rows.parts == fold] = mixing.scores(raw, seen)[rows.parts == fold]
    return scores


def judged(rows: Rows, scores: NDArray[Any], chosen: NDArray[Any]) -> Judged:
    return Judged(HAZARDS, sigmoid(scores[chosen]), rows.shown[chosen] > 0, rows.sources[chosen])


def threshold(
    mixing: Mixing, raw: NDArray[Any], seen: NDArray[Any], rows: Rows, folds: tuple[str, ...]
) -> float:
    """The probability that costs the price of false alarms on harmless photographs."""
    value = limit(judged(rows, mixing.scores(raw, seen), photographs(rows, folds)))
    if value is None:
        raise ValueError("the training set has no harmless photographs")
    return value


def photographs(rows: Rows, parts: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.asarray(np.isin(rows.parts, parts) & rows.photographs)


def fold_report(raw: NDArray[Any], seen: NDArray[Any], rows: Rows, folds: tuple[str, ...]) -> dict[str, Any]:
    """The figures of `evaluate` on the folds' photographs, each judged by what the other folds gave."""
    chosen, scores = photographs(rows, folds), cross_fitted(raw, seen, rows, folds)
    limits = np.zeros(len(rows.names))
    for fold in folds:
        others = tuple(other for other in folds if other != fold) or folds
        mixing = fit_mixing(raw, seen, rows, photographs(rows, others))
        limits[rows.parts == fold] = threshold(mixing, raw, seen, rows, others)
    shown, known = rows.shown[chosen] > 0, rows.known[chosen] > 0
    return evaluate_pictures(
        HAZARDS,
        sigmoid(scores[chosen]),
        np.broadcast_to(limits[chosen][:, None], shown.shape),
        [_names(row) or (SAFE,) for row in shown],
        [name.removeprefix("github:") for name in rows.sources[chosen].tolist()],
        [_names(~row) for row in known],
    )


def _names(flags: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(HAZARDS[column] for column in np.flatnonzero(flags))
