"""95 % intervals that claim no certainty that is not there.

A bootstrap over sources (Efron, 1979), since what comes of one source resembles itself. Where nothing or
everything was hit no draw can differ, so shares get the exact bounds there (Clopper and Pearson, 1934), each
source counting once. What rests on fewer than two sources is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    kind: so many pairs share no source. None where nothing can be said.
    """
    if value is None or sources < 2:
        return None
    if counts and value in (0.0, 1.0):
        return _rounded(none_or_all(value, sources))
    known = [again for again in drawn if again is not None]
    if not known:
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return _rounded((float(low), float(high))) if low < high else None


def none_or_all(share: float, count: int) -> tuple[float, float]:
    """Clopper-Pearson bounds of a share that is 0 or 1 of `count`."""
    beyond = _TAIL ** (1 / count)
    return (0.0, 1 - beyond) if share == 0 else (beyond, 1.0)


def _rounded(bounds: tuple[float, float]) -> Interval:
    return [round(bound, 4) for bound in bounds]
