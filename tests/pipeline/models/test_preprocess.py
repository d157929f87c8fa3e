"""Letterboxing and cropping."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models.preprocess import crops, fitted, letterbox, reduced
from pipeline.types import Direction

sides = st.integers(1, 300)


@given(rows=sides, columns=sides)
def test_the_whole_picture_is_kept_in_shape(rows: int, columns: int) -> None:
    boxed = letterbox(np.full((rows, columns, 3), 255, np.uint8), 64, 64)
    assert boxed.shape == (64, 64, 3)
    white = (boxed == 255).all(2)
    height, width = white.any(1).sum(), white.any(0).sum()
    assert max(height, width) == 64
    assert abs(height - max(1, 64 * rows / max(rows, columns))) <= 0.5 + 1e-9
    assert abs(width - max(1, 64 * columns / max(rows, columns))) <= 0.5 + 1e-9
    assert ((boxed == 127).all(2) | white).all()


@given(rows=sides, columns=sides)
def test_crops_are_views_that_cover_the_picture(rows: int, columns: int) -> None:
    image = np.zeros((rows, columns, 3), np.uint8)
    parts = crops(image)
    assert list(parts) == [Direction.LEFT, Direction.AHEAD, Direction.RIGHT]
    for part in parts.values():
        assert np.shares_memory(part, image)
        assert part.shape == (rows, max(1, columns // 2), 3)
        part += 1
    assert columns < 4 or (image >= 1).mean() > 0.95
    assert (image[:, 0] >= 1).all()
    assert (image[:, -1] >= 1).all()


@given(rows=st.integers(4, 24), columns=st.integers(4, 24), seed=st.integers(0, 9))
def test_a_picture_halved_beforehand_is_letterboxed_to_the_same(rows: int, columns: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 255, (16 * rows, 16 * columns, 3), np.uint8)
    half = reduced(image, *fitted(image, 32, 32))
    assert max(half.shape) < 2 * 3 * 32
    assert (letterbox(half, 32, 32) == letterbox(image, 32, 32)).all()
