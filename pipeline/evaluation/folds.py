"""Folds by source: pictures of one source resemble each other, so each is either judged or fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLD_COUNT = 5


def source_folds(
    sources: Sequence[str] | NDArray[np.str_], kinds: NDArray[Any], count: int = FOLD_COUNT
) -> NDArray[np.intp]:
    """(N,): the fold of each sample, 0 to `count` - 1; fewer folds if there are fewer sources.

    `sources`: (N,). `kinds`: (N, K), above 0 if a sample is of a kind; every kind is spread over the folds.
    Greedy: sources with a large share of some kind first, each into the fold that has the least of its kinds.
    The same samples in the same order give the same folds.
    """
    names, position = np.unique(np.asarray(sources), return_inverse=True)
    amount = np.zeros((len(names), kinds.shape[1]))
    np.add.at(amount, position, kinds)
    share = amount / np.maximum(amount.sum(0), 1)
    held = np.zeros((min(count, len(names)), kinds.shape[1]))
    fold = np.zeros(len(names), np.intp)
    for source in np.argsort(-share.sum(1), kind="stable"):
        # The small term breaks ties: sources of a kind that no fold has yet go to the emptiest one.
        fold[source] = int(np.argmin((held * share[source]).sum(1) + 1e-6 * held.sum(1)))
        held[fold[source]] += share[source]
    return np.asarray(fold[position], np.intp)
