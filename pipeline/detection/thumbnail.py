"""A picture of a few ten thousand points, made once a frame for whatever compares it with earlier ones."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.downscale import halve
from capture.frame import Image

Plane = NDArray[np.float32]

CELLS = 64
"""Cells across; as many rows as keep them square."""
FINE = 4
"""Points a cell has across and down."""
POINTS = CELLS * FINE


def thumbnail(image: Image) -> Image:
    """POINTS across, whole cells high, each point about the mean of what it covers; such a one is itself."""
    size = POINTS, FINE * max(4, round(CELLS * image.shape[0] / image.shape[1]))
    if image.shape[1::-1] == size:
        return image
    return np.asarray(cv2.resize(halve(image, *size), size, interpolation=cv2.INTER_LINEAR), np.uint8)


def coarse_grid(points: Image) -> Image:
    """Each cell the mean of its points."""
    return halve(points, points.shape[1] // FINE, points.shape[0] // FINE)


def local_change(change: Plane, every: int = 1) -> Plane:
    """By how much each point changed beyond the whole picture's brightness, which is the camera's doing.

    The median of every `every`-th point across and down stands for that (of an even count the upper one).
    """
    sparse = change[::every, ::every]
    half = sparse.size // 2
    # numpy's own median takes four times as long for so few numbers.
    return np.asarray(np.abs(change - np.partition(sparse, half, axis=None)[half]))
