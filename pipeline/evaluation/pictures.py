"""What a detector is worth on labelled pictures: pure arithmetic over probabilities.

Every figure has its 95 % interval beside it, see `pipeline.evaluation.intervals`: pictures of one source
resemble each other, so sources are drawn, not pictures, and what rests on a single one has no interval. A
figure that cannot be computed (no such picture) is None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.dataset import SAFE
from pipeline.evaluation.intervals import Rows, bootstrap_draws, interval
from pipeline.evaluation.ranking import average_precision, roc_auc

Mask = NDArray[np.bool_]


class Estimate95(NamedTuple):
    """A number over pictures, and the kinds of pictures it rests on."""

    value: Callable[[Rows], float | None]
    rests_on: tuple[Mask, ...]
    """Masks over all pictures, (N,)."""
    counts: bool = True
    """A share of what it rests on, or of pairs of it: 0 and 1 are none and all of them."""


class BootstrapDraws(NamedTuple):
    """All rows first, then rows of sources drawn with replacement; and the source of each picture."""

    rows: Sequence[Rows]
    sources: NDArray[Any]


class Pictures:
    """Probabilities (N, H) and thresholds (H,) against one label a picture."""

    def __init__(
        self,
        names: Sequence[str],
        probabilities: NDArray[Any],
        thresholds: NDArray[Any],
        labels: Sequence[str],
    ) -> None:
        self.names = tuple(names)
        self.scores = np.asarray(probabilities, np.float64)
        self.over = self.scores >= np.asarray(thresholds, np.float64)
        self.labels = np.asarray(labels)
        self.highest = self.scores.max(1, initial=0.0)

    def shows(self, column: int) -> Mask:
        """The pictures of a hazard."""
        return np.asarray(self.labels == self.names[column])

    @property
    def safe(self) -> Mask:
        return np.asarray(self.labels == SAFE)

    def any_auc(self, rows: Rows) -> float | None:
        danger = self.labels[rows] != SAFE
        return roc_auc(self.highest[rows][danger], self.highest[rows][~danger])

    def false_alarms(self, rows: Rows) -> float | None:
        return _share(self.over[rows][self.labels[rows] == SAFE].any(1))

    def auc(self, column: int, rows: Rows) -> float | None:
        scores, labels = self.scores[rows, column], self.labels[rows]
        return roc_auc(scores[labels == self.names[column]], scores[labels == SAFE])

    def average_precision(self, column: int, rows: Rows) -> float | None:
        scores, labels = self.scores[rows, column], self.labels[rows]
        return average_precision(scores[labels == self.names[column]], scores[labels == SAFE])

    def recall(self, column: int, rows: Rows) -> float | None:
        return _share(self.over[rows, column][self.labels[rows] == self.names[column]])

    def any_recall(self, column: int, rows: Rows) -> float | None:
        return _share(self.over[rows][self.labels[rows] == self.names[column]].any(1))

    def precision(self, column: int, rows: Rows) -> float | None:
        return _share((self.labels[rows] == self.names[column])[self.over[rows, column]])

    def macro(self, figure: Callable[[int, Rows], float | None], rows: Rows) -> float | None:
        """Mean over the hazards that have the figure."""
        values = [value for column in range(len(self.names)) if (value := figure(column, rows)) is not None]
        return float(np.mean(values)) if values else None


def evaluate_pictures(
    names: Sequence[str],
    probabilities: NDArray[Any],
    thresholds: NDArray[Any],
    labels: Sequence[str],
    sources: Sequence[str],
) -> dict[str, Any]:
    """The picture part of `evaluate --json`.

    `probabilities` is (N, H) in the order of `names`, `thresholds` (H,); a label and a source a picture.
    """
    of = Pictures(names, probabilities, thresholds, labels)
    drawn = BootstrapDraws(bootstrap_draws(sources), np.asarray(sources))
    anything = np.ones(len(of.labels), np.bool_)
    macro = {
        "recall": of.recall,
        "any_recall": of.any_recall,
        "precision": of.precision,
        "auc": of.auc,
    }
    return {
        "any_hazard": _figure("auc", Estimate95(of.any_auc, (~of.safe, of.safe)), drawn),
        "safe": {
            "pictures": int(np.sum(of.safe)),
            **_figure("false_alarm_rate", Estimate95(of.false_alarms, (of.safe,)), drawn),
        },
        "macro": _merged(
            _figure(key, Estimate95(partial(of.macro, f), (anything,), counts=False), drawn)
            for key, f in macro.items()
        ),
        "hazards": {
            name: _hazard(of, column, drawn) for column, name in enumerate(names) if np.any(of.labels == name)
        },
        "confusion": confusion(of),
    }


def confusion(of: Pictures) -> dict[str, dict[str, int]]:
    """How many pictures of each label were over the threshold of each hazard; zeros are left out."""
    table = {}
    for label in sorted(set(of.labels.tolist())):
        counts = of.over[of.labels == label].sum(0)
        table[label] = {name: int(n) for name, n in zip(of.names, counts, strict=True) if n}
    return table


def _hazard(of: Pictures, column: int, drawn: BootstrapDraws) -> dict[str, Any]:
    shown = of.shows(column)
    figures = {
        "auc": Estimate95(partial(of.auc, column), (shown, of.safe)),
        "average_precision": Estimate95(
            partial(of.average_precision, column), (shown, of.safe), counts=False
        ),
        "recall": Estimate95(partial(of.recall, column), (shown,)),
        "precision": Estimate95(partial(of.precision, column), (of.over[:, column],)),
    }
    parts = (_figure(key, figure, drawn) for key, figure in figures.items())
    return {"pictures": int(np.sum(shown)), **_merged(parts)}


def _figure(key: str, figure: Estimate95, drawn: BootstrapDraws) -> dict[str, Any]:
    """`{key: value, key_ci: [low, high]}`; None for an interval that is not known."""
    value = figure.value(drawn.rows[0])
    fewest = min(len(set(drawn.sources[mask].tolist())) for mask in figure.rests_on)
    again = (figure.value(rows) for rows in drawn.rows[1:])
    return {key: _rounded(value), f"{key}_ci": interval(value, again, fewest, counts=figure.counts)}


def _merged(parts: Any) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items()}


def _share(flags: NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if flags.size else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
