"""The picture that flows from a camera to the detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""A picture: BGR, uint8, height x width x 3."""


# eq=False: comparing two arrays gives an array, which has no truth value.
@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One captured picture, upright, bounded in size and read-only."""

    image: Image
    source_size: tuple[int, int]
    """Width and height in pixels as the source delivered it, before bounding and rotation."""
    seq: int
    """Counts the frames the source delivered, from 0, skipped ones included."""
    captured_at_s: float
    """Monotonic seconds (live) or stream seconds (replay).

    Of a live source, when the picture was taken as far as can be told: its arrival less the delay that its
    own times and what waits behind it show.
    """
    source: str
    """The source's name with credentials redacted."""
    source_time_s: float | None = None
    """The source's own time stamp in seconds; None if it has none."""
    damaged: bool = False
    """Part of the picture is missing; the decoder has filled the gap with invented pixels."""

    def __post_init__(self) -> None:
        # `frozen` protects only the attribute. Several threads share the array, and each relies on its
        # pixels.
        self.image.setflags(write=False)
