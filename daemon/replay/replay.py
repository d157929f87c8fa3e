"""The core driven over a file: one thread, stream time, every frame, so that a replay is exact.

Speech lasts as long as its audio; a description takes a configured time. Nothing here reads a clock
except to pace the replay and to measure.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from capture.camera import Camera
from capture.frame import Frame
from daemon.core.black_box import SUFFIX, BlackBox
from daemon.core.events import Event
from daemon.core.health import Report
from daemon.core.health_sources import QualityReporter
from daemon.core.messages import Assessed, CoreTick, DescribeView, Effect, Input, Record
from daemon.core.summary import summary
from daemon.core.view import SentenceEncoder, View, describe_request, no_encoder
from pipeline.description.base import DescribeError
from pipeline.description.policy import AnswerFinished, CancelDescription, SentenceReady
from pipeline.description.status import WatchedDescriber
from pipeline.detection.detector import NotFiniteError
from pipeline.types import Assessment, Direction
from speech.outbox.messages import PlaybackBegan, PlaybackEnded, SpeechFailed, StartSpeech, StopSpeech
from speech.sound.audio import Audio
from speech.synthesis.base import SynthesisError
from speech.utterance import Utterance

log = logging.getLogger(__name__)

TAIL_S = 20.0
"""Stream seconds after the last frame in which speech that is due may still be finished."""

VIEWS_KEPT = 4
"""Views whose pictures are kept for the describer."""

LATER_S = 1e-6
"""Stream seconds, more than the rounding error of a sum of times."""

TICK_S = 0.25
"""Stream seconds between two ticks of the core after the last frame."""


class ReplayVoice(Protocol):
    """Renders an utterance as audio."""

    def render(self, utterance: Utterance) -> Audio: ...


class FrameAssessor(Protocol):
    """Scores a frame: the detector, or a wrapper that records its results."""

    def assess(self, frame: Frame, focus: Direction | None = None) -> Assessment: ...


class ReplaySink(Protocol):
    """Receives audio at stream times, in seconds."""

    def place(self, audio: Audio, at_s: float) -> None: ...

    def cut(self, at_s: float) -> None: ...

    def close(self, at_s: float) -> None: ...


@dataclass(slots=True)
class Agenda:
    """Events that are due later in stream time, in order; those due at the same time keep their order."""

    _due: list[tuple[float, int, str, Input, Mapping[str, float]]] = field(default_factory=list)
    _added: int = 0

    def add(self, at_s: float, key: str, event: Input, timing: Mapping[str, float] | None = None) -> None:
        """Plan an event; `timing` holds the times measured on the way to it."""
        self._added += 1
        # The number keeps events of one moment in order, and keeps heapq from comparing the events.
        heapq.heappush(self._due, (at_s, self._added, key, event, timing or {}))

    def cancel(self, key: str) -> None:
        """Forget the event planned under this key."""
        self._due = [due for due in self._due if due[2] != key]
        # A filtered heap is not a heap any more.
        heapq.heapify(self._due)

    def until(self, at_s: float) -> Iterator[tuple[float, Input, Mapping[str, float]]]:
        """Pop everything due by `at_s`, in order, including events that are added meanwhile."""
        while self._due and self._due[0][0] <= at_s:
            due_s, _, _, event, timing = heapq.heappop(self._due)
            yield due_s, event, timing


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a replay besides the settings."""

    language: str
    describe_s: float
    deadline_s: float
    load_s: float = 0.0
    """Seconds the describer may take to load before the first frame."""
    real_time: bool = False
    black_boxes: Path | None = None
    """Folder that gets a black box for every alert."""


