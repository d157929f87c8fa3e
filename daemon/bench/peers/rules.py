"""Rules that decide at each frame whether the view is described now. Each instance sees one clip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from capture.frame import Frame, Image
from daemon.wiring.detector import DetectorBundle
from pipeline.alerting.scene_change import SceneChangeGate

SCENE_GATE, EVERY_30TH, EVERY_SECOND = "scene_gate", "every_30th_frame", "every_second"
DIFFERENCE, CONTENT, ADAPTIVE = "frame_difference", "content_detector", "adaptive_detector"
NAMES = (SCENE_GATE, EVERY_30TH, EVERY_SECOND, DIFFERENCE, CONTENT, ADAPTIVE)
DIFFERENCES = (3.0, 5.0, 8.0, 12.0, 18.0, 25.0, 35.0, 50.0, 70.0)
"""Thresholds tried, in grey levels: the mean absolute difference of two frames in a row."""
_WIDTH = 256
"""Pixels to which PySceneDetect reduces a frame before it compares (its DEFAULT_MIN_WIDTH)."""


@dataclass(frozen=True, slots=True, eq=False)
class ShownFrame:
    """One frame of a clip, as every rule receives it."""

    number: int
    at_s: float
    image: Image
    small: Image
    """The same, at most _WIDTH wide."""


class GatingRule(Protocol):
    """Decides frame by frame; numbers and times rise."""

    def step(self, frame: ShownFrame) -> bool:
        """True if this view is to be described."""
        ...


Make = Callable[[], GatingRule]


class EveryNth:
    """Each `count`-th frame, the first one included."""

    def __init__(self, count: int) -> None:
        self._count = count

    def step(self, frame: ShownFrame) -> bool:
        return frame.number % self._count == 0


class EverySeconds:
    """A frame each `seconds`, the first one included."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due_s: float | None = None

    def step(self, frame: ShownFrame) -> bool:
        # A frame's time is a rounded multiple of its interval and must not miss its second by a hair.
        if self._due_s is not None and frame.at_s < self._due_s - 1e-6:
            return False
        self._due_s = (frame.at_s if self._due_s is None else self._due_s) + self._seconds
        return True


class FrameDifference:
    """A frame that differs from the one before by more than `threshold` grey levels on average."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._last: Image | None = None

    def step(self, frame: ShownFrame) -> bool:
        grey = np.asarray(cv2.cvtColor(frame.small, cv2.COLOR_BGR2GRAY), np.uint8)
        last, self._last = self._last, grey
        if last is None or last.shape != grey.shape:
            return False
        return float(cv2.absdiff(grey, last).mean()) > self._threshold


class SceneDetectRule:
    """A detector of PySceneDetect, asked frame by frame. It answers with the cuts that it has found."""

    def __init__(self, detector: Any, timecode: Callable[[int], Any]) -> None:
        """`timecode` turns a frame's number into the type that the detector takes."""
        self._detector = detector
        self._timecode = timecode

    def step(self, frame: ShownFrame) -> bool:
        return bool(self._detector.process_frame(self._timecode(frame.number), frame.small))


class SceneGateRule:
    """Our own: the detector's embedding of each frame, and the scene gate of the daemon's core."""

    def __init__(self, bundle: DetectorBundle) -> None:
        self._detector = bundle.detector
        self._gate = SceneChangeGate(bundle.spec.scene)

    def step(self, frame: ShownFrame) -> bool:
        height, width = frame.image.shape[:2]
        taken = Frame(frame.image, (width, height), frame.number, frame.at_s, "bench")
        return self._gate.step(self._detector.assess(taken).encoding.embedding, frame.at_s)


def plain_rules() -> Mapping[str, Make]:
    """The rules that need neither a model nor another package; one `frame_difference@T` a threshold."""
    return {
        EVERY_30TH: lambda: EveryNth(30),
        EVERY_SECOND: lambda: EverySeconds(1.0),
        # Bound as defaults: a closure would see the last threshold in all of them.
        **{f"{DIFFERENCE}@{bound:g}": lambda bound=bound: FrameDifference(bound) for bound in DIFFERENCES},  # type: ignore[misc]
    }


def scenedetect_rules(rate: float) -> Mapping[str, Make]:
    """PySceneDetect's detectors with their defaults, on frames at `rate`. Raises ImportError."""
    from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode

    def timecode(number: int) -> Any:
        return FrameTimecode(number, fps=rate)

    return {
        CONTENT: lambda: SceneDetectRule(ContentDetector(), timecode),
        ADAPTIVE: lambda: SceneDetectRule(AdaptiveDetector(), timecode),
    }


def shown(number: int, at_s: float, image: Image) -> ShownFrame:
    """The frame for the rules."""
    height, width = image.shape[:2]
    if width <= _WIDTH:
        return ShownFrame(number, at_s, image, image)
    size = _WIDTH, max(1, round(height * _WIDTH / width))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return ShownFrame(number, at_s, image, np.asarray(small, np.uint8))
