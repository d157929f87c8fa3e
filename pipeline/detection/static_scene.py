"""Does a picture show the same as the one last encoded? Then its encoding holds, and the work can be saved.

Compared are the mean colours of cells, four pixels of a 260-pixel network input, and the *largest* change of
any cell counts, so that a small thing entering a corner is a change. Averaging over a cell takes sensor
noise out.
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
"""Points a cell has across and down."""
POINTS = CELLS * FINE
"""Points across that a picture is reduced to before its cells are averaged."""


class StaticSceneCheck:
    """Compares with the picture last encoded. Times are those of the frames, in seconds."""

    def __init__(self, level: float, longest_s: float) -> None:
        """`level`: grey levels that no cell may have changed by; `longest_s`: 0 switches it off."""
        self._level = level
        self._longest_s = longest_s
        self._cells: Image | None = None
        self._since_s = 0.0

    def is_still(self, image: Image, now: float) -> bool:
        """True if the last encoding still holds. False means: encode; this picture is the new reference."""
        if self._longest_s == 0:
            return False
        cells = coarse_grid(image)
        # Not for longer than `longest_s`, even if equal: slow fades stay below `level` from frame to frame. A
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
    """A picture made smaller, as a network of that input size does first anyway: comparing costs little."""
    width, height = (max(side, POINTS // 2) for side in (width, height))
    return reduced(image, *fitted(image, width, height))


def coarse_grid(image: Image) -> Image:
    """CELLS across, each about the mean of its area."""
    # At least four: an extremely wide picture would otherwise be compared by a single row.
    rows = max(4, round(CELLS * image.shape[0] / image.shape[1]))
    size = POINTS, FINE * rows
    points = image
    if image.shape[1::-1] != size:
        points = np.asarray(cv2.resize(halve(image, *size), size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return halve(points, CELLS, rows)
