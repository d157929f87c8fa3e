"""A model that encodes no picture twice, for tools that look at the same pictures many times."""

from __future__ import annotations

import hashlib

import numpy as np

from capture.frame import Image
from pipeline.models.base import ImageTextModel, WrappedModel
from pipeline.selection.vote import VotingModel
from pipeline.types import Encoding


class CachedModel(WrappedModel):
    """An `ImageTextModel` that keeps each picture's encoding; some kilobytes each."""

    def __init__(self, model: ImageTextModel, *, parts: bool = False) -> None:
        """`parts`: keep them too. Without them the detector crops the picture and encodes each part."""
        super().__init__(model)
        self._parts = parts
        self._known: dict[bytes, Encoding] = {}

    def encode(self, image: Image) -> Encoding:
        # By content: each fold or split loads the same files again.
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
        if key not in self._known:
            encoding = self.model.encode(image)
            self._known[key] = encoding if self._parts else encoding.whole
        return self._known[key]


def cached(model: ImageTextModel, *, parts: bool = False) -> ImageTextModel:
    """The model with a cache; a vote stays one, so that its hazards are still voted on."""
    if isinstance(model, VotingModel):
        voters = (CachedModel(one, parts=parts) for one in (model.model, model.starter))
        return VotingModel(*voters)
    return CachedModel(model, parts=parts)
