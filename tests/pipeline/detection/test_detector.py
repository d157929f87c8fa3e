"""The hot path, and when it may be spared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capture.frame import Frame, Image
from pipeline.alerting.baseline import BaselineFilter
from pipeline.detection.detector import Detector, NotFiniteError
from pipeline.detection.static_scene import StaticSceneCheck
from pipeline.types import Direction, Encoding, PromptSet
from tests.fakes import ColourModel, Logistic


def scene(seed: int = 0) -> Image:
    small = np.random.default_rng(seed).integers(0, 255, (36, 64, 3), dtype=np.uint8)
    return np.kron(small, np.ones((10, 10, 1), np.uint8))


def noisy(image: Image, seed: int, sigma: float = 2.0) -> Image:
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def frame(image: Image, seq: int, rate: float = 25.0) -> Frame:
    return Frame(image.copy(), (image.shape[1], image.shape[0]), seq, seq / rate, "test")


def assessor(level: float = 2.0, longest_s: float = 0.5) -> Detector:
    model = ColourModel()
    bank = model.bind(PromptSet((("fire", ("fire",)),), ()))
    return Detector(model, bank, Logistic(), StaticSceneCheck(level, longest_s))


def test_a_still_view_is_encoded_now_and_then_and_assessed_always() -> None:
    subject, view = assessor(), scene()
    for i in range(100):
        a = subject.assess(frame(noisy(view, i), i))
        assert (a.seq, a.captured_at_s) == (i, i / 25)
    assert 4 <= subject.encoded <= 5


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


def test_without_a_direction_sought_no_part_is_scored() -> None:
    assert assessor().assess(frame(scene(), 0)).parts == ()


def test_one_crop_is_scored_beside_the_whole_by_a_model_that_cannot_tell_the_parts_apart() -> None:
    picture = np.full((64, 128, 3), (0, 255, 0), np.uint8)
    picture[:, :64] = (0, 0, 255)
    subject = assessor()
    readings = {}
    for i, direction in enumerate((Direction.LEFT, Direction.AHEAD, Direction.RIGHT)):
        (part,) = subject.assess(frame(picture, i), direction).parts
        readings[part.direction] = float(part.probabilities[0])
    assert readings[Direction.LEFT] > readings[Direction.AHEAD] > readings[Direction.RIGHT]
    assert subject.encoded == 1 + 3, "the view stands still, the crops are three"


class Parted(ColourModel):
    """Tells the halves and the middle of a picture apart in one go."""

    def encode(self, image: Image) -> Encoding:
        columns = image.shape[1]
        parts = (image[:, : columns // 2], image[:, columns // 4 : -columns // 4], image[:, columns // 2 :])
        return replace(super().encode(image), parts=tuple(super(Parted, self).encode(part) for part in parts))


def test_all_parts_come_from_the_one_encoding_of_a_model_that_tells_them_apart() -> None:
    picture = np.full((64, 128, 3), (0, 255, 0), np.uint8)
    picture[:, 64:] = (0, 0, 255)
    model = Parted()
    subject = Detector(model, model.bind(PromptSet((("fire", ("fire",)),), ())), Logistic())
    a = subject.assess(frame(picture, 0), Direction.LEFT)
    left, middle, right = a.parts
    assert [one.direction for one in a.parts] == [Direction.LEFT, Direction.AHEAD, Direction.RIGHT]
    assert right.probabilities[0] > middle.probabilities[0] > left.probabilities[0]
    assert subject.encoded == 1
    assert a.encoding.parts == ()


class Sick(ColourModel):
    """Answers with numbers that are none while it is `ill`."""

    ill = False

    def encode(self, image: Image) -> Encoding:
        encoding = super().encode(image)
        return Encoding(np.full_like(encoding.embedding, np.nan)) if self.ill else encoding


def test_a_frame_whose_numbers_are_not_finite_is_refused_and_the_next_one_looked_at_again() -> None:
    model = Sick()
    bank = model.bind(PromptSet((("fire", ("fire",)),), ()))
    subject = Detector(
        model, bank, Logistic(), StaticSceneCheck(2.0, 0.5), baseline=BaselineFilter(60.0, [0.5])
    )
    view = scene()
    before = subject.assess(frame(view, 0)).probabilities
    model.ill = True
    moved = np.roll(view, 100, axis=1)
    with pytest.raises(NotFiniteError, match="colour on CPU"):
        subject.assess(frame(moved, 1))
    assert subject.broken == 1
    model.ill = False
    after = subject.assess(frame(moved, 2))
    assert subject.encoded == 3, "the still view rests on no older picture"
    assert after.probabilities.tolist() == pytest.approx(before.tolist(), abs=1e-3)


def test_a_crop_whose_numbers_are_not_finite_is_left_out() -> None:
    class SickOfParts(ColourModel):
        def encode(self, image: Image) -> Encoding:
            encoding = super().encode(image)
            broken = Encoding(np.full_like(encoding.embedding, np.inf))
            return encoding if image.shape[1] == 128 else broken

    picture = np.full((64, 128, 3), (0, 0, 255), np.uint8)
    model = SickOfParts()
    subject = Detector(model, model.bind(PromptSet((("fire", ("fire",)),), ())), Logistic())
    a = subject.assess(frame(picture, 0), Direction.LEFT)
    assert a.parts == ()
    assert a.probabilities[0] > 0.5
    assert subject.broken == 1


def test_a_part_of_an_encoding_whose_numbers_are_not_finite_is_left_out() -> None:
    class HalfSick(Parted):
        def encode(self, image: Image) -> Encoding:
            encoding = super().encode(image)
            broken = Encoding(np.full(3, np.nan, np.float32))
            return replace(encoding, parts=(broken, *encoding.parts[1:]))

    model = HalfSick()
    subject = Detector(model, model.bind(PromptSet((("fire", ("fire",)),), ())), Logistic())
    a = subject.assess(frame(np.full((64, 128, 3), (0, 0, 255), np.uint8), 0), Direction.LEFT)
    assert [part.direction for part in a.parts] == [Direction.AHEAD, Direction.RIGHT]
    assert subject.broken == 1
