"""Builds the replay of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from daemon.config.settings import Settings
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.events import Event
from daemon.core.health_sources import QualityReporter
from daemon.core.view import no_encoder
from daemon.replay.replay import FrameAssessor, Options, Replay, ReplaySink, ReplayVoice
from daemon.wiring.describer import build_sentence_encoder
from daemon.wiring.detector import DetectorBundle
from pipeline.description.status import WatchedDescriber


def build_replay(
    *,
    settings: Settings,
    bundle: DetectorBundle,
    voice: ReplayVoice,
    sink: ReplaySink,
    describer: WatchedDescriber | None,
    write: Callable[[Event], None],
    real_time: bool = False,
    black_boxes: Path | None = None,
    assessor: FrameAssessor | None = None,
) -> Replay:
    """Build the core driven over a file. The caller closes `describer`; None: nothing is described.

    `assessor` scores the frames in place of the bundle's detector.
    """
    return Replay(
        box=BlackBox(Core(bundle.spec)),
        detector=assessor or bundle.detector,
        voice=voice,
        sink=sink,
        describer=describer,
        options=Options(
            language=settings.speech.language,
            describe_s=settings.describe.replay_s,
            deadline_s=settings.describe.deadline_s,
            load_s=settings.describe.load_s,
            real_time=real_time,
            black_boxes=black_boxes,
        ),
        write=write,
        quality=QualityReporter(settings.capture),
        encode_sentence=build_sentence_encoder(settings) if describer else no_encoder,
    )
