"""Probabilities of pictures beside their labels, and the figures over any choice of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.dataset import SAFE
from pipeline.evaluation.intervals import Rows
from pipeline.evaluation.ranking import average_precision, roc_auc
from pipeline.log_odds import logits

Mask = NDArray[np.bool_]
Labels = Collection[str]
PRICE = 0.05
"""Share of the safe pictures on which "recall at 5 % false alarms" allows a false alarm."""


class PictureScores:
    """N pictures, H hazards. Figures take the rows they are computed over, so that sources can be drawn."""

    def __init__(
        self,
        names: Sequence[str],
        probabilities: NDArray[Any],
        thresholds: NDArray[Any],
        labels: Sequence[str | Labels],
        uncertain: Sequence[Labels] | None = None,
    ) -> None:
        """`probabilities` (N, H); `thresholds` (H,), or (N, H) if they differ by picture.

        Of each picture: its labels, and its uncertain hazards.
        """
        self.names = tuple(names)
        self.labels = tuple(frozenset([one] if isinstance(one, str) else one) for one in labels)
        unsure = [frozenset[str]()] * len(self.labels) if uncertain is None else uncertain
        self.scores = np.asarray(probabilities, np.float64)
        limits = np.asarray(thresholds, np.float64)
        self.over: Mask = np.asarray(self.scores >= limits)
        self.shown: Mask = self._mask(self.labels)
        self.known: Mask = self.shown | ~self._mask(unsure)
        """(N, H): false if the picture may show the hazard or not."""
        self.safe: Mask = np.array([one == {SAFE} for one in self.labels], np.bool_)
        self.danger: Mask = np.asarray(self.shown.any(1))
        # Where a danger is shown any alarm helps, also one for a hazard that may be there; elsewhere only
        # certain ones count.
        counted = self.known | self.danger[:, None]
        self.highest = np.where(counted, self.scores, 0.0).max(1, initial=0.0)
        excess = logits(self.scores.astype(np.float32)) - logits(limits.astype(np.float32))
        self.excess = np.where(counted, excess, -np.inf)
        """(N, H): log-odds over the threshold, so that all thresholds can be moved together."""

    def _mask(self, names: Sequence[Labels]) -> Mask:
        flags = [[name in one for name in self.names] for one in names]
        # Without a picture numpy would make it one-dimensional.
        return np.array(flags, np.bool_).reshape(-1, len(self.names))

    def any_auc(self, rows: Rows) -> float | None:
        danger, safe = self.danger[rows], self.safe[rows]
        return roc_auc(self.highest[rows][danger], self.highest[rows][safe])

    def any_recall_of_dangers(self, rows: Rows) -> float | None:
        """Share of the dangers with an alarm, for whatever hazard."""
        return _share(np.asarray(self.over[rows][self.danger[rows]].any(1)))

    def any_excess(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Log-odds of the most certain alarm over its threshold, of each danger and of each safe picture."""
        highest = self.excess.max(1, initial=-np.inf)
        return highest[self.danger], highest[self.safe]

    def against_safe(self, column: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """A hazard's probabilities in its own pictures, and in the safe ones."""
        return self._against_safe(column, np.arange(len(self.safe)))

    def false_alarms(self, rows: Rows) -> float | None:
        return _share(np.asarray((self.over & self.known)[rows][self.safe[rows]].any(1)))

    def auc(self, column: int, rows: Rows) -> float | None:
        return roc_auc(*self._against_safe(column, rows))

    def average_precision(self, column: int, rows: Rows) -> float | None:
        return average_precision(*self._against_safe(column, rows))

    def recall(self, column: int, rows: Rows) -> float | None:
        return _share(self.over[rows, column][self.shown[rows, column]])

    def any_recall(self, column: int, rows: Rows) -> float | None:
        return _share(self.over[rows][self.shown[rows, column]].any(1))

    def precision(self, column: int, rows: Rows) -> float | None:
        raised = (self.over & self.known)[rows, column]
        return _share(self.shown[rows, column][raised])

    def macro(self, figure: Callable[[int, Rows], float | None], rows: Rows) -> float | None:
        """Mean over the hazards that have the figure."""
        values = [value for column in range(len(self.names)) if (value := figure(column, rows)) is not None]
        return float(np.mean(values)) if values else None

    def any_recall_at_price(self, rows: Rows) -> float | None:
        """Share of the dangers with any alarm, all thresholds moved together until PRICE holds."""
        shift = self._shift(rows)
        return None if shift is None else _share(self.excess[rows][self.danger[rows]].max(1) > shift)

    def recall_at_price(self, column: int, rows: Rows) -> float | None:
        """Share of a hazard's pictures with an alarm for it, at the same shift of all thresholds."""
        shift = self._shift(rows)
        return None if shift is None else self._recall_at(shift, column, rows)

    def macro_recall_at_price(self, rows: Rows) -> float | None:
        shift = self._shift(rows)
        return None if shift is None else self.macro(lambda h, r: self._recall_at(shift, h, r), rows)

    def _recall_at(self, shift: float, column: int, rows: Rows) -> float | None:
        return _share(self.excess[rows, column][self.shown[rows, column]] > shift)

    def _shift(self, rows: Rows) -> float | None:
        """Log-odds to be added to all thresholds so that at most PRICE of the safe pictures lie above."""
        safe = np.sort(self.excess[rows][self.safe[rows]].max(1, initial=-np.inf))[::-1]
        # Alarms lie strictly above the shift, so at most this many safe pictures keep theirs.
        return float(safe[int(PRICE * len(safe))]) if len(safe) else None

    def _against_safe(self, column: int, rows: Rows) -> tuple[NDArray[Any], NDArray[Any]]:
        scores = self.scores[rows, column]
        return scores[self.shown[rows, column]], scores[(self.safe & self.known[:, column])[rows]]


def _share(flags: NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if flags.size else None
