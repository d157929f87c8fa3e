"""The danger lane as the daemon runs it, one picture after another on stream time, for measuring."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np

from capture.frame import Frame, Image
from capture.test_image import draw_test_image
from daemon.core.core import Core
from daemon.core.messages import Assessed
from daemon.wiring.detector import DetectorBundle

FRAMES_PER_S = 25.0
_NOISE = 2.0
"""Grey levels; standard deviation of an ordinary camera's noise in ordinary light."""


class PipelineUnderTest:
    """From a picture to the core's decision: resize, encode, score, calibrate, step."""

    def __init__(self, detector: DetectorBundle) -> None:
        self._detector = detector.detector
        self._core = Core(detector.spec)
        self._seq = 0

    def see(self, image: Image) -> None:
        self._seq += 1
        # Stream time: the core's decisions must not depend on the machine's speed.
        now = self._seq / FRAMES_PER_S
        frame = Frame(image, (image.shape[1], image.shape[0]), self._seq, now, "bench")
        self._core.step(Assessed(self._detector.assess(frame)), now)


def picture(width: int, height: int) -> Image:
    """The test picture at a size."""
    return draw_test_image(width, height)


def resting(width: int, height: int) -> Iterator[Image]:
    """A view in which nothing moves but the sensor's noise; made beforehand, for ever."""
    still, random = picture(width, height).astype(np.float32), np.random.default_rng(0)
    noisy = (still + random.normal(0, _NOISE, still.shape).astype(np.float32) for _ in range(8))
    return cycle([np.clip(image, 0, 255).astype(np.uint8) for image in noisy])
