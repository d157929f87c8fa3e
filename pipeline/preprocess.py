"""Pictures made ready for a network by OpenCV: pure functions, no model."""

from __future__ import annotations

import cv2
import numpy as np

from capture.frame import Image
from pipeline.types import Direction

_GREY = (127, 127, 127)
"""About zero after the usual normalisations, so that borders say nothing."""


def letterbox(image: Image, width: int, height: int) -> Image:
    """The whole picture scaled to fit `width` x `height`, its shape kept, centred on grey."""
    rows, columns = image.shape[:2]
    scale = min(width / columns, height / rows)
    inner = max(1, round(columns * scale)), max(1, round(rows * scale))
    if inner == (width, height):
        return resize(image, width, height)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas = np.full((height, width, 3), _GREY, np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = resize(image, *inner)
    return canvas


def resize(image: Image, width: int, height: int) -> Image:
    """Scaled to exactly `width` x `height`: by area when shrinking (no aliasing), else linearly."""
    rows, columns = image.shape[:2]
    shrinks = width * height < columns * rows
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)


def crops(image: Image) -> dict[Direction, Image]:
    """Three upright views (not copies) of a picture: its left half, its middle half, its right half.

    The halves overlap by a quarter of the width, so that nothing is cut by every border at once.
    """
    columns = image.shape[1]
    half, quarter = max(1, columns // 2), columns // 4
    return {
        Direction.LEFT: image[:, :half],
        Direction.AHEAD: image[:, quarter : quarter + half],
        Direction.RIGHT: image[:, columns - half :],
    }
