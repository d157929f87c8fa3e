"""Prompts as embeddings, compared with a picture's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.models.base import Scores
from pipeline.models.prompts import digest
from pipeline.types import Encoding, PromptSet

_FLOOR = 1e-300
_LIMIT = 30.0
"""Log-odds beyond this are rounding noise."""


@dataclass(frozen=True, slots=True, eq=False)
class ContrastBank:
    """`scores` is the log-odds that a picture goes with a hazard's prompts rather than with their rivals.

    That is CLIP's own softmax over all prompts, summed over each side. A hazard's rivals are the contrast
    scenes that are not among its own prompts.
    """

    names: tuple[str, ...]
    fingerprint: str
    vectors: NDArray[np.float32]
    """(T, D): the contrast scenes, then the prompts of each hazard in order."""
    starts: NDArray[np.intp]
    """Row at which each hazard's prompts start."""
    rivals: NDArray[np.float64]
    """(H, C): 1 where a contrast scene is a hazard's rival. Never subtracted instead: that cancels badly."""
    scale: float

    def scores(self, encoding: Encoding) -> Scores:
        if not self.names:
            return np.zeros(0, np.float32)
        logits = self.scale * (self.vectors @ encoding.embedding).astype(np.float64)
        weights = np.exp(logits - logits.max())
        own = np.add.reduceat(weights, self.starts)
        others = self.rivals @ weights[: self.rivals.shape[1]]
        odds = np.log(np.maximum(own, _FLOOR)) - np.log(np.maximum(others, _FLOOR))
        return np.asarray(np.clip(odds, -_LIMIT, _LIMIT), np.float32)


def bank_of(
    prompts: PromptSet, rows: dict[str, NDArray[np.float32]], scale: float, model: str
) -> ContrastBank:
    """Arrange the unit vectors of all texts; `model` is the model's fingerprint."""
    contrast = list(dict.fromkeys(prompts.contrast))
    own = [list(dict.fromkeys(texts)) for _, texts in prompts.hazards]
    order = contrast + [text for texts in own for text in texts]
    counts = [len(contrast), *(len(texts) for texts in own)]
    return ContrastBank(
        names=prompts.names,
        fingerprint=digest(model, prompts.hazards, prompts.contrast),
        vectors=np.stack([rows[text] for text in order]),
        starts=np.cumsum(counts[:-1]).astype(np.intp),
        rivals=np.array([[text not in texts for text in contrast] for texts in map(set, own)], np.float64),
        scale=scale,
    )
