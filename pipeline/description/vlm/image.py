"""Pictures made ready for a model."""

from __future__ import annotations

import cv2
import numpy as np

from capture.frame import Image

LONGEST_RATIO = 16
"""Length over width from which a picture is padded: models refuse what is much longer (Qwen2.5-VL 200)."""
LEAST_SIDE = 28
"""Smallest side in pixels: Qwen2.5-VL refuses less, and three rows would be read as three colours."""
GREY = 127


def bounded(image: Image, side: int) -> Image:
    """At most `side` pixels long and wide, contiguous; an answer waits longest for the pixels.

    A picture that is long and thin, or tiny, is padded with grey, so that no model refuses it.
    """
    height, width = image.shape[:2]
    ratio = side / max(height, width)
    if ratio < 1:
        size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = image.shape[:2]
    # Rounded up by floor division of the negative, so that the ratio is never exceeded.
    least = max(LEAST_SIDE, -(-max(height, width) // LONGEST_RATIO))
    return np.ascontiguousarray(_padded(image, max(height, least), max(width, least)))


def _padded(image: Image, height: int, width: int) -> Image:
    """In the middle of a grey picture of this size."""
    if image.shape[:2] == (height, width):
        return image
    whole = np.full((height, width, 3), GREY, np.uint8)
    top, left = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
    whole[top : top + image.shape[0], left : left + image.shape[1]] = image
    return whole


def squared(image: Image) -> Image:
    """Padded with grey to a square, so that cutting out the middle loses nothing."""
    side = max(image.shape[:2])
    return _padded(image, side, side)
