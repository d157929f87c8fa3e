"""Detects that a picture shows the same as the one last encoded: its encoding can then be used again.

It compares the mean colours of cells, each two to four pixels wide at a network input of 260 pixels. The
*largest* change of any cell counts, so a small thing that enters a corner is a change. The mean over a cell
removes sensor noise.
"""

from __future__ import annotations

import cv2
import numpy as np

from capture.frame import Image

CELLS = 64
"""Least cells across; as many rows as keep them square."""
LEAST_ROWS = 4
"""Rows of cells of an extremely wide picture, which would otherwise have a single one."""
PIXELS = 6
"""Two to the power of this many pixels of a cell are read: their mean has an eighth of the sensor's noise."""
MOVING = 8
"""After so many changes in a row the view moves, and is compared once in as many pictures only."""
LASTING = 4
"""A view that stays the same is encoded ever more rarely, until after so many times `longest_s`."""


class StaticSceneCheck:
    """Compares each picture with the one last encoded. Times are those of the frames, in seconds."""

    def __init__(self, level: float, longest_s: float) -> None:
        """`level`: largest change of a cell, in grey levels, that counts as still. `longest_s`: seconds after
        which a picture is encoded in any case; they double each time that the view is then still the same.
        0 switches the check off.
        """
        self._level = level
        self._longest_s = longest_s
        self._valid_s = longest_s
        self._cells: Image | None = None
        self._since_s = 0.0
        self._changes = 0
        self._uncompared = 0

    def is_still(self, image: Image, now: float) -> bool:
        """True if the last encoding can be used. False: encode this picture, which is the new reference."""
        if self._longest_s == 0:
            return False
        if self._uncompared:
            # Encoded, so that what was compared before is no longer the reference.
            self._uncompared -= 1
            self._cells = None
            return False
        return self._compare(coarse_grid(image), now)

    def _compare(self, cells: Image, now: float) -> bool:
        # A negative age means that the source has started again.
        age_s = now - self._since_s
        same = age_s >= 0 and self._like(cells)
        # Not for longer, even if equal: a slow change might stay below `level` for ever.
        if same and age_s < self._valid_s:
            self._changes = 0
            return True
        # Doubled only when it was encoded again in vain: in a view that has just come to rest, a thing that
        # was encoded at an unlucky moment must not wait long for its next chance.
        self._valid_s = min(2 * self._valid_s, LASTING * self._longest_s) if same else self._longest_s
        self._count(changed=self._cells is not None and not same)
        self._cells, self._since_s = cells, now
        return False

    def _count(self, *, changed: bool) -> None:
        """Note a comparison. In a moving view a comparison in vain costs 3 % of a frame's time."""
        if changed:
            self._changes += 1
        elif self._cells is not None:
            self._changes = 0
        if changed and self._changes >= MOVING:
            # Less the picture that becomes the reference, and the one that is compared with it.
            self._uncompared = MOVING - 2

    def _like(self, cells: Image) -> bool:
        last = self._cells
        if last is None or last.shape != cells.shape:
            return False
        # The maximum, not the mean: a small thing that enters a corner changes few cells, but must count.
        return cv2.norm(cells, last, cv2.NORM_INF) <= self._level


def coarse_grid(image: Image) -> Image:
    """Reduce a picture to 64 to 127 cells across, each the mean of a square of it.

    A picture that is smaller is returned as it is; a few columns and rows at the end may be left out.
    """
    rows, columns = image.shape[:2]
    # Only powers of two: OpenCV halves several times faster than it reduces by any other factor.
    halvings = max(0, min((columns // CELLS).bit_length(), (rows // LEAST_ROWS).bit_length()) - 1)
    # Of large cells only every so many lines: they are enough for a mean, and the rest need not be read.
    beyond = min(max(0, 2 * halvings - PIXELS), halvings)
    grid = image[:: 2**beyond]
    for _ in range(halvings - beyond):
        grid = _mean(grid, across=2, down=2)
    return _mean(grid, across=2**beyond, down=1) if beyond else grid


def _mean(image: Image, *, across: int, down: int) -> Image:
    """Means of so many pixels across and down; what is left over at the end is left out."""
    rows, columns = image.shape[0] // down, image.shape[1] // across
    whole = image[: rows * down, : columns * across]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
