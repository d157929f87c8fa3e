"""A model that encodes no picture twice, for tools that look at the same pictures many times."""

from __future__ import annotations

import hashlib

import numpy as np

from capture.frame import Image
from pipeline.models.base import ImageTextModel, WrappedModel
from pipeline.selection.vote import VotingModel
from pipeline.types import Encoding


class CachedModel(WrappedModel):
    """An `ImageTextModel` that keeps each encoding, of 40 kB at most.

    The parts are kept too: without them the detector would crop the picture and encode each part, and so find
    directions in another way than the daemon does.
    """

    def __init__(self, model: ImageTextModel) -> None:
        super().__init__(model)
        self._known: dict[bytes, Encoding] = {}

    def encode(self, image: Image) -> Encoding:
        # By content: each fold or split loads the same files again.
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
        if key not in self._known:
            self._known[key] = self.model.encode(image)
        return self._known[key]


def cached(model: ImageTextModel) -> ImageTextModel:
    """The model with a cache; a vote stays one, so that its hazards are still voted on."""
    if isinstance(model, VotingModel):
        return VotingModel(CachedModel(model.model), CachedModel(model.starter))
    return CachedModel(model)
