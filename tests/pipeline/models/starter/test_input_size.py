"""The input has the shape of the picture, at the price of a square one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models.starter.input_size import SIZES, input_size


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ((1280, 720), (347, 195)),
        ((3840, 1080), (347, 195)),
        ((640, 480), (300, 225)),
        ((500, 500), (260, 260)),
        ((1080, 1920), (195, 347)),
    ],
)
def test_the_nearest_shape_is_taken(picture: tuple[int, int], expected: tuple[int, int]) -> None:
    assert input_size(*picture) == expected


def test_no_shape_costs_more_than_a_square_one() -> None:
    assert all(abs(width * height / 260**2 - 1) < 0.01 for width, height in SIZES)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_turned_picture_has_the_turned_input(width: int, height: int) -> None:
    assert input_size(width, height) == input_size(height, width)[::-1]
