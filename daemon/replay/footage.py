"""Scores of ordinary footage, the input of `calibrate`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from capture.camera import Camera, CameraLost
from capture.frame import Image
from pipeline.calibration.sweep import ScoreSeries
from pipeline.detection.detector import Detector, NotFiniteError
from pipeline.evaluation.camera_motion import CameraMotionMeter
from pipeline.types import Encoding

log = logging.getLogger(__name__)

STRETCH_S = 10.0
"""Seconds for which a camera is taken to move or to stand still: it is taken up and put down again."""
KEPT = 300
"""Encodings kept of a recording, evenly over its length."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredFootage:
    """A recording's probabilities, and some of its encodings."""

    footage: ScoreSeries
    encodings: tuple[Encoding, ...]
    moving: tuple[tuple[float, float], ...] = ()
    """Start and end in seconds of the stretches in which the camera moves."""


class MotionLog:
    """Tells the stretches of a recording in which the camera moves."""

    def __init__(self) -> None:
        self._meter, self._start_s = CameraMotionMeter(), 0.0
        self._moving: list[tuple[float, float]] = []

    def add(self, image: Image, now: float) -> None:
        """Take in a frame; times rise."""
        if now - self._start_s >= STRETCH_S:
            self._end(now)
        self._meter.add(image, now)

    def moving(self, end_s: float) -> tuple[tuple[float, float], ...]:
        """All stretches until the end of the recording."""
        self._end(end_s)
        return tuple(self._moving)

    def _end(self, now: float) -> None:
        if self._meter.motion == "moving":
            self._moving.append((self._start_s, now))
        self._meter, self._start_s = CameraMotionMeter(), now


def score(
    camera: Camera,
    detector: Detector,
    longest_s: float = float("inf"),
    progress: Callable[[float], None] = lambda _: None,
) -> ScoredFootage:
    """Score every frame until the end, or the first `longest_s` seconds of stream time. Raises CameraError.

    `progress` gets the seconds scored so far. A camera that is lost ends the recording, which is logged.
    """
    times: list[float] = []
    first_s: float | None = None
    rows, kept, stride, broken = [], [], 1, 0
    motion = MotionLog()
    while True:
        try:
            frame = camera.read()
        except CameraLost as error:
            # One frame has no duration: there is nothing to calibrate with.
            if len(times) < 2:
                raise
            log.warning("the camera was lost; the footage until then is used: %s", error)
            break
        if frame is None:
            break
        first_s = frame.captured_at_s if first_s is None else first_s
        if frame.captured_at_s - first_s >= longest_s:
            break
        # A few broken frames must not end an hour's recording; they are counted and reported.
        try:
            assessment = detector.assess(frame)
        except NotFiniteError:
            broken += 1
            continue
        if len(times) % stride == 0:
            kept.append(assessment.encoding)
            # Halve and take half as many from here on: evenly spaced, though the length is not known in
            # advance.
            if len(kept) > KEPT:
                kept, stride = kept[::2], stride * 2
        motion.add(frame.image, frame.captured_at_s)
        times.append(frame.captured_at_s)
        rows.append(assessment.probabilities)
        progress(times[-1] - times[0])
    if broken:
        log.warning("%d frames are left out: the model's numbers for them are not finite", broken)
    probabilities = np.stack(rows) if rows else np.zeros((0, 0), np.float32)
    footage = ScoreSeries(np.array(times, np.float64), probabilities)
    end_s = footage.seconds + (times[0] if times else 0.0)
    return ScoredFootage(footage, tuple(kept), motion.moving(end_s))
