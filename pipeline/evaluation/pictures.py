"""Figures of a detector on labelled pictures: pure arithmetic over probabilities.

Every figure has its 95 % interval beside it, see `pipeline.evaluation.intervals`: pictures of one source
resemble each other, so sources are drawn, not pictures, and a figure from a single source has no interval. A
figure that cannot be computed (no such picture) is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.intervals import Rows, bootstrap_draws, interval
from pipeline.evaluation.picture_scores import Labels, Mask, PictureScores
from pipeline.evaluation.reliability import reliability

FEW_SOURCES = 5
"""A hazard with pictures from fewer sources has figures of those sources, not of the hazard."""


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

    def count(self, mask: Mask) -> int:
        """How many sources the masked pictures come from."""
        return len(set(self.sources[mask].tolist()))


def evaluate_pictures(
    names: Sequence[str],
    probabilities: NDArray[Any],
    thresholds: NDArray[Any],
    labels: Sequence[str | Labels],
    sources: Sequence[str],
    uncertain: Sequence[Labels] | None = None,
) -> dict[str, Any]:
    """The picture part of `evaluate --json`.

    `probabilities` is (N, H) in the order of `names`; `thresholds` is (H,), or (N, H) if they differ by
    picture. Of each picture: its label or labels, its source, and the hazards that it may show, for which it
    counts neither way.
    """
    of = PictureScores(names, probabilities, thresholds, labels, uncertain)
    drawn = BootstrapDraws(bootstrap_draws(sources), np.asarray(sources))
    anything, kinds = np.ones(len(of.safe), np.bool_), (of.danger, of.safe)
    any_hazard = {
        "auc": Estimate95(of.any_auc, kinds),
        "recall": Estimate95(of.any_recall_of_dangers, (of.danger,)),
        "recall_at_5_percent": Estimate95(of.any_recall_at_price, kinds),
    }
    macro: dict[str, Callable[[Rows], float | None]] = {
        "recall": partial(of.macro, of.recall),
        "any_recall": partial(of.macro, of.any_recall),
        "precision": partial(of.macro, of.precision),
        "auc": partial(of.macro, of.auc),
        "recall_at_5_percent": of.macro_recall_at_price,
    }
    shown = [column for column in range(len(names)) if of.shown[:, column].any()]
    return {
        "any_hazard": {"pictures": int(np.sum(of.danger)), **_figures(any_hazard, drawn)},
        "safe": {
            "pictures": int(np.sum(of.safe)),
            **_figures({"false_alarm_rate": Estimate95(of.false_alarms, (of.safe,))}, drawn),
        },
        # A mean over hazards is no share: 0 and 1 do not mean none and all.
        "macro": _figures({key: Estimate95(f, (anything,), counts=False) for key, f in macro.items()}, drawn),
        "hazards": {names[column]: _hazard(of, column, drawn) for column in shown},
        "confusion": confusion(of),
        "reliability": reliability(of, drawn.sources),
        "sources": by_source(of, drawn.sources),
    }


def confusion(of: PictureScores) -> dict[str, dict[str, int]]:
    """How many pictures of each label were over the threshold of each hazard; zeros are left out.

    A picture with several labels counts for each of them.
    """
    table = {}
    over = of.over & (of.known | of.shown)
    for label in sorted({label for labels in of.labels for label in labels}):
        counts = over[[label in labels for labels in of.labels]].sum(0)
        table[label] = {name: int(n) for name, n in zip(of.names, counts, strict=True) if n}
    return table


def by_source(of: PictureScores, sources: NDArray[Any]) -> dict[str, dict[str, int]]:
    """Counts for each source.

    `false_alarms` of its `safe` pictures; of its `dangers`, `alarmed` are over any threshold and `named` over
    that of each hazard they show.
    """
    table = {}
    alarmed, named = of.over.any(1), (of.over | ~of.shown).all(1)
    false = (of.over & of.known).any(1)
    for source in sorted(set(sources.tolist())):
        safe, danger = (mask & (sources == source) for mask in (of.safe, of.danger))
        counts = {
            "safe": safe,
            "false_alarms": safe & false,
            "dangers": danger,
            "alarmed": danger & alarmed,
            "named": danger & named,
        }
        table[source] = {key: int(mask.sum()) for key, mask in counts.items()}
    return table


def _hazard(of: PictureScores, column: int, drawn: BootstrapDraws) -> dict[str, Any]:
    shown, safe = of.shown[:, column], of.safe & of.known[:, column]
    raised = of.over[:, column] & of.known[:, column]
    sources = drawn.count(shown)
    figures = {
        "auc": Estimate95(partial(of.auc, column), (shown, safe)),
        "average_precision": Estimate95(partial(of.average_precision, column), (shown, safe), counts=False),
        "recall": Estimate95(partial(of.recall, column), (shown,)),
        "precision": Estimate95(partial(of.precision, column), (raised,)),
        "recall_at_5_percent": Estimate95(partial(of.recall_at_price, column), (shown, of.safe)),
    }
    return {
        "pictures": int(np.sum(shown)),
        "sources": sources,
        "few_sources": sources < FEW_SOURCES,
        **_figures(figures, drawn),
    }


def _figures(figures: dict[str, Estimate95], drawn: BootstrapDraws) -> dict[str, Any]:
    return dict(pair for key, figure in figures.items() for pair in _figure(key, figure, drawn))


def _figure(key: str, figure: Estimate95, drawn: BootstrapDraws) -> Iterable[tuple[str, Any]]:
    """`key: value` and `key_ci: [low, high]`; None for an interval that is not known."""
    value = figure.value(drawn.rows[0])
    fewest = min(drawn.count(mask) for mask in figure.rests_on)
    # A generator: the 400 draws are computed only if an interval can be given.
    again = (figure.value(rows) for rows in drawn.rows[1:])
    yield key, None if value is None else round(value, 4)
    yield f"{key}_ci", interval(value, again, fewest, counts=figure.counts)
