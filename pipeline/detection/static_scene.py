"""Is this picture the one that was encoded last? Then its embedding is too, and the work can be saved.

Compared are the mean colours of cells, four pixels of a 260-pixel network input, and the *largest* change of
any cell counts, so that a small thing entering a corner is a change. Averaging over a cell takes sensor
noise out.
"""

from __future__ import annotations

import cv2

from capture.frame import Image
from pipeline.detection.thumbnail import coarse_grid, thumbnail


class StaticSceneCheck:
    """Compares with the picture last encoded. Times are those of the frames, in seconds."""

    def __init__(self, level: float, longest_s: float) -> None:
        """`level`: grey levels that no cell may have changed by; `longest_s`: 0 switches it off."""
        self._level = level
        self._longest_s = longest_s
        self._cells: Image | None = None
        self._since_s = 0.0

    def is_still(self, image: Image, now: float) -> bool:
        """True where the last encoding still holds. False means: encode, this picture is the new measure.

        `image` may be its points.
        """
        if self._longest_s == 0:
            return False
        cells = coarse_grid(thumbnail(image))
        if 0 <= now - self._since_s < self._longest_s and self._like(cells):
            return True
        self._cells, self._since_s = cells, now
        return False

    def _like(self, cells: Image) -> bool:
        last = self._cells
        if last is None or last.shape != cells.shape:
            return False
        return cv2.norm(cells, last, cv2.NORM_INF) <= self._level
