"""Is this picture the one that was encoded last? Then its embedding is too, and the work can be saved.

Compared are the mean brightnesses of blocks finer than anything an encoder of this kind resolves, and the
*largest* change of any block counts, so that a small thing entering a corner is a change. Averaging
over a block takes sensor noise out.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image

GRID = 64
"""Blocks along each side: about four pixels of a 260-pixel network input."""


class Stillness:
    """Compares with the picture last encoded. Times are those of the frames, in seconds."""

    def __init__(self, level: float, longest_s: float) -> None:
        """`level`: grey levels that no block may have changed by; `longest_s`: 0 switches it off."""
        self._level = level
        self._longest_s = longest_s
        self._blocks: NDArray[np.float32] | None = None
        self._since_s = 0.0

    def still(self, image: Image, now: float) -> bool:
        """True where the last encoding still holds. False means: encode, this picture is the new measure."""
        if self._longest_s == 0:
            return False
        blocks = _blocks(image)
        if self._blocks is not None and 0 <= now - self._since_s < self._longest_s:
            change = float(np.abs(blocks - self._blocks).max())
            if change <= self._level:
                return True
        self._blocks, self._since_s = blocks, now
        return False


def _blocks(image: Image) -> NDArray[np.float32]:
    """Mean of each block and colour channel, GRID x GRID x 3."""
    return np.asarray(cv2.resize(image, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)
