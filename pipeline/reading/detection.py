"""Finds lines of text: PP-OCRv4's detection network and the post-processing of differentiable binarization.

Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.reading.network import Network

Quad = NDArray[np.float32]
"""Corners of a line in pixels, (4, 2): top left, top right, bottom right, bottom left as it is read."""

SHORT_SIDE = 736
"""Pixels to which the shorter side of a small picture is enlarged, as the network was published."""
STRIDE = 32
TEXT = 0.3
"""Probability from which a pixel belongs to text."""
LINE = 0.5
"""Mean probability within a line from which it is one."""
UNCLIP = 1.6
"""The network is trained on shrunken lines: area over perimeter, times this, is what they are grown by."""
SMALLEST = 3.0
"""Pixels of the network's input below which the height of a line is noise."""
MOST_LINES = 60
"""More are neither read in time nor listened to; the largest are kept."""


class TextDetector:
    """Used by one thread."""

    def __init__(self, file: Path) -> None:
        """Raises RuntimeError if the file is no network."""
        self._network = Network(file)

    def find(self, image: Image) -> list[Quad]:
        """The lines of a picture (H, W, 3; BGR), in its pixels, the tallest first."""
        height, width = image.shape[:2]
        size = input_size(width, height)
        text = self._network.run(normalized(np.asarray(cv2.resize(image, size), np.uint8)))[0, 0]
        scale = np.array([width / size[0], height / size[1]], np.float32)
        quads = [quad * scale for quad in lines(text)]
        return sorted(quads, key=line_height, reverse=True)[:MOST_LINES]


def input_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the network's input for a picture."""
    scale = max(1.0, SHORT_SIDE / min(width, height))
    return _multiple(width * scale), _multiple(height * scale)


def _multiple(pixels: float) -> int:
    return max(STRIDE, round(pixels / STRIDE) * STRIDE)


def normalized(image: Image) -> NDArray[np.float32]:
    """A picture as both networks want it: (1, 3, H, W), -1 to 1."""
    scaled = image.astype(np.float32) / 127.5 - 1.0
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def lines(text: NDArray[np.float32]) -> list[Quad]:
    """The lines in a map of probabilities (H, W), each a rotated rectangle grown to its full size."""
    # Grown by a pixel, so that the letters of one thin line do not fall apart.
    mask = cv2.dilate((text > TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < SMALLEST or _mean_inside(text, (centre, (width, height), angle)) < LINE:
            continue
        # Growing a rectangle by a distance gives a rectangle again, so no polygon library is needed.
        grown = UNCLIP * width * height / (width + height)
        found.append(ordered(cv2.boxPoints((centre, (width + grown, height + grown), angle))))
    return found


def _mean_inside(
    text: NDArray[np.float32], rectangle: tuple[Sequence[float], tuple[float, float], float]
) -> float:
    corners = cv2.boxPoints(rectangle)
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    part = text[top:bottom, left:right]
    inside = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(corners - [left, top]).astype(np.int32)], 1)
    return float(cv2.mean(part, inside)[0])


def ordered(corners: NDArray[Any]) -> Quad:
    """Corners in the order of `Quad`: both left ones by height, then both right ones."""
    # boxPoints begins at any corner, depending on the angle.
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = (pair[np.argsort(pair[:, 1], kind="stable")] for pair in (by_x[:2], by_x[2:]))
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def line_height(quad: Quad) -> float:
    """Pixels from the top of a line to its bottom."""
    return float(np.linalg.norm(quad[0] - quad[3]) + np.linalg.norm(quad[1] - quad[2])) / 2
