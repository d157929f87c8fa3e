"""From a frame to the first sample of its warning, beside the time the encoder takes.

A real frame is assessed, its probabilities are then raised so that the core warns at once, and the warning
goes the daemon's own way: core, lock, speaker, permanent stream of a private PulseAudio. The time
without the encoder's is the cost of all other steps, measured also beside a language model on every core.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import numpy as np

from capture.frame import Frame
from daemon.bench.harness import Figure, Target, at_most, unmeasured
from daemon.bench.load import LoadUnavailable, language_load
from daemon.bench.loudspeaker import available
from daemon.bench.pipeline_under_test import picture
from daemon.bench.speech import private_speaker
from daemon.config.settings import Settings
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.messages import Assessed, CoreSpec, Effect
from daemon.runtime.engine import CoreRunner
from daemon.wiring.detector import DetectorBundle, build_detector
from pipeline.types import Assessment
from pipeline.wording import danger_phrases
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, StartSpeech
from speech.playback.process_player import ProcessPlayer
from speech.playback.speaker import Speaker

ALONE, LOADED = "ear.over_encode_ms_p99", "ear.over_encode_loaded_ms_p99"
LIMITS: Mapping[str, Target] = {ALONE: at_most(50), LOADED: at_most(70)}
ROUNDS_A_SAMPLE = 7
"""A hundred rounds at the usual fifteen samples: a 99th percentile needs them."""
WAIT_S = 15.0

Reports = queue.SimpleQueue[tuple[object, float]]


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    """Percentiles of the time from frame to ear without the encoding."""
    if not available():
        why = "needs Debian's packages pulseaudio and libasound2-plugins"
        yield from (unmeasured(name, "ms", limit, why) for name, limit in LIMITS.items())
        return
    rounds = samples * ROUNDS_A_SAMPLE
    detector = build_detector(settings)
    reports: Reports = queue.SimpleQueue()
    spec = at_once(detector.spec)
    phrases = danger_phrases(spec.hazards[0].say, spec.language)
    with private_speaker(settings.speech, lambda event, at_s: reports.put((event, at_s)), phrases) as speaker:
        lane = FrameToSound(detector, spec, speaker, reports)
        yield from lane.figures(ALONE, rounds, nullcontext())
        try:
            with language_load(settings.paths.models) as load:
                yield from lane.figures(LOADED, rounds, load.working())
        except LoadUnavailable as error:
            yield unmeasured(LOADED, "ms", LIMITS[LOADED], str(error))


class FrameToSound:
    """One danger after the other, each from its frame to its first sample."""

    def __init__(
        self, detector: DetectorBundle, spec: CoreSpec, speaker: Speaker[ProcessPlayer], reports: Reports
    ) -> None:
        self._detector = detector
        self._speaker = speaker
        self._reports = reports
        self._spec = spec
        self._image = picture(1280, 720)

    def figures(self, name: str, rounds: int, load: AbstractContextManager[None]) -> Iterator[Figure]:
        with load:
            # Not counted: the first warning loads what later ones find in the caches.
            self._once(0)
            took = [self._once(number) for number in range(rounds)]
        heard = [each for each in took if each is not None]
        note = f"of {len(heard)} dangers heard; encoding and the sink's own latency excluded"
        yield Figure.p99(name, [over * 1e3 for over in heard], "ms", LIMITS[name], note)
        lost = name.replace("over_encode", "lost").removesuffix("_ms_p99")
        yield Figure(lost, rounds - len(heard), "", at_most(0), rounds)

    def _once(self, number: int) -> float | None:
        """Seconds from capture to first sample less those of the assessment; None if nothing was heard."""
        # A new core for each round: the cool-down of the last alert would silence this one.
        runner = CoreRunner(BlackBox(Core(self._spec)), time.monotonic)
        runner.attach(self._perform)
        captured_s = time.monotonic()
        shape = self._image.shape
        frame = Frame(self._image, (shape[1], shape[0]), number, captured_s, "bench")
        assessment = self._detector.detector.assess(frame)
        assessed_s = time.monotonic() - captured_s
        runner.step(Assessed(danger(assessment)))
        began_s = self._await(PlaybackBegan)
        # To its end, so that the next round does not wait in the outbox.
        self._await(PlaybackEnded)
        return None if began_s is None else began_s - captured_s - assessed_s

    def _perform(self, effect: Effect, _: Mapping[str, float]) -> None:
        # Events and descriptions are left out: only the way to the loudspeaker is measured.
        if isinstance(effect, StartSpeech):
            self._speaker.execute(effect)

    def _await(self, kind: type) -> float | None:
        deadline_s = time.monotonic() + WAIT_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                event, at_s = self._reports.get(timeout=left_s)
            except queue.Empty:
                return None
            if isinstance(event, kind):
                return at_s
        return None


def at_once(spec: CoreSpec) -> CoreSpec:
    """The same core, except that one look is enough and nothing is described."""
    watch = spec.watch.model_copy(update={"smoothing_s": 0.0, "vote_s": 0.0})
    return spec.model_copy(update={"watch": watch})


def danger(assessment: Assessment) -> Assessment:
    """The same frame with one hazard beyond doubt and none other."""
    certain = np.zeros_like(assessment.probabilities)
    # Certain, whatever the model's scores for the test picture are.
    certain[0] = 1.0
    return replace(assessment, probabilities=certain)
