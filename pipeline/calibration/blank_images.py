"""Synthetic pictures of a covered, dark or blank view.

They are negatives of every taught hazard. Without them, a covered lens could score as high as the hazard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image

_GREYS = (0, 127, 255)
_TINTS = ((40, 40, 200), (60, 90, 140))
"""BGR: a red and a brown."""
_NOISE = ((12, 3), (14, 12), (60, 4), (120, 4))
"""Mean and standard deviation of sensor noise: dark, dark and grainy, dim, bright."""


def blank_images(side: int) -> list[Image]:
    """Flat greys and tints, ramps, and sensor noise; the same pictures at each call."""
    flat = [np.full((side, side, 3), shade, np.uint8) for shade in (*_GREYS, *_TINTS)]
    return [*flat, *_ramps(side), *_noise(side)]


def _ramps(side: int) -> list[Image]:
    """Brightness ramps in a 16:9 picture, as of a wall lit from the side, from below or from above."""
    rows = side * 9 // 16
    across, down = np.linspace(40, 200, side), np.linspace(40, 200, rows)[:, None]
    planes = [np.tile(across, (rows, 1)), np.tile(down, side), np.tile(down[::-1], side)]
    return [_coloured(plane) for plane in planes]


def _noise(side: int) -> list[Image]:
    random = np.random.default_rng(0)
    return [
        np.clip(random.normal(mean, spread, (side, side, 3)), 0, 255).astype(np.uint8)
        for mean, spread in _NOISE
    ]


def _coloured(plane: NDArray[np.float64]) -> Image:
    return np.repeat(plane.astype(np.uint8)[..., None], 3, axis=2)
