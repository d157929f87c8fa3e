"""95 % intervals that claim no certainty that is not there.

A bootstrap over sources (Efron, 1979), since samples of one source resemble each other. Where nothing or
everything was hit no draw can differ, so shares get the exact bounds there (Clopper and Pearson, 1934), each
source counting once. An interval from fewer than two sources is unknown. Counts get exact Poisson bounds
(Garwood, 1936): none seen in T means fewer than 3 / T with 95 % confidence (the "rule of three", Hanley and
Lippman-Hand, 1983).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_DRAWS = 400
_SEED = 20_240_501
"""Fixed: the same pictures give the same intervals."""
_TAIL = 0.025

Rows = NDArray[np.int64]
Interval = list[float]


def bootstrap_draws(sources: Sequence[str]) -> list[Rows]:
    """All rows first, then rows of sources drawn with replacement."""
    groups: dict[str, list[int]] = {}
    for row, source in enumerate(sources):
        # Whole sources are drawn: pictures of one source resemble each other, and drawing them apart would
        # make the interval too narrow.
        groups.setdefault(source, []).append(row)
    members = [np.array(rows, np.int64) for rows in groups.values()]
    random = np.random.default_rng(_SEED)
    drawn = [random.integers(0, len(members), len(members)) for _ in range(_DRAWS)] if members else []
    return [np.arange(len(sources)), *(np.concatenate([members[i] for i in one]) for one in drawn)]


def interval(
    value: float | None, drawn: Iterable[float | None], sources: int, *, counts: bool
) -> Interval | None:
    """`value` is the figure over all, `drawn` the same over each draw, `sources` how many it rests on.

    `counts`: it is a share, so that 0 and 1 are none and all. Of an AUC, `sources` are those of the rarer
    kind: so many pairs share no source. None if nothing can be said.
    """
    # Resampling a single source always gives the same sample: an interval of no width would claim certainty.
    if value is None or sources < 2:
        return None
    # No draw can differ from none or all, so the bootstrap would claim certainty.
    if counts and value in (0.0, 1.0):
        return _rounded(none_or_all(value, sources))
    known = [again for again in drawn if again is not None]
    if not known:
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    # Equal bounds mean that the draws could not differ, which is no evidence of precision.
    return _rounded((float(low), float(high))) if low < high else None


def none_or_all(share: float, count: int) -> tuple[float, float]:
    """Clopper-Pearson bounds of a share that is 0 or 1 of `count`."""
    beyond = _TAIL ** (1 / count)
    return (0.0, 1 - beyond) if share == 0 else (beyond, 1.0)


def _rounded(bounds: tuple[float, float]) -> Interval:
    return [round(bound, 4) for bound in bounds]


def poisson_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Expected counts that a count seen is compatible with; one-sided from 0 if nothing was seen."""
    if count == 0:
        return 0.0, -math.log(1 - confidence)
    tail = (1 - confidence) / 2
    low = _root(lambda mean: 1 - _at_most(count - 1, mean) - tail, count)
    high = _root(lambda mean: tail - _at_most(count, mean), count)
    return low, high


def _at_most(count: int, mean: float) -> float:
    """Chance of at most `count` if `mean` are expected."""
    # In logarithms: the powers and factorials of a few hundred alerts overflow.
    logs = [k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(count + 1)] if mean > 0 else [0.0]
    return min(1.0, math.fsum(map(math.exp, logs)))


def _root(rising: Callable[[float], float], count: int) -> float:
    low, high = 0.0, 10.0 + 3.0 * count
    # Bisection: 80 halvings reach the precision of a double from any starting interval.
    for _ in range(80):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
