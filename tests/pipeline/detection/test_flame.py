"""A new flame-coloured spot that keeps its place is a glow; what moves, stays or fills the view is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.frame import Image
from pipeline.detection.flame import HELD_S, FlameDetector, boost_fire

ROWS, COLUMNS, RATE = 180, 320, 10.0
FLAME, VEST = (40, 90, 230), (90, 40, 40)


def view(*spots: tuple[int, int], colour: Sequence[int] = FLAME, side: int = 12) -> Image:
    """Grey ground with a little noise and small squares of one colour."""
    image = np.random.default_rng(0).integers(100, 110, (ROWS, COLUMNS, 3), dtype=np.uint8)
    for x, y in spots:
        image[y : y + side, x : x + side] = colour
    return image


def seen(images: Sequence[Image], subject: FlameDetector | None = None, rate: float = RATE) -> list[bool]:
    subject = subject or FlameDetector()
    return [subject.step(image, i / rate) for i, image in enumerate(images)]


@settings(max_examples=20, deadline=None)
@given(st.integers(10, 290), st.integers(10, 150), st.sampled_from([2.0, 5.0, 10.0, 30.0]))
def test_a_flame_is_seen_soon_after_it_came(x: int, y: int, rate: float) -> None:
    before, after = [view()] * 3, [view((x, y))] * (int(rate) + 1)
    found = seen([*before, *after], rate=rate)
    assert not any(found[:3])
    assert found[-1]


def test_a_flame_that_was_hidden_is_believed_for_a_while() -> None:
    found = seen([view(), *[view((100, 80))] * 8, *[view()] * 20])
    assert found[8:] == [True] * (1 + int(HELD_S * RATE)) + [False] * (20 - int(HELD_S * RATE))


@pytest.mark.parametrize(
    "images",
    [
        [view((20 * i, 80)) for i in range(14)],
        [view((100, 80))] * 30,
        [view(), *[view((100, 80), colour=VEST)] * 10],
        [view(), *[view((100, 80), side=2)] * 10],
        [view(), *[view((40, 20), side=140)] * 10],
    ],
    ids=["moves", "was there from the start", "another colour", "a speck", "fills the view"],
)
def test_no_glow(images: list[Image]) -> None:
    assert not any(seen(images))


def test_what_glows_for_long_is_usual() -> None:
    assert not seen([view(), *[view((100, 80))] * 200])[-1]


def test_a_cut_and_a_camera_that_moves_start_afresh() -> None:
    wide = np.kron(
        np.random.default_rng(1).integers(0, 255, (18, 64, 3), dtype=np.uint8), np.ones((10, 10, 1))
    )
    moving = [np.asarray(wide[:, 6 * i : 6 * i + COLUMNS], np.uint8) for i in range(40)]
    assert not any(seen(moving))
    elsewhere = moving[0] // 2
    elsewhere[80:92, 100:112] = FLAME
    assert not any(seen([view(), *[elsewhere] * 10]))


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_glow_never_makes_a_fire_less_likely_and_needs_smoke(fire: float, smoke: float) -> None:
    p = boost_fire(fire, smoke)
    assert fire <= p <= 1
    assert p == pytest.approx(max(fire, 3 * smoke / (1 + 2 * smoke)), abs=1e-5)
