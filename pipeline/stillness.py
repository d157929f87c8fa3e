"""Is this picture the one that was encoded last? Then its embedding is too, and the work can be saved.

Compared are the mean brightnesses of blocks finer than anything an encoder of this kind resolves, and the
*largest* change of any block counts, so that a small thing entering a corner is a change. Averaging
over a block takes sensor noise out.
"""

from __future__ import annotations

import cv2
import numpy as np

from capture.frame import Image
from pipeline.points import CELLS, points_of


class Stillness:
    """Compares with the picture last encoded. Times are those of the frames, in seconds."""

    def __init__(self, level: float, longest_s: float) -> None:
        """`level`: grey levels that no block may have changed by; `longest_s`: 0 switches it off."""
        self._level = level
        self._longest_s = longest_s
        self._blocks: Image | None = None
        self._since_s = 0.0

    def still(self, image: Image, now: float) -> bool:
        """True where the last encoding still holds. False means: encode, this picture is the new measure.

        `image` may be its points.
        """
        if self._longest_s == 0:
            return False
        blocks = _blocks(points_of(image))
        if 0 <= now - self._since_s < self._longest_s and self._like(blocks):
            return True
        self._blocks, self._since_s = blocks, now
        return False

    def _like(self, blocks: Image) -> bool:
        last = self._blocks
        if last is None or last.shape != blocks.shape:
            return False
        return float(cv2.absdiff(blocks, last).max()) <= self._level


def _blocks(points: Image) -> Image:
    """Mean of each block, CELLS across and half as high as wide: of whole points, which makes it fast."""
    size = CELLS, points.shape[0] // 2
    return np.asarray(cv2.resize(points, size, interpolation=cv2.INTER_AREA), np.uint8)
