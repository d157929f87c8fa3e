"""A tool that looks at a picture again sees the same as the daemon, and no less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capture.frame import Frame, Image
from daemon.tools.cached_model import cached
from pipeline.detection.detector import Detector
from pipeline.hazards import shipped_prompts
from pipeline.models.base import ImageTextModel
from pipeline.selection.vote import VotingModel
from pipeline.types import Direction, Encoding
from tests.fakes import ColourModel, Logistic

IMAGE = np.zeros((8, 8, 3), np.uint8)


class EncodesParts(ColourModel):
    """Encodes the parts of a picture along with it, and counts the pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded = 0

    def encode(self, image: Image) -> Encoding:
        self.encoded += 1
        whole = super().encode(image)
        return replace(whole, parts=(whole, whole, whole))


def parts_read(model: ImageTextModel) -> list[list[Direction]]:
    """The parts that a detector reads of one picture that it sees twice, while a direction is sought."""
    detector = Detector(model, model.bind(shipped_prompts()), Logistic())
    frames = (Frame(IMAGE, (8, 8), seq, float(seq), "test") for seq in range(2))
    return [[part.direction for part in detector.assess(one, Direction.LEFT).parts] for one in frames]


@pytest.mark.parametrize("voting", [False, True])
def test_directions_are_found_as_by_the_model_itself(voting: bool) -> None:
    def model() -> ImageTextModel:
        return VotingModel(EncodesParts(), EncodesParts()) if voting else EncodesParts()

    assert parts_read(cached(model())) == parts_read(model())


def test_a_picture_is_encoded_once() -> None:
    model = EncodesParts()
    known = cached(model)
    assert [len(known.encode(IMAGE).parts) for _ in range(3)] == [3, 3, 3]
    assert model.encoded == 1
