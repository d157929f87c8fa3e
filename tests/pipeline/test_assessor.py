"""The hot path, and when it may be spared."""

from __future__ import annotations

import numpy as np

from capture.frame import Frame, Image
from pipeline.assessor import Assessor
from pipeline.image_text import PromptSet
from pipeline.stillness import Stillness
from pipeline.types import Direction
from tests.fakes import ColourModel, Logistic


def scene(seed: int = 0) -> Image:
    small = np.random.default_rng(seed).integers(0, 255, (36, 64, 3), dtype=np.uint8)
    return np.kron(small, np.ones((10, 10, 1), np.uint8))


def noisy(image: Image, seed: int, sigma: float = 2.0) -> Image:
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def frame(image: Image, seq: int) -> Frame:
    return Frame(image.copy(), (image.shape[1], image.shape[0]), seq, seq / 25, "test")


def assessor(level: float = 2.0, longest_s: float = 0.5) -> Assessor:
    model = ColourModel()
    bank = model.bind(PromptSet((("fire", ("fire",)),), ()))
    return Assessor(model, bank, Logistic(), Stillness(level, longest_s))


def test_a_still_view_is_encoded_now_and_then_and_assessed_always() -> None:
    subject, view = assessor(), scene()
    for i in range(100):
        a = subject.assess(frame(noisy(view, i), i))
        assert (a.seq, a.captured_at_s) == (i, i / 25)
    assert 8 <= subject.encoded <= 10


def test_a_small_thing_that_enters_is_seen_in_its_first_frame() -> None:
    subject, view = assessor(), scene()
    for i in range(5):
        subject.assess(frame(noisy(view, i), i))
    entered = view.copy()
    entered[350:358, 630:638] = 255 - entered[350:358, 630:638]
    before = subject.encoded
    subject.assess(frame(noisy(entered, 5), 5))
    assert subject.encoded == before + 1


def test_a_moving_view_is_encoded_every_time() -> None:
    subject = assessor()
    for i in range(20):
        subject.assess(frame(np.roll(scene(), i * 4, axis=1), i))
    assert subject.encoded == 20


def test_a_slow_drift_adds_up_to_a_change() -> None:
    """Compared with the picture last encoded, not with the last frame."""
    subject = assessor(longest_s=5)
    for i in range(50):
        subject.assess(frame(np.clip(scene() // 2 + i // 5, 0, 255).astype(np.uint8), i))
    assert subject.encoded >= 3


def test_it_can_be_switched_off() -> None:
    subject = assessor(longest_s=0)
    for i in range(10):
        subject.assess(frame(scene(), i))
    assert subject.encoded == 10


def test_a_part_is_scored_beside_the_whole() -> None:
    picture = np.full((64, 128, 3), (0, 255, 0), np.uint8)
    picture[:, :64] = (0, 0, 255)
    subject = assessor()
    readings = {}
    for i, direction in enumerate(Direction):
        crop = subject.assess(frame(picture, i), direction).crop
        assert crop is not None
        readings[crop.direction] = float(crop.probabilities[0])
    assert readings[Direction.LEFT] > readings[Direction.AHEAD] > readings[Direction.RIGHT]
