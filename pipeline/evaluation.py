"""What a detector is worth on labelled pictures and clips: pure arithmetic over probabilities and events.

Every figure has its 95 % interval beside it, by a bootstrap over sources: pictures of one source resemble
each other, so sources are drawn, not pictures. A figure that cannot be computed (no such picture) is None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.manifest import SAFE
from pipeline.ranking import average_precision, roc_auc

_DRAWS = 400
_SEED = 20_240_501
"""Fixed: the same pictures give the same intervals."""

Rows = NDArray[np.int64]
Figure = Callable[[Rows], float | None]


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
    draws = _draws(sources)
    macro = {
        "recall": of.recall,
        "any_recall": of.any_recall,
        "precision": of.precision,
        "auc": of.auc,
    }
    return {
        "any_hazard": _figure("auc", of.any_auc, draws),
        "safe": {
            "pictures": int(np.sum(of.labels == SAFE)),
            **_figure("false_alarm_rate", of.false_alarms, draws),
        },
        "macro": _merged(_figure(key, partial(of.macro, f), draws) for key, f in macro.items()),
        "hazards": {
            name: _hazard(of, column, draws) for column, name in enumerate(names) if np.any(of.labels == name)
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


def _hazard(of: Pictures, column: int, draws: Sequence[Rows]) -> dict[str, Any]:
    figures = {
        "auc": of.auc,
        "average_precision": of.average_precision,
        "recall": of.recall,
        "precision": of.precision,
    }
    shown = int(np.sum(of.labels == of.names[column]))
    parts = (_figure(key, partial(f, column), draws) for key, f in figures.items())
    return {"pictures": shown, **_merged(parts)}


def _figure(key: str, figure: Figure, draws: Sequence[Rows]) -> dict[str, Any]:
    """`{key: value, key_ci: [low, high]}`; the first draw is everything."""
    value = figure(draws[0])
    drawn = [again for rows in draws[1:] if (again := figure(rows)) is not None]
    interval = None if value is None or not drawn else _interval(drawn)
    return {key: _rounded(value), f"{key}_ci": interval}


def _interval(values: Sequence[float]) -> list[float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]


def _draws(sources: Sequence[str]) -> list[Rows]:
    """All rows first, then rows of sources drawn with replacement."""
    groups: dict[str, list[int]] = {}
    for row, source in enumerate(sources):
        groups.setdefault(source, []).append(row)
    members = [np.array(rows, np.int64) for rows in groups.values()]
    random = np.random.default_rng(_SEED)
    drawn = [random.integers(0, len(members), len(members)) for _ in range(_DRAWS)] if members else []
    return [np.arange(len(sources)), *(np.concatenate([members[i] for i in one]) for one in drawn)]


def _merged(parts: Any) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items()}


def _share(flags: NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if flags.size else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
