"""Detects that a picture shows the same as the one last encoded: its encoding can then be used again.

It compares the mean colours of cells, each four pixels wide at a network input of 260 pixels. The *largest*
change of any cell counts, so a small thing that enters a corner is a change. The mean over a cell removes
sensor noise.
"""

from __future__ import annotations

import cv2
import numpy as np

from capture.downscale import halve
from capture.frame import Image
from pipeline.models.preprocess import fitted, reduced

CELLS = 64
"""Cells across; as many rows as keep them square."""
FINE = 4
"""Points of a cell, across and down."""
POINTS = CELLS * FINE
"""Width in points to which a picture is reduced before its cells are averaged."""


class StaticSceneCheck:
    """Compares each picture with the one last encoded. Times are those of the frames, in seconds."""

    def __init__(self, level: float, longest_s: float) -> None:
        """`level`: largest change of a cell, in grey levels, that counts as still. `longest_s`: seconds after
        which a picture is encoded in any case; 0 switches the check off.
        """
        self._level = level
        self._longest_s = longest_s
        self._cells: Image | None = None
        self._since_s = 0.0

    def is_still(self, image: Image, now: float) -> bool:
        """True if the last encoding can be used. False: encode this picture, which is the new reference."""
        if self._longest_s == 0:
            return False
        cells = coarse_grid(image)
        # Not for longer than `longest_s`, even if equal: a slow change might stay below `level` for ever. A
        # negative difference means that the source has started again.
        if 0 <= now - self._since_s < self._longest_s and self._like(cells):
            return True
        self._cells, self._since_s = cells, now
        return False

    def _like(self, cells: Image) -> bool:
        last = self._cells
        if last is None or last.shape != cells.shape:
            return False
        # The maximum, not the mean: a small thing that enters a corner changes few cells, but must count.
        return cv2.norm(cells, last, cv2.NORM_INF) <= self._level


def as_compared(image: Image, width: int, height: int) -> Image:
    """Reduce a picture as a network of that input size does first anyway, so that comparing costs little."""
    width, height = (max(side, POINTS // 2) for side in (width, height))
    return reduced(image, *fitted(image, width, height))


def coarse_grid(image: Image) -> Image:
    """Reduce a picture to CELLS cells across, each about the mean of its area."""
    # At least four rows: an extremely wide picture would otherwise have a single one.
    rows = max(4, round(CELLS * image.shape[0] / image.shape[1]))
    size = POINTS, FINE * rows
    points = image
    if image.shape[1::-1] != size:
        points = np.asarray(cv2.resize(halve(image, *size), size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return halve(points, CELLS, rows)
