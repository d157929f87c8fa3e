"""A CLIP with random weights behind the seam of image-text models: as fast as a published one."""

from __future__ import annotations

import numpy as np

from capture.frame import Image
from daemon.bench.encoder.compiled import CompiledEncoder
from pipeline.models.base import PromptBank
from pipeline.models.openclip.bank import PairLogit, bank_of
from pipeline.models.openclip.model import GEOMETRY
from pipeline.models.openclip.prompts import prompt_sides
from pipeline.models.prompts import digest
from pipeline.types import Encoding, PromptSet

_SCALE = 100.0
"""Logit scale that CLIP's training ends at."""


class RandomModel:
    """An `ImageTextModel` whose scores mean nothing. Words are random unit vectors."""

    geometry = GEOMETRY
    device = "CPU"

    def __init__(self, name: str, encoder: CompiledEncoder) -> None:
        self.name = name
        self.fingerprint = digest("random", name)
        self._encoder = encoder

    def input_size(self, width: int, height: int) -> tuple[int, int]:  # noqa: ARG002
        """The same for every picture."""
        return self._encoder.size

    def encode(self, image: Image) -> Encoding:
        """The whole picture, without parts."""
        return Encoding(self._encoder(image))

    def bind(self, prompts: PromptSet) -> PromptBank:
        """As many texts as a real model compares with."""
        sides = prompt_sides(prompts, korean=False)
        texts = sorted({text for side in sides for text in (*side.own, *side.rivals)})
        length = len(self._encoder(np.zeros((8, 8, 3), np.uint8)))
        rows = np.random.default_rng(0).normal(size=(len(texts), length)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return bank_of(sides, dict(zip(texts, rows, strict=True)), PairLogit(_SCALE), self.fingerprint)
