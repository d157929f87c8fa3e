"""Drives the core over a recording for its decisions alone, without speech or files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capture.camera import Camera
from capture.frame import Frame
from daemon.config.settings import Settings
from daemon.core.events import Event
from daemon.replay.replay import FrameAssessor
from daemon.wiring.detector import DetectorBundle
from daemon.wiring.replay import build_replay
from daemon.wiring.sources import open_recorded
from pipeline.calibration.sweep import ScoreSeries
from pipeline.evaluation.camera_motion import CameraMotionMeter
from pipeline.evaluation.dataset import CameraMotion
from pipeline.types import Assessment, Direction, Probabilities
from speech.sound.audio import Audio
from speech.utterance import Utterance

WORDS_A_SECOND = 3.0
"""Speed of the silent voice: 180 words a minute."""

RATE = 8000
"""Sample rate in hertz of the silence that replaces speech."""


class SilentVoice:
    """Renders silence as long as the speech, so that cool-downs and queues behave as in the daemon."""

    def render(self, utterance: Utterance) -> Audio:
        seconds = max(len(utterance.text.split()), 1) / WORDS_A_SECOND
        # Only the length matters; the core never sees the samples.
        return Audio(np.zeros((int(seconds * RATE), 1), np.int16), RATE)


class NoSink:
    """A sink that discards the sound."""

    def place(self, audio: Audio, at_s: float) -> None:
        """Does nothing."""

    def cut(self, at_s: float) -> None:
        """Does nothing."""

    def close(self, at_s: float) -> None:
        """Holds nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class SilentReplay:
    """The result of a replay of one recording."""

    events: tuple[Event, ...]
    """The summary last."""
    series: ScoreSeries
    """The probabilities of every frame, as the alert policy received them."""
    camera: CameraMotion | None
    """Measured from the frames; None if they show too little."""


class RecordingDetector:
    """A detector that keeps the probabilities it gives."""

    def __init__(self, detector: FrameAssessor) -> None:
        self._detector = detector
        self._times: list[float] = []
        self._rows: list[Probabilities] = []

    def assess(self, frame: Frame, focus: Direction | None = None) -> Assessment:
        assessment = self._detector.assess(frame, focus)
        self._times.append(assessment.captured_at_s)
        self._rows.append(assessment.probabilities)
        return assessment

    @property
    def series(self) -> ScoreSeries:
        rows = np.stack(self._rows) if self._rows else np.zeros((0, 0), np.float32)
        return ScoreSeries(np.array(self._times, np.float64), rows)


class MeasuredCamera:
    """A camera whose own motion is measured while its frames pass."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._meter = CameraMotionMeter()
        # The rest of the `Camera` protocol: the replay reads these.
        self.source, self.live = camera.source, camera.live

    @property
    def motion(self) -> CameraMotion | None:
        return self._meter.motion

    def read(self) -> Frame | None:
        frame = self._camera.read()
        if frame is not None:
            self._meter.add(frame.image, frame.captured_at_s)
        return frame

    def close(self) -> None:
        self._camera.close()


def silent_replay(settings: Settings, bundle: DetectorBundle, path: Path) -> SilentReplay:
    """Replay a video or folder; views go undescribed. Raises CameraUnusable."""
    events: list[Event] = []
    camera, detector = MeasuredCamera(open_recorded(settings, str(path))), RecordingDetector(bundle.detector)
    try:
        replay = build_replay(
            settings=settings,
            bundle=bundle,
            voice=SilentVoice(),
            sink=NoSink(),
            describer=None,
            write=events.append,
            assessor=detector,
        )
        replay.run(camera)
    finally:
        camera.close()
    return SilentReplay(tuple(events), detector.series, camera.motion)
