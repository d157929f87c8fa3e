"""Views that show no danger, for thresholds without the user's labels: blank ones, and the demo's seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from capture.frame import Image
from pipeline.calibration.blank_images import blank_images
from pipeline.hazards import builtin_hazards, look_alikes

_BLANK_SIDE = 256
_EVERY_S = 0.5
_DEMO_SPANS = ((1.2, 7.48, "vehicle"), (7.48, 9.68, "two_wheeler"))
"""The labels of the demo clip. The missing seconds are cuts and fades."""


@dataclass(frozen=True, slots=True, eq=False)
class HarmlessView:
    """A picture, and the built-in hazards that it surely does not show."""

    image: Image
    absent: frozenset[str]


def harmless_views(demo: Path | None) -> Iterator[HarmlessView]:
    """Blank views, which show nothing, then frames of the demo clip, if it is here.

    A street may show more of its group than its label says, so the whole group counts as unknown.
    """
    hazards = frozenset(builtin_hazards())
    for image in blank_images(_BLANK_SIDE):
        yield HarmlessView(image, hazards)
    if demo is not None:
        for time_s, image in _frames(demo):
            shown = [label for start_s, end_s, label in _DEMO_SPANS if start_s <= time_s < end_s]
            if shown:
                yield HarmlessView(image, hazards - unknown_beside(shown))


def unknown_beside(shown: Iterable[str]) -> frozenset[str]:
    """The hazards that a view of these may show too."""
    return frozenset(name for label in shown for name in look_alikes(label))


def _frames(clip: Path) -> Iterator[tuple[float, Image]]:
    """Two frames a second."""
    video = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    try:
        # 0 means that the container does not say.
        rate = video.get(cv2.CAP_PROP_FPS) or 25.0
        step, index = max(1, round(rate * _EVERY_S)), 0
        # Grabbed without conversion, because most frames are only skipped.
        while video.grab():
            if index % step == 0 and (decoded := video.retrieve())[0]:
                yield index / rate, np.asarray(decoded[1], np.uint8)
            index += 1
    finally:
        video.release()
