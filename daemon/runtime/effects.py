"""Carries out the effects that the core decides on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
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
from speech.outbox.messages import StartSpeech, StopSpeech
from speech.utterance import Utterance

VIEWS_KEPT = 4
"""Views kept for the describer: one is being described, one may wait; two more cover a late request."""


class SpeechOutput(Protocol):
    """Speaks one utterance at a time; never waits. Reports the outcome of each to the core."""

    def start(self, utterance: Utterance) -> None: ...

    def cut(self, utterance_id: str) -> None: ...


class EffectExecutor:
    """Carries out the core's effects, in order and without waiting."""

    def __init__(
        self,
        *,
        runner: CoreRunner,
        output: SpeechOutput,
        descriptions: DescriptionLoop,
        language: str,
        events: EventWriter,
        metrics: Metrics,
        latest_view: Callable[[], View | None],
        on_alert: Callable[[Event], None],
        on_false_alarm: Callable[[Event], None],
        on_event: Callable[[Event, View | None], None] | None = None,
    ) -> None:
        """`language`: that of descriptions. `on_event` gets each event and the latest view before the event
        is written. None of the callbacks may wait.
        """
        self._runner = runner
        self._output = output
        self._descriptions = descriptions
        self._language = language
        self._events = events
        self._metrics = metrics
        self._latest_view = latest_view
        self._on_alert = on_alert
        self._on_false_alarm = on_false_alarm
        self._on_event = on_event
        self._views: OrderedDict[str, View] = OrderedDict()

    def perform(self, effect: Effect, timing: Mapping[str, float]) -> None:
        """Carry out one effect; `timing` holds the times measured on the way to it."""
        match effect:
            case Record(event):
                self._record(event.timed(**timing))
            case StartSpeech(utterance):
                self._output.start(utterance)
            case StopSpeech(utterance_id):
                self._output.cut(utterance_id)
            case DescribeView():
                self._describe(effect)
            case CancelDescription(scene_id):
                self._descriptions.cancel(scene_id)

    def _record(self, event: Event) -> None:
        if self._on_event is not None:
            # Before the event is written: the journal pairs the picture with the line that comes later.
            self._on_event(event, self._latest_view())
        self._events.write(event)
        self._metrics.count("events", event.kind)
        if event.kind == "scene" and (view := self._latest_view()):
            self._views[event.id] = view
            while len(self._views) > VIEWS_KEPT:
                # The oldest first: a view that is not described by now has been overtaken.
                self._views.popitem(last=False)
        elif event.kind == "speak" and event.fields["priority"] == "danger":
            self._metrics.record("frame_to_ear", event.timing["since_capture_s"] + event.timing["output_s"])
        elif event.kind == "alert":
            self._metrics.count("alerts", event.fields["hazard"])
            self._on_alert(event)
        elif event.kind == "false_alarm":
            self._on_false_alarm(event)

    def _describe(self, effect: DescribeView) -> None:
        view = self._views.get(effect.scene.id)
        if view is None:
            # Answered at once, so that the description policy does not wait for ever.
            self._runner.step(AnswerFinished(effect.scene.id))
            return
        deadline_s = self._runner.read(lambda core: core.spec.describe.deadline_s)
        self._descriptions.submit(describe_request(effect, view, self._language, deadline_s))
