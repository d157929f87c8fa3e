"""The seam to models that put pictures and words into one space (CLIP and its kin)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.types import Embedding

Scores = NDArray[np.float32]
"""One raw score per hazard: float32, shape (H,), larger means likelier, not yet a probability."""


@dataclass(frozen=True, slots=True)
class PromptSet:
    """The words each hazard is recognised by, and the safe scenes they are contrasted with.

    Prompts are concrete scenes; models of this kind do not understand negation.
    """

    hazards: tuple[tuple[str, tuple[str, ...]], ...]
    """(name, prompts) in the order of every score and probability vector."""
    contrast: tuple[str, ...]
    """Ordinary scenes without danger."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.hazards)


class PromptBank(Protocol):
    """Prompts turned into numbers once, compared with every frame."""

    @property
    def names(self) -> tuple[str, ...]:
        """The hazards in the order of the scores."""
        ...

    @property
    def fingerprint(self) -> str:
        """sha256 over model and prompts: a calibration belongs to exactly one."""
        ...

    def scores(self, embedding: Embedding) -> Scores:
        """Raw score of each hazard, shape (H,)."""
        ...


class ImageTextModel(Protocol):
    """An image encoder and a text encoder that share a space. Used by one thread."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """sha256 over weights and pre-processing."""
        ...

    @property
    def device(self) -> str:
        """The OpenVINO device it runs on."""
        ...

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height in pixels of what the network sees."""
        ...

    def encode(self, image: Image) -> Embedding:
        """BGR uint8 picture of any size to a unit embedding that the caller owns."""
        ...

    def bind(self, prompts: PromptSet) -> PromptBank:
        """Encode prompts; slow, done at start and on reload."""
        ...
