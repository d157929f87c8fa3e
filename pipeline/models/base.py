"""Interfaces of models that embed pictures and texts in one space, such as CLIP."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.types import Encoding, PromptSet

Scores = NDArray[np.float32]
"""One raw score per hazard: float32, shape (H,), larger means likelier, not yet a probability."""
ZERO_SHOT_LOG_ODDS = math.log(9)
"""Least score of a hazard without a calibration: odds of nine to one against all other prompts."""


@dataclass(frozen=True, slots=True)
class EmbeddingGeometry:
    """Typical distances of views in a model's embedding space: cosine distances, from 0 to 2."""

    scene_distance: float
    """Least distance at which two views are different scenes."""
    settle_distance: float
    """Largest distance between a view and the smoothed view at which the camera counts as still."""


class PromptBank(Protocol):
    """Encoded prompts, which are compared with every frame."""

    @property
    def names(self) -> tuple[str, ...]:
        """The hazards in the order of the scores."""
        ...

    @property
    def fingerprint(self) -> str:
        """sha256 of model and prompts; a calibration is valid for one fingerprint only."""
        ...

    def scores(self, encoding: Encoding) -> Scores:
        """Raw score of each hazard in a picture or a part of one, shape (H,)."""
        ...


def unknown_hazards(bank: PromptBank) -> tuple[str, ...]:
    """The hazards that the model cannot recognise by their words. `unknown` is optional in a bank."""
    return tuple(getattr(bank, "unknown", ()))


class ImageTextModel(Protocol):
    """An image encoder and a text encoder that share a space. Used by one thread."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """sha256 of weights and pre-processing."""
        ...

    @property
    def device(self) -> str:
        """The OpenVINO device it runs on."""
        ...

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the network's input for a picture of the given size; all in pixels."""
        ...

    @property
    def geometry(self) -> EmbeddingGeometry:
        """The distances in its embedding space."""
        ...

    def encode(self, image: Image) -> Encoding:
        """Encode a BGR uint8 picture of any size, in one inference. The caller owns the result."""
        ...

    def bind(self, prompts: PromptSet) -> PromptBank:
        """Encode prompts. Takes seconds; done at the start and on reload."""
        ...


class WrappedModel:
    """Delegates to another model. Subclasses change its encoding, scores or fingerprint."""

    def __init__(self, model: ImageTextModel) -> None:
        self.model = model

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def fingerprint(self) -> str:
        return self.model.fingerprint

    @property
    def device(self) -> str:
        return self.model.device

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return self.model.input_size(width, height)

    @property
    def geometry(self) -> EmbeddingGeometry:
        return self.model.geometry

    def encode(self, image: Image) -> Encoding:
        return self.model.encode(image)

    def bind(self, prompts: PromptSet) -> PromptBank:
        return self.model.bind(prompts)
