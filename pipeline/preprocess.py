"""Pictures made ready for a network by OpenCV: pure functions, no model."""

from __future__ import annotations

import math

import cv2
import numpy as np

from capture.frame import Image
from capture.shrink import halved
from pipeline.types import Direction

_GREY = 127
"""About zero after the usual normalisations, so that borders say nothing."""
_SPARE = 1.5
"""Times the size wanted that halving leaves; halved further, pictures come out softer than networks like."""


def letterbox(image: Image, width: int, height: int) -> Image:
    """The whole picture scaled to fit `width` x `height`, its shape kept, centred on grey."""
    inner = fitted(image, width, height)
    if inner == (width, height):
        return resize(image, width, height)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas = np.full((height, width, 3), _GREY, np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = resize(image, *inner)
    return canvas


def resize(image: Image, width: int, height: int) -> Image:
    """Scaled to exactly `width` x `height`, without aliasing when shrinking.

    Shrinking is linear to twice the size, then halved: what shrinking by area gives (cosine similarity of the
    starter's embeddings 0.9999), in less than half the time.
    """
    near = reduced(image, width, height)
    if width * height < near.shape[0] * near.shape[1]:
        double = cv2.resize(near, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
        return halved(np.asarray(double, np.uint8), width, height)
    return np.asarray(cv2.resize(near, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def reduced(image: Image, width: int, height: int) -> Image:
    """Halved as often as it pays: what `resize` begins with, so that it may be done beforehand."""
    return halved(image, math.ceil(_SPARE * width), math.ceil(_SPARE * height))


def fitted(image: Image, width: int, height: int) -> tuple[int, int]:
    """Width and height of the whole picture scaled to fit `width` x `height`, its shape kept."""
    rows, columns = image.shape[:2]
    scale = min(width / columns, height / rows)
    return max(1, round(columns * scale)), max(1, round(rows * scale))


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
