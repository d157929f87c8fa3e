"""Does the camera move? Measured from the whole view, since a manifest seldom says.

Corners of the picture are followed from one frame to another (Lucas and Kanade, 1981, in pyramids). People
and cars move a part of them; a camera that pans, walks or shakes moves nearly all, so the median counts.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.dataset import CameraMotion

Picture = NDArray[np.uint8]

COMPARE_S = 0.2
"""Seconds from one comparison to the next: five pictures a second are enough, and cost little."""
MOVING_SHARE = 0.2
"""Share of the comparisons with a shift from which the camera counts as moving."""
_WIDTH = 160
"""Pixels to which pictures are reduced."""
_SHIFT = 0.004
"""Median shift as a share of the width that counts as one: well above the noise of compressed pictures."""
_CUT = 0.25
"""A greater one, or one of points that cannot be followed, is a cut to another view and no motion."""
_CORNERS, _LEAST_CORNERS = 120, 12
_ASTRAY = 1.0
"""Pixels by which a corner that is followed there and back may miss where it started; farther, it is lost."""


class CameraMotionMeter:
    """Fed with the frames of one recording; `motion` returns the result."""

    def __init__(self) -> None:
        self._before: Picture | None = None
        self._before_s = 0.0
        self._compared = 0
        self._shifted = 0

    @property
    def motion(self) -> CameraMotion | None:
        """None as long as no two frames could be compared."""
        if not self._compared:
            return None
        return "moving" if self._shifted >= MOVING_SHARE * self._compared else "still"

    def add(self, image: Picture, time_s: float) -> None:
        """Take in a frame, BGR, of any size; frames that follow too closely are skipped."""
        # The tolerance: frames exactly 0.2 s apart can differ by a rounding error less.
        if self._before is not None and 0 <= time_s - self._before_s < COMPARE_S - 1e-6:
            return
        now = _reduced(image)
        if self._before is not None and now.shape == self._before.shape:
            shift = median_shift(self._before, now)
            if shift is not None and shift < _CUT:
                self._compared += 1
                self._shifted += shift >= _SHIFT
        self._before, self._before_s = now, time_s


def median_shift(before: Picture, now: Picture) -> float | None:
    """Median distance that corners moved between two grey pictures of one size, as a share of the width.

    None if too few can be followed: a plain wall, darkness, or another view.
    """
    # Corners of at least 1 % of the strongest one's quality, 5 pixels apart: spread over the view, not on one
    # thing.
    corners = cv2.goodFeaturesToTrack(before, _CORNERS, 0.01, 5)
    if corners is None or len(corners) < _LEAST_CORNERS:
        return None
    found, there, _ = cv2.calcOpticalFlowPyrLK(before, now, corners, np.empty_like(corners))
    # Followed back as well: a corner that was lost on the way seldom returns to where it started.
    returned, back, _ = cv2.calcOpticalFlowPyrLK(now, before, found, np.empty_like(corners))
    astray = np.asarray(np.linalg.norm((returned - corners).reshape(-1, 2), axis=1))
    followed = (there.ravel() == 1) & (back.ravel() == 1) & (astray <= _ASTRAY)
    if followed.sum() < max(_LEAST_CORNERS, len(corners) // 2):
        return None
    moved = np.linalg.norm((found - corners).reshape(-1, 2)[followed], axis=1)
    return float(np.median(moved) / _WIDTH)


def _reduced(image: Picture) -> Picture:
    height = max(1, round(image.shape[0] * _WIDTH / image.shape[1]))
    small = cv2.resize(image, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