class Replay:
    """`run` takes a camera from its first frame to its end and returns the summary event."""

    def __init__(
        self,
        box: BlackBox,
        detector: FrameAssessor,
        voice: ReplayVoice,
        sink: ReplaySink,
        describer: WatchedDescriber | None,
        options: Options,
        write: Callable[[Event], None],
        quality: QualityReporter,
        encode_sentence: SentenceEncoder = no_encoder,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._box = box
        self._detector = detector
        self._voice = voice
        self._sink = sink
        self._describer = describer
        self._options = options
        self._write = write
        self._quality = quality
        self._encode_sentence = encode_sentence
        self._clock = clock
        self._sleep = sleep
        self._agenda = Agenda()
        self._view: View | None = None
        self._views: OrderedDict[str, View] = OrderedDict()
        self._now_s = 0.0
        self._frames = 0
        self._detector_failing = False
        self._last_frame_s = 0.0

    def run(self, camera: Camera) -> Event:
        """Process every frame and finish the speech. Raises CameraError and the sink's errors."""
        # Real time and not stream time: a model that loads must not let descriptions of the first frames
        # fail.
        if self._describer is not None and not self._describer.wait_ready(self._options.load_s):
            log.warning("descriptions: %s", self._describer.status.reason)
        started_s = self._clock()
        try:
            while (frame := camera.read()) is not None:
                self._frames += 1
                self._pace(started_s, frame.captured_at_s)
                self._frame(frame)
                self._last_frame_s = frame.captured_at_s
            self._finish()
        # Also if the camera fails: the sound so far is written out.
        finally:
            self._sink.close(self._now_s)
        last = self._summary().timed(wall_s=self._clock() - started_s)
        self._write(last)
        return last

    def _pace(self, started_s: float, stream_s: float) -> None:
        ahead = stream_s - (self._clock() - started_s)
        if self._options.real_time and ahead > 0:
            self._sleep(ahead)

    def _frame(self, frame: Frame) -> None:
        self._advance(frame.captured_at_s)
        if report := self._quality.inspect(frame):
            self._step(report)
        began_s = self._clock()
        try:
            # The core chooses the part of the picture that is looked at more closely, as in the detection
            # loop.
            assessment = self._detector.assess(frame, self._box.core.alert_policy.next_crop())
        except NotFiniteError as error:
            self._detector_failing = True
            self._step(Report("detector", "failed", str(error)))
            return
        if self._detector_failing:
            self._detector_failing = False
            self._step(Report("detector"))
        took_s = self._clock() - began_s
        self._view = View(frame, assessment)
        self._step(Assessed(assessment, self._quality.unseen), assess_s=took_s)

    def _advance(self, to_s: float) -> None:
        """Process everything due by `to_s`, and set the time to it."""
        for due_s, event, timing in self._agenda.until(to_s):
            # Never back: an effect of this step may be planned for a moment that has passed.
            self._now_s = max(self._now_s, due_s)
            self._step(event, **timing)
        self._now_s = max(self._now_s, to_s)

    def _finish(self) -> None:
        end_s = self._now_s + TAIL_S
        # Ticks, because without frames nothing else drives the core's timers.
        while not self._box.core.quiet and self._now_s < end_s:
            self._advance(self._now_s + TICK_S)
            self._step(CoreTick())
        self._advance(self._now_s)

    def _step(self, event: Input, **timing: float) -> None:
        for effect in self._box.step(event, self._now_s):
            self._perform(effect, timing)

    def _perform(self, effect: Effect, timing: Mapping[str, float]) -> None:
        match effect:
            case Record(event):
                self._record(event.timed(**timing))
            case StartSpeech(utterance):
                self._start(utterance)
            case StopSpeech(id):
                self._agenda.cancel(id)
                self._sink.cut(self._now_s)
            case DescribeView():
                self._describe(effect)
            case CancelDescription(scene_id):
                self._agenda.cancel(scene_id)
                # As in the live loop, a cancelled description also ends with an answer, or the policy would
                # wait for it.
                self._agenda.add(self._now_s, scene_id, AnswerFinished(scene_id))

    def _record(self, event: Event) -> None:
        self._write(event)
        if event.kind == "scene" and self._view is not None:
            self._keep_view(event.id, self._view)
        folder = self._options.black_boxes
        if event.kind == "alert" and folder is not None:
            self._box.snapshot().save(folder / f"{event.id}{SUFFIX}")

    def _keep_view(self, scene_id: str, view: View) -> None:
        """Keep the newest views: one is being described and one may wait."""
        self._views[scene_id] = view
        while len(self._views) > VIEWS_KEPT:
            self._views.popitem(last=False)

    def _start(self, utterance: Utterance) -> None:
        try:
            audio = self._voice.render(utterance)
        except SynthesisError as error:
            log.warning("not said (%s): %s", utterance.text, error)
            self._agenda.add(self._now_s, utterance.id, SpeechFailed(utterance.id, str(error)))
            return
        self._sink.place(audio, self._now_s)
        self._agenda.add(self._now_s, utterance.id, PlaybackBegan(utterance.id))
        self._agenda.add(self._now_s + audio.duration_s, utterance.id, PlaybackEnded(utterance.id))
        if 0 < utterance.named_after_s < audio.duration_s:
            # It may make room then; the next frame can be a while away.
            self._agenda.add(self._now_s + utterance.named_after_s + LATER_S, utterance.id, CoreTick())

    def _describe(self, effect: DescribeView) -> None:
        """Ask now, deliver the answer `describe_s` of stream time later; `timing` has the real duration."""
        scene, done_s = effect.scene, self._now_s + self._options.describe_s
        view, failure = self._views.get(scene.id), None
        began_s, timing = self._clock(), dict[str, float]()
        try:
            if self._describer is not None and view is not None:
                request = describe_request(effect, view, self._options.language, self._options.deadline_s)
                for sentence in self._describer.describe(request):
                    timing.setdefault("first_sentence_s", self._clock() - began_s)
                    answer = SentenceReady(
                        scene.id, sentence, self._describer.model, self._encode_sentence(sentence)
                    )
                    # All sentences at once: the measured pace depends on this machine, and a replay must not.
                    self._agenda.add(done_s, scene.id, answer, dict(timing))
        except DescribeError as error:
            log.warning("no description: %s", error)
            failure = str(error)
        timing["describe_s"] = self._clock() - began_s
        self._agenda.add(done_s, scene.id, AnswerFinished(scene.id, failure), timing)

    def _summary(self) -> Event:
        counts = self._box.core.counts
        return summary(
            self._now_s,
            frames=self._frames,
            skipped=self._frames - counts.get("assessed", 0),
            vlm_calls=self._describer.calls if self._describer else 0,
            counts=counts,
            last_frame_s=self._last_frame_s,
        )
