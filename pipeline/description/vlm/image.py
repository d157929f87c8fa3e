"""Pictures made ready for a model."""

from __future__ import annotations

import cv2
import numpy as np

from capture.frame import Image


def bounded(image: Image, side: int) -> Image:
    """At most `side` pixels long and wide, contiguous; an answer waits longest for the pixels."""
    height, width = image.shape[:2]
    ratio = side / max(height, width)
    if ratio >= 1:
        return np.ascontiguousarray(image)
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def squared(image: Image) -> Image:
    """Padded with grey to a square, so that cutting out the middle loses nothing."""
    height, width = image.shape[:2]
    side = max(height, width)
    whole = np.full((side, side, 3), 127, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    whole[top : top + height, left : left + width] = image
    return whole
