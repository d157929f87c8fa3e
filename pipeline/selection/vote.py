"""Combines the starter and a larger model until the larger one has been measured on labelled pictures.

A CLIP model that was just pulled recognises the built-in hazards by words at thresholds that no label has
confirmed; the starter has heads that were trained and cross-validated. So an alert needs either model alone
at its strict threshold, or both at their normal ones. Hazards added with words are the CLIP's alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.calibration.table import Calibration
from pipeline.log_odds import logits
from pipeline.models.base import ImageTextModel, PromptBank, Scores, WrappedModel
from pipeline.models.prompts import digest
from pipeline.types import Encoding

STRICT = 2.0
"""Log-odds by which a strict threshold lies above the normal one, chosen by hand.

With the shipped threshold of 0.60, the starter's strict one is a probability of 0.92. A CLIP model needs odds
of 66 to 1 instead of 9 to 1.
"""


def joint_margin(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds above the threshold of a vote, from those of its two members above their normal thresholds.

    At least 0 exactly if both members are at least 0, or either is at least STRICT. Rises with each.
    """
    return np.asarray(np.maximum(np.minimum(one, other), np.maximum(one, other) - STRICT))


class VotingModel(WrappedModel):
    """Encodes with both: the embedding is the main model's, the evidence the starter's.

    Code that compares embeddings (taught pictures, scene changes) uses the main model alone, and so does
    `bind`; only `VoteBank` reads the evidence.
    """

    def __init__(self, model: ImageTextModel, starter: ImageTextModel) -> None:
        super().__init__(model)
        self.starter = starter

    def encode(self, image: Image) -> Encoding:
        """Encode with one model after the other: in parallel they would compete for the same cores."""
        return Encoding(self.model.encode(image).embedding, self.starter.encode(image).evidence)


@dataclass(frozen=True, slots=True, eq=False)
class Voter:
    """A bank of scores with its calibration."""

    bank: PromptBank
    calibration: Calibration

    def margins(self, encoding: Encoding) -> NDArray[np.float64]:
        """Log-odds (H,) above the normal threshold of each hazard."""
        fit = self.calibration
        odds = fit.slopes * self.bank.scores(encoding) + fit.offsets
        return odds.astype(np.float64) - logits(fit.thresholds)


class VoteBank:
    """A `PromptBank` of log-odds: joint ones for the hazards voted on, else the main model's."""

    def __init__(
        self, words: PromptBank, calibration: Calibration, starter: Voter, voted: tuple[str, ...]
    ) -> None:
        """`calibration` is of `words`; for the hazards voted on, its normal threshold is one half.

        A threshold of the user's own (`watchword calibrate`) is of the joint log-odds that come out here.
        """
        self.names = words.names
        self.fingerprint = digest(words.fingerprint, starter.bank.fingerprint, voted)
        self._words, self._calibration, self._starter = words, calibration, starter
        self._columns = np.array([self.names.index(name) for name in voted], np.intp)
        self._rows = np.array([starter.bank.names.index(name) for name in voted], np.intp)

    def scores(self, encoding: Encoding) -> Scores:
        fit = self._calibration
        out = (fit.slopes * self._words.scores(encoding) + fit.offsets).astype(np.float64)
        # Both sides as log-odds above their own thresholds; scores of different models have no common scale.
        theirs = self._starter.margins(encoding)[self._rows]
        out[self._columns] = joint_margin(out[self._columns], theirs)
        return np.asarray(out, np.float32)
