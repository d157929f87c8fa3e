"""A picture that is the same on every machine: for self-tests, for benchmarks and for the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import cv2
import numpy as np

from capture.frame import Image


def draw_test_image(width: int = 640, height: int = 480) -> Image:
    """A red disc and a blue square on soft waves, `height` x `width` x 3, BGR, uint8.

    The shapes give a description something to name. The waves are everywhere, so that a shifted copy differs
    in every part and an encoder has real work.
    """
    y = np.linspace(0, 4.8, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 6.4, width, dtype=np.float32)[None, :]
    waves = np.stack([np.sin(x * y), np.sin(x + 2 * y), np.cos(3 * x - y)], axis=-1)
    image = np.asarray(127 + 120 * waves, np.uint8)
    side = min(width, height)
    cv2.circle(image, (width // 3, height // 2), side // 5, (0, 0, 220), -1)
    cv2.rectangle(image, (width * 5 // 8, height // 3), (width * 7 // 8, height * 2 // 3), (220, 60, 0), -1)
    return image


def moving_test_image(width: int, height: int) -> Iterator[Image]:
    """The test image swept sideways, so that every frame has to be encoded; without end."""
    still = draw_test_image(width, height)
    # Made beforehand: drawing a frame must not be measured.
    return cycle([np.ascontiguousarray(np.roll(still, step * width // 8, axis=1)) for step in range(8)])
