"""Decoded pictures become BGR, reduced in the same step if they are too large."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame

from capture.orient import limit_size
from capture.stream.camera import bgr
from capture.test_image import draw_test_image

MAX_SIDE = 640


def decoded(width: int, height: int) -> VideoFrame:
    """As a decoder delivers it: brightness in full size, colours in half."""
    return VideoFrame.from_ndarray(draw_test_image(width, height), format="bgr24").reformat(format="yuv420p")


@pytest.mark.parametrize(("width", "height"), [(640, 360), (320, 240), (360, 640)])
def test_a_picture_that_fits_is_only_converted(width: int, height: int) -> None:
    picture = decoded(width, height)
    assert (bgr(picture, MAX_SIDE) == picture.to_ndarray(format="bgr24")).all()


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (1000, 750), (720, 1280)])
def test_a_larger_one_looks_like_the_whole_one_scaled_down(width: int, height: int) -> None:
    picture = decoded(width, height)
    small, expected = bgr(picture, MAX_SIDE), limit_size(bgr(picture, width + height), MAX_SIDE)
    assert small.shape == expected.shape
    assert max(small.shape) == MAX_SIDE
    assert np.abs(small.astype(int) - expected).mean() < 4
    assert np.corrcoef(small.ravel(), expected.ravel())[0, 1] > 0.99
