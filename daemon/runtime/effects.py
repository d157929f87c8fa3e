"""The running daemon: carries out what the core decides, and answers those who ask about it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from daemon.core.events import Event
from daemon.core.messages import (
    DescribeView,
    Effect,
    Record,
)
from daemon.core.view import View, describe_request
from daemon.runtime.description_loop import DescriptionLoop
from daemon.runtime.engine import CoreRunner
from daemon.runtime.event_writer import EventWriter
from daemon.runtime.metrics import Metrics
from pipeline.description.policy import AnswerFinished, CancelDescription
from speech.outbox.messages import SpeechFailed, StartSpeech, StopSpeech
from speech.utterance import Utterance

log = logging.getLogger(__name__)

VIEWS_KEPT = 4
"""Views whose pictures are kept: one is being described, one may wait, the rest is over."""


class SpeechOutput(Protocol):
    """What speaks: begins at once, or is told to stop; reports what happens to the core."""

    def start(self, utterance: Utterance) -> None: ...

    def cut(self, utterance_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class DescriptionChannel:
    """Who describes, and in what words."""

    narrator: DescriptionLoop
    language: str


class EffectExecutor:
    """Carries out the core's effects, in order and without waiting."""

    def __init__(
        self,
        mind: CoreRunner,
        narrating: DescriptionChannel | None,
        scribe: EventWriter,
        ledger: Metrics,
        view: Callable[[], View | None],
        on_alert: Callable[[Event], None],
        on_false_alarm: Callable[[Event], None],
        saw: Callable[[Event, View | None], None] | None = None,
    ) -> None:
        """`saw` is told of each event and the present view before it is written; it does not wait."""
        self._saw = saw
        self._mind = mind
        self._mouth: SpeechOutput | None = None
        self._narrating = narrating
        self._scribe = scribe
        self._ledger = ledger
        self._view = view
        self._on_alert = on_alert
        self._on_false_alarm = on_false_alarm
        self._views: OrderedDict[str, View] = OrderedDict()

    def speak_through(self, mouth: SpeechOutput) -> None:
        """Who speaks; what was to be said before has failed."""
        self._mouth = mouth

    def perform(self, effect: Effect, timing: Mapping[str, float]) -> None:
        """Carry out one effect; `timing` is what was measured on the way to it."""
        match effect:
            case Record(event):
                self._record(event.timed(**timing))
            case StartSpeech() | StopSpeech():
                self._sound(effect)
            case DescribeView():
                self._describe(effect)
            case CancelDescription(scene_id):
                if self._narrating:
                    self._narrating.narrator.cancel(scene_id)

    def _sound(self, effect: StartSpeech | StopSpeech) -> None:
        match effect:
            case StartSpeech(utterance) if self._mouth is None:
                self._mind.step(SpeechFailed(utterance.id, "the voice is not there yet"))
            case StartSpeech(utterance) if self._mouth:
                self._mouth.start(utterance)
            case StopSpeech(utterance_id) if self._mouth:
                self._mouth.cut(utterance_id)

    def _record(self, event: Event) -> None:
        if self._saw is not None:
            self._saw(event, self._view())
        self._scribe.write(event)
        self._ledger.count("events", event.kind)
        if event.kind == "scene" and (view := self._view()):
            self._views[event.id] = view
            while len(self._views) > VIEWS_KEPT:
                self._views.popitem(last=False)
        elif event.kind == "speak" and event.fields["priority"] == "danger":
            self._ledger.record("frame_to_ear", event.timing["since_capture_s"] + event.timing["output_s"])
        elif event.kind == "alert":
            self._ledger.count("alerts", event.fields["hazard"])
            self._on_alert(event)
        elif event.kind == "false_alarm":
            self._on_false_alarm(event)

    def _describe(self, wanted: DescribeView) -> None:
        view = self._views.get(wanted.scene.id)
        if self._narrating is None or view is None:
            self._mind.step(AnswerFinished(wanted.scene.id))
            return
        n = self._narrating
        deadline_s = self._mind.read(lambda core: core.spec.describe.deadline_s)
        n.narrator.submit(describe_request(wanted, view, n.language, deadline_s))
