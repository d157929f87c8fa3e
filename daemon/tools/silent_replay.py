"""Drives the core over a recording for its decisions alone, without speech or files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from daemon.config.settings import Settings
from daemon.core.events import Event
from daemon.wiring.detector import DetectorBundle
from daemon.wiring.replay import build_replay
from daemon.wiring.sources import open_recorded
from speech.sound.audio import Audio
from speech.utterance import Utterance

WORDS_A_SECOND = 3.0
"""Speed of the silent voice: 180 words a minute."""

RATE = 8000
"""Hertz of the silence that stands for speech."""


class SilentVoice:
    """Renders silence as long as the speech, so that cool-downs and queues behave as in the daemon."""

    def render(self, utterance: Utterance) -> Audio:
        seconds = max(len(utterance.text.split()), 1) / WORDS_A_SECOND
        return Audio(np.zeros((int(seconds * RATE), 1), np.int16), RATE)


class NoSink:
    """Takes sound and does nothing with it."""

    def place(self, audio: Audio, at_s: float) -> None:
        """Does nothing."""

    def cut(self, at_s: float) -> None:
        """Does nothing."""

    def close(self, at_s: float) -> None:
        """Holds nothing."""


def replay_events(settings: Settings, detector: DetectorBundle, path: Path) -> list[Event]:
    """Every event over a video or folder, the summary last; views go undescribed. Raises CameraUnusable."""
    events: list[Event] = []
    camera = open_recorded(settings, str(path))
    try:
        replay = build_replay(
            settings=settings,
            bundle=detector,
            voice=SilentVoice(),
            sink=NoSink(),
            describer=None,
            write=events.append,
        )
        replay.run(camera)
    finally:
        camera.close()
    return events
