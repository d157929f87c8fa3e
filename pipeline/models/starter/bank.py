"""Prompts as the starter understands them: trained heads for the shipped hazards, words for all others.

For words, a picture is a distribution over the classifier's 1000 classes. A prompt is a row of weights: each
class is shared out among all prompts and contrast scenes by a softmax over the cosine similarity of their
sentence vectors, with one more rival that stands for everything else. The share of the picture's distribution
that falls to a hazard's prompts, as log-odds, is the hazard's raw score. It is a relative of ConSE (Norouzi
et al., 2013), turned round: the words are spread over the classes, not the classes over the words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.models.base import Scores
from pipeline.models.text_cache import Vectors
from pipeline.types import Encoding

SHARPNESS = 40.0
"""Softmax sharpness over cosine similarities."""
BACKGROUND = 0.55
"""Cosine similarity of the rival that represents everything without a prompt. A class must be closer to
count.
"""
_FLOOR = 1e-6
"""Smallest share: the classifier's own noise is about this large."""


@dataclass(frozen=True, slots=True, eq=False)
class StarterBank:
    """`scores` are calibrated log-odds for trained hazards, log-odds of a share for those known by words."""

    names: tuple[str, ...]
    fingerprint: str
    heads: NDArray[np.intp]
    """(T,): the head of each trained hazard."""
    trained: NDArray[np.intp]
    """(T,): its column among the scores."""
    worded: NDArray[np.intp]
    """(W,): the columns of the other hazards."""
    shares: NDArray[np.float32]
    """(W, CLASSES): how much of each class each of them is."""
    unknown: tuple[str, ...] = ()
    """Those of them that no class resembles: they can never be recognised."""

    def scores(self, encoding: Encoding) -> Scores:
        """Raises ValueError for an encoding without evidence, such as one read from a recording."""
        classes = self.shares.shape[1]
        if len(encoding.evidence) < classes:
            raise ValueError("an encoding without the evidence of the starter has no scores")
        out = np.empty(len(self.names), np.float32)
        out[self.trained] = encoding.evidence[self.heads]
        # The class probabilities stand last in the evidence, behind the log-odds of the heads.
        share = np.clip(self.shares @ encoding.evidence[-classes:], _FLOOR, 1 - _FLOOR)
        out[self.worded] = np.log(share / (1 - share))
        return out


def class_shares(classes: Vectors, own: Vectors, others: Vectors) -> NDArray[np.float32]:
    """Share of each class that falls to `own` rather than to `others` or the background: (C,), 0 to 1.

    All are unit rows of sentence vectors.
    """
    # Less 1, the largest cosine there is, so that no exponential overflows.
    mine, theirs = (np.exp(SHARPNESS * (classes @ side.T - 1)).sum(1) for side in (own, others))
    background = np.exp(SHARPNESS * (BACKGROUND - 1))
    return np.asarray(mine / (mine + theirs + background), np.float32)


def stack_rows(rows: Mapping[str, NDArray[np.float32]], texts: Sequence[str]) -> Vectors:
    """The vectors of texts, shape (N, D); (0, D) for none."""
    size = len(next(iter(rows.values())))
    return np.stack([rows[text] for text in texts]) if texts else np.zeros((0, size), np.float32)
