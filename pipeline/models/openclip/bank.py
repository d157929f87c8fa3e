"""Prompts as embeddings, compared with a picture's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.models.base import ZERO_SHOT_LOG_ODDS, Scores
from pipeline.models.openclip.prompts import PromptSides
from pipeline.types import Encoding

# Against the logarithm of 0, where every exponential of a side has vanished.
_FLOOR = 1e-300
_LIMIT = 30.0
"""Log-odds beyond this are rounding noise."""


@dataclass(frozen=True, slots=True)
class PairLogit:
    """Parameters of the logit of a pair of picture and text: scale * cosine + bias."""

    scale: float
    bias: float | None = None
    """None: trained with a softmax over texts (CLIP). Else with a sigmoid for each pair (SigLIP, Zhai et al.,
    2023): the logit itself says whether the two belong together.
    """


@dataclass(frozen=True, slots=True, eq=False)
class ContrastBank:
    """`scores` is the log-odds that a picture goes with a hazard's prompts rather than with their rivals.

    That is CLIP's own softmax over all prompts, summed over each side. A model trained with a sigmoid has one
    rival more, "none of these": a sigmoid is a softmax against a logit of 0. That rival is lowered by
    ZERO_SHOT_LOG_ODDS, so that a hazard reaches that score where the sigmoid passes one half.
    """

    names: tuple[str, ...]
    fingerprint: str
    vectors: NDArray[np.float32]
    """(T, D): the rivals of all hazards, then the prompts of each hazard in order."""
    starts: NDArray[np.intp]
    """Row at which each hazard's prompts start."""
    rivals: NDArray[np.float64]
    """(H, C): 1 if a text is a hazard's rival. Never subtracted instead: that cancels badly."""
    logit: PairLogit

    def scores(self, encoding: Encoding) -> Scores:
        if not self.names:
            return np.zeros(0, np.float32)
        logits = self.logit.scale * (self.vectors @ encoding.embedding).astype(np.float64)
        logits += self.logit.bias or 0.0
        top = float(logits.max())
        # Less the highest, so that no exponential overflows; the common factor cancels in the ratio.
        weights = np.exp(logits - top)
        # `reduceat` sums from each start up to the next one; the rivals before the first start are in no sum.
        own = np.add.reduceat(weights, self.starts)
        others = self.rivals @ weights[: self.rivals.shape[1]]
        if self.logit.bias is not None:
            # Bounded: with every logit far below 0 this exponential would be infinite.
            others += np.exp(min(-ZERO_SHOT_LOG_ODDS - top, _LIMIT * 10))
        odds = np.log(np.maximum(own, _FLOOR)) - np.log(np.maximum(others, _FLOOR))
        return np.asarray(np.clip(odds, -_LIMIT, _LIMIT), np.float32)


def bank_of(
    sides: Sequence[PromptSides],
    vectors: Mapping[str, NDArray[np.float32]],
    logit: PairLogit,
    fingerprint: str,
) -> ContrastBank:
    """Arrange the unit vectors of all texts. Every hazard has at least one text of its own."""
    pool = list(dict.fromkeys(text for side in sides for text in side.rivals))
    order = pool + [text for side in sides for text in side.own]
    counts = [len(pool), *(len(side.own) for side in sides)]
    rows = {text: row for row, text in enumerate(pool)}
    rivals = np.zeros((len(sides), len(pool)))
    for mask, side in zip(rivals, sides, strict=True):
        mask[[rows[text] for text in side.rivals]] = 1
    return ContrastBank(
        names=tuple(side.name for side in sides),
        fingerprint=fingerprint,
        vectors=np.stack([vectors[text] for text in order]) if order else np.zeros((0, 1), np.float32),
        starts=np.cumsum(counts[:-1]).astype(np.intp),
        rivals=rivals,
        logit=logit,
    )
