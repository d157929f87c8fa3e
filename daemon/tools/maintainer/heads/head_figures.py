"""Figures of heads on pictures with several labels each: pure arithmetic over probabilities.

Every figure has a 95 % interval by a bootstrap over sources, see `pipeline.evaluation.intervals`. "Found" is
at the price of one false alarm on every twentieth harmless picture, so that figures of differently calibrated
heads can be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.intervals import Interval, Rows, bootstrap_draws, interval
from pipeline.evaluation.ranking import roc_auc

PRICE = 0.05
"""Share of harmless pictures on which a false alarm is allowed."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """N pictures, H hazards."""

    hazards: tuple[str, ...]
    probabilities: NDArray[Any]
    """(N, H), calibrated."""
    shown: NDArray[np.bool_]
    """(N, H): 1 if the picture shows the hazard. A picture without any is harmless."""
    sources: NDArray[Any]
    """(N,)"""

    @property
    def safe(self) -> NDArray[np.bool_]:
        return np.asarray(~self.shown.any(1))

    def of(self, rows: NDArray[Any]) -> Judged:
        """Some of the pictures, by rows or by a mask."""
        return Judged(self.hazards, self.probabilities[rows], self.shown[rows], self.sources[rows])

    def without_largest(self, hazard: int) -> tuple[Judged, str]:
        """Without the source that has the most pictures of a hazard, and its name."""
        largest = Counter(self.sources[self.shown[:, hazard]].tolist()).most_common(1)[0][0]
        return self.of(self.sources != largest), str(largest)


def any_auc(of: Judged) -> float | None:
    """Of the highest probability of any hazard, pictures with one against harmless ones."""
    highest = of.probabilities.max(1)
    return roc_auc(highest[~of.safe], highest[of.safe])


def limit(of: Judged, price: float = PRICE) -> float | None:
    """The one threshold for all hazards that costs the price."""
    highest = of.probabilities.max(1)
    return float(np.quantile(highest[of.safe], 1 - price)) if of.safe.any() else None


def found(of: Judged) -> float | None:
    """Share of the pictures with a hazard of which any alarm is raised, at the price."""
    threshold = limit(of)
    if threshold is None or of.safe.all():
        return None
    return float((of.probabilities[~of.safe].max(1) > threshold).mean())


def macro_recall(of: Judged) -> float | None:
    """Mean over hazards of the share that is found by its own name, at the price."""
    threshold = limit(of)
    columns = np.flatnonzero(of.shown.any(0))
    if threshold is None or not len(columns):
        return None
    return float(np.mean([(of.probabilities[of.shown[:, h], h] > threshold).mean() for h in columns]))


def hazard_auc(of: Judged, hazard: int) -> float | None:
    """Of a hazard's own probability, pictures of it against harmless ones."""
    return roc_auc(of.probabilities[of.shown[:, hazard], hazard], of.probabilities[of.safe, hazard])


def with_interval(
    of: Judged, figure: Callable[[Judged], float | None]
) -> tuple[float | None, Interval | None]:
    """A figure and its interval over draws of sources."""

    def drawn(rows: Rows) -> float | None:
        return figure(of.of(rows))

    everything, *again = bootstrap_draws(of.sources.tolist())
    value = drawn(everything)
    kinds = (of.safe, ~of.safe)
    # An interval over sources means nothing if one of the two kinds has a single source.
    fewest = min(len(set(of.sources[kind].tolist())) for kind in kinds)
    return value, interval(value, map(drawn, again), fewest, counts=True)


def side_by_side(parts: dict[str, Judged]) -> str:
    """A table of every figure, one column a part (the folds, the locked sources)."""
    lines = [_row("", [f"{name} ({len(of.sources)} pictures)" for name, of in parts.items()])]
    for title, figure in (("any-hazard AUC", any_auc), ("found", found), ("macro recall", macro_recall)):
        lines.append(_row(title, [_cell(*with_interval(of, figure)) for of in parts.values()]))
    hazards = next(iter(parts.values())).hazards
    for hazard, name in enumerate(hazards):
        lines.append(_row(name, [_hazard_cell(of, hazard) for of in parts.values()]))
    return "\n".join(lines)


def _hazard_cell(of: Judged, hazard: int) -> str:
    """AUC, pictures and sources; then AUC without the largest source."""
    shown = of.shown[:, hazard]
    count, sources = int(shown.sum()), len(set(of.sources[shown].tolist()))
    if not count:
        return "none"
    value, bounds = with_interval(of.of(shown | of.safe), lambda part: hazard_auc(part, hazard))
    rest, _ = of.without_largest(hazard)
    without = _number(hazard_auc(rest, hazard))
    return f"{_cell(value, bounds)} {count} of {sources}; without its largest {without}"


def _cell(value: float | None, bounds: Interval | None) -> str:
    return f"{_number(value)} [{', '.join(map(_number, bounds)) if bounds else 'unknown'}]"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _row(title: str, cells: Sequence[str]) -> str:
    return f"{title:20}" + "".join(f"{cell:<72}" for cell in cells)
