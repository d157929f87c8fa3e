"""Halving pictures: the fast part of every shrinking."""

from __future__ import annotations

import cv2
import numpy as np

from capture.frame import Image


def halve(image: Image, width: int, height: int) -> Image:
    """Halved as often as it stays at least `width` x `height`: means of 2 x 2 pixels.

    OpenCV does that many times faster than shrinking by area at once, and shrinking that begins with it gives
    the same result from a picture halved beforehand.
    """
    while image.shape[0] >= 2 * height and image.shape[1] >= 2 * width:
        half = image.shape[1] // 2, image.shape[0] // 2
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    return image
