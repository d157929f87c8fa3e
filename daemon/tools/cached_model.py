"""An image-text model that encodes no picture twice, for measurements that replay pictures again."""

from __future__ import annotations

import hashlib

import numpy as np

from capture.frame import Image
from pipeline.models.base import ImageTextModel, WrappedModel
from pipeline.types import Encoding


class CachedModel(WrappedModel):
    """Keeps every encoding as long as it lives."""

    def __init__(self, model: ImageTextModel) -> None:
        super().__init__(model)
        self._known: dict[bytes, Encoding] = {}

    def encode(self, image: Image) -> Encoding:
        # By content: the same files are loaded again.
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
        if key not in self._known:
            self._known[key] = self.model.encode(image)
        return self._known[key]
