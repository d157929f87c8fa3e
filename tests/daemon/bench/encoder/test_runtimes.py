"""Other engines that are missing have a line that says so."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from capture.frame import Image
from daemon.bench.encoder.compiled import CompiledEncoder
from daemon.bench.encoder.random_model import RandomModel
from daemon.bench.encoder.runtimes import NotThereError, Run, compare
from pipeline.models.precision import Precision
from pipeline.types import PromptSet


class Square:
    """An encoder of 8 x 8 pixels whose embedding is the mean colour."""

    size = (8, 8)

    def __call__(self, image: Image) -> Any:
        return self.infer(image)

    def infer(self, picture: Image) -> Any:
        return np.asarray(picture, np.float32).mean((0, 1))


def encoder() -> CompiledEncoder:
    return cast(CompiledEncoder, Square())


def test_an_engine_that_is_not_there_is_a_figure_that_says_why() -> None:
    def make(_: tuple[int, int]) -> Run:
        raise NotThereError("no such engine")

    figure = compare("encoder.over_other.f32", make, {Precision.F32: encoder()}, 1)
    assert (figure.value, figure.note) == (None, "not there: no such engine")


def test_an_engine_is_given_the_size_of_the_network_and_compared() -> None:
    sizes = []

    def make(size: tuple[int, int]) -> Run:
        sizes.append(size)
        return lambda: None

    figure = compare("encoder.over_other.f32", make, {Precision.F32: encoder()}, 3)
    assert sizes == [(8, 8)]
    assert figure.samples == 3
    assert figure.note.startswith("network alone; ")


def test_a_random_model_has_a_score_for_every_hazard() -> None:
    model = RandomModel("random", encoder())
    prompts = PromptSet((("fire", ("a fire",)), ("dog", ("a dog", "a puppy"))), ("a street",))
    bank = model.bind(prompts)
    image = np.full((20, 30, 3), 90, np.uint8)
    scores = bank.scores(model.encode(image))
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()
    assert bank.scores(model.encode(image)) == pytest.approx(scores)
