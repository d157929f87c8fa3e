"""What has come into a still view is cut out; what moves with the camera, leaves or stays is not."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.frame import Image
from pipeline.detection.new_object import ADAPT_S, LEVEL, NewObjectDetector, Region

ROWS, COLUMNS, RATE = 180, 320, 10.0


def view(seed: int = 0) -> Image:
    """Blurred ground with a little sensor noise."""
    random = np.random.default_rng(seed)
    ground = np.kron(random.integers(110, 125, (18, 32, 3)), np.ones((10, 10, 1)))
    return np.clip(ground + random.normal(0, 3, ground.shape), 0, 255).astype(np.uint8)


def with_thing(image: Image, x: int, y: int, side: int) -> Image:
    """A chequered square, as busy as a thing is."""
    out = image.copy()
    cells = np.indices((side, side)).sum(0) // 10 % 2
    out[y : y + side, x : x + side] = np.where(cells, 230, 20)[: ROWS - y, : COLUMNS - x, None]
    return out


def after(
    images: list[Image], subject: NewObjectDetector | None = None, start_s: float = 0.0
) -> list[Region | None]:
    subject = subject or NewObjectDetector()
    return [subject.find(image, start_s + i / RATE) for i, image in enumerate(images)]


@settings(max_examples=30, deadline=None)
@given(x=st.integers(0, 230), y=st.integers(0, 90), side=st.integers(50, 90))
def test_what_comes_is_found_where_it_is_with_its_surroundings_levelled(x: int, y: int, side: int) -> None:
    picture = with_thing(view(), x, y, side)
    *before, part = after([view(), view(), picture])
    assert before == [None, None]
    assert part is not None
    scale = COLUMNS / part.changed.shape[1]
    assert part.left * scale <= x + 2 * scale
    assert (part.left + part.width) * scale >= min(x + side, COLUMNS) - 2 * scale
    cut = part.cut(picture, 64, 64)
    assert max(cut.shape) == 64
    assert (cut.min() < 40, cut.max() > 210) == (True, True)
    assert part.width * part.height < 0.75 * part.changed.size


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(-40, 40))
def test_noise_and_exposure_are_no_arrival(seed: int, brighter: int) -> None:
    random = np.random.default_rng(seed)
    lit = [np.clip(view() + random.normal(brighter, 4, view().shape), 0, 255).astype(np.uint8) for _ in "123"]
    assert after([view(), *lit]) == [None] * 4


def test_a_moving_camera_finds_nothing() -> None:
    scene = np.random.default_rng(1).integers(0, 255, (18, 64, 3), dtype=np.uint8)
    wide = np.kron(scene, np.ones((10, 10, 1), np.uint8))
    assert after([wide[:, 8 * i : 8 * i + COLUMNS] for i in range(30)]) == [None] * 30


def test_a_slow_turn_is_a_movement_of_the_camera_too() -> None:
    scene = np.random.default_rng(2).integers(90, 140, (36, 90, 3), dtype=np.uint8)
    wide = np.kron(scene, np.ones((5, 5, 1), np.uint8))
    images = [wide[:, i : i + COLUMNS] for i in range(60)]
    assert after([with_thing(image, 100, 50, 70) if i > 20 else image for i, image in enumerate(images)]) == [
        None
    ] * len(images)


def test_what_leaves_is_not_taken_for_what_comes() -> None:
    full = with_thing(view(), 100, 50, 70)
    assert after([full, full, view(1), view(2)]) == [None] * 4


def test_what_stays_becomes_background() -> None:
    full = with_thing(view(), 100, 50, 70)
    seconds = ADAPT_S * np.log(255 / LEVEL) + 2
    found = after([view(), *[full] * int(seconds * RATE)])
    assert found[1] is not None
    assert found[-1] is None


def test_a_thing_too_small_and_many_things_are_left_to_the_whole_view() -> None:
    assert after([view(), with_thing(view(), 100, 50, 12)])[-1] is None
    crowd = view()
    for x in range(10, 300, 60):
        crowd = with_thing(crowd, x, 20 + x % 90, 40)
    assert after([view(), crowd])[-1] is None


def test_time_that_goes_back_or_a_long_gap_starts_afresh() -> None:
    subject = NewObjectDetector()
    after([view()] * 3, subject, 100.0)
    assert subject.find(with_thing(view(), 100, 50, 70), 1.0) is None
    assert subject.find(view(), 60.0) is None


def test_the_same_pictures_give_the_same_parts() -> None:
    images = [view(), with_thing(view(), 90, 40, 70), with_thing(view(), 110, 40, 70)]
    first, second = after(images), after(images)
    for a, b, image in zip(first, second, images, strict=True):
        assert (a is None) == (b is None)
        if a and b:
            assert (a.cut(image, 64, 64) == b.cut(image, 64, 64)).all()
