from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.frame import Image
from capture.orient import limited_size, orient

turns = st.sampled_from([0, 90, 180, 270])


@st.composite
def pictures(draw: st.DrawFn) -> Image:
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    seed = draw(st.integers(0, 2**16))
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(pictures(), turns, st.booleans())
def test_turning_is_numpys_rotation_then_a_left_right_swap(image: Image, rotate: int, mirror: bool) -> None:
    expected = np.rot90(image, k=-rotate // 90)
    if mirror:
        expected = expected[:, ::-1]
    turned = orient(image, rotate=rotate, mirror=mirror, max_side=64)
    assert np.array_equal(turned, expected)


@given(pictures(), turns, st.booleans(), st.integers(1, 50))
def test_the_result_is_contiguous_bgr_and_bounded(
    image: Image, rotate: int, mirror: bool, max_side: int
) -> None:
    turned = orient(image, rotate=rotate, mirror=mirror, max_side=max_side)
    assert turned.dtype == np.uint8
    assert turned.ndim == 3
    assert turned.shape[2] == 3
    assert turned.flags["C_CONTIGUOUS"]
    assert max(turned.shape[:2]) <= max(max_side, 1)


@given(pictures(), turns)
def test_four_turns_and_two_mirrors_give_the_picture_back(image: Image, rotate: int) -> None:
    turned = image
    for _ in range(4):
        turned = orient(turned, rotate=rotate, mirror=False, max_side=64)
    for _ in range(2):
        turned = orient(turned, rotate=0, mirror=True, max_side=64)
    assert np.array_equal(turned, image)


@given(st.integers(1, 20000), st.integers(1, 20000), st.integers(64, 7680))
def test_bounding_keeps_the_shape_and_never_enlarges(width: int, height: int, max_side: int) -> None:
    w, h = limited_size(width, height, max_side)
    assert 1 <= w <= width
    assert 1 <= h <= height
    assert max(w, h) <= max_side or (w, h) == (width, height)
    assert abs(w * height - h * width) <= max(width, height)


def test_a_picture_that_fits_is_not_copied() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    assert orient(image, rotate=0, mirror=False, max_side=64) is image


def test_a_slice_of_a_larger_picture_becomes_contiguous() -> None:
    image = np.zeros((8, 8, 3), np.uint8)[::2, ::2]
    assert orient(image, rotate=0, mirror=False, max_side=64).flags["C_CONTIGUOUS"]


@pytest.mark.parametrize(("rotate", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_a_mark_in_the_corner_moves_clockwise(rotate: int, corner: tuple[int, int]) -> None:
    image = np.zeros((3, 5, 3), np.uint8)
    image[0, 0] = 255
    assert orient(image, rotate=rotate, mirror=False, max_side=64)[corner].tolist() == [255, 255, 255]
