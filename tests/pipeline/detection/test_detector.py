"""The hot path, and when it may be spared."""

from __future__ import annotations

import numpy as np
import pytest

from capture.frame import Frame, Image
from pipeline.alerting.baseline import BaselineFilter
from pipeline.detection.detector import Detector, NotFiniteError
from pipeline.detection.static_scene import StaticSceneCheck
from pipeline.types import Direction, Embedding, Probabilities, PromptSet
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


def arriving() -> tuple[Detector, Image, Image]:
    """An assessor for which fire comes into view; a grey view, and the same with a small red thing in it."""
    model = ColourModel()
    bank = model.bind(PromptSet((("fire", ("fire",)),), ()))
    empty = noisy(np.full((360, 640, 3), 90, np.uint8), 1)
    entered = empty.copy()
    entered[100:220, 300:420] = (0, 0, 255)
    entered[100:220:40, 300:420] = (0, 0, 200)
    return Detector(model, bank, Logistic(), arriving=("fire",)), empty, entered


def test_what_has_come_into_view_is_looked_at_alone() -> None:
    subject, empty, entered = arriving()
    before = subject.assess(frame(empty, 0, 10)).probabilities[0]
    whole = subject.score_image(entered)[1][0]
    after = subject.assess(frame(entered, 1, 10))
    assert before < whole < after.probabilities[0]
    assert subject.encoded == 1 + 1 + 2
    gone = subject.assess(frame(empty, 2, 10))
    assert gone.probabilities[0] == before


def test_what_has_come_is_looked_for_some_ten_times_a_second_and_believed_between() -> None:
    subject, empty, entered = arriving()
    subject.assess(frame(empty, 0, 100))
    seen = [float(subject.assess(frame(entered, i, 100)).probabilities[0]) for i in range(1, 25)]
    assert subject.encoded == 1 + 24 + 2
    assert len(set(seen[:8])) == len(set(seen[8:])) == 1
    assert seen[8] > seen[7]


def test_only_hazards_that_come_by_themselves_gain() -> None:
    _, empty, entered = arriving()
    subject = assessor()
    subject.assess(frame(empty, 0, 10))
    subject.assess(frame(entered, 1, 10))
    assert subject.encoded == 2


def test_one_part_a_frame_in_turn_while_a_direction_is_sought_too() -> None:
    subject, empty, entered = arriving()
    subject.assess(frame(empty, 0, 10))
    crops, probabilities = [], set()
    for i in range(1, 7):
        before = subject.encoded
        a = subject.assess(frame(entered, i, 10), Direction.AHEAD)
        assert subject.encoded == before + 2
        crops.append(a.crop is not None)
        probabilities.add(float(a.probabilities[0]))
    assert crops == [False, True] * 3
    assert len(probabilities) == 1


def test_where_it_smokes_a_glow_makes_a_fire_likelier() -> None:
    class Smoke:
        """Fire 0.1 and smoke 0.4 whatever is shown."""

        def probabilities(self, scores: object) -> Probabilities:
            return np.array([0.1, 0.4], np.float32)

    model = ColourModel()
    bank = model.bind(PromptSet((("fire", ("fire",)), ("smoke", ("smoke",))), ()))
    subject = Detector(model, bank, Smoke(), glowing={"fire": "smoke", "stove": "fire"})
    grey = np.full((360, 640, 3), 100, np.uint8)
    lit = grey.copy()
    lit[200:224, 300:324] = (40, 90, 230)
    seen = [
        subject.assess(frame(image, 10 * i)).probabilities for i, image in enumerate([grey, lit, lit, lit])
    ]
    assert seen[0].tolist() == seen[1].tolist()
    assert seen[-1][0] == np.float32(0.4 * 3 / (0.4 * 3 + 0.6))
    assert seen[-1][1] == np.float32(0.4)


class Sick(ColourModel):
    """Answers with numbers that are none while it is `ill`."""

    ill = False

    def encode(self, image: Image) -> Embedding:
        embedding = super().encode(image)
        return np.full_like(embedding, np.nan) if self.ill else embedding


def test_a_frame_whose_numbers_are_not_finite_is_refused_and_the_next_one_looked_at_again() -> None:
    model = Sick()
    bank = model.bind(PromptSet((("fire", ("fire",)),), ()))
    subject = Detector(model, bank, Logistic(), StaticSceneCheck(2.0, 0.5), usual=BaselineFilter(60.0, [0.5]))
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


def test_a_part_whose_numbers_are_not_finite_is_left_out() -> None:
    class SickOfParts(ColourModel):
        def encode(self, image: Image) -> Embedding:
            embedding = super().encode(image)
            return embedding if image.shape[1] == 128 else np.full_like(embedding, np.inf)

    picture = np.full((64, 128, 3), (0, 0, 255), np.uint8)
    model = SickOfParts()
    subject = Detector(model, model.bind(PromptSet((("fire", ("fire",)),), ())), Logistic())
    a = subject.assess(frame(picture, 0), Direction.LEFT)
    assert a.crop is None
    assert a.probabilities[0] > 0.5
    assert subject.broken == 1
