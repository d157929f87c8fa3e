"""The running daemon: carries out what the core decides, and answers those who ask about it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from daemon.config.keys_settings import Action
from daemon.control import protocol as wire
from daemon.core.core import Core
from daemon.core.earcon_lesson import lesson
from daemon.core.events import Event
from daemon.core.messages import (
    Ask,
    DescribeView,
    Effect,
    FalseAlarm,
    Input,
    Mute,
    Record,
    RelayedSpeech,
    Repeat,
    Say,
    TellStatus,
)
from daemon.core.view import View, describe_request
from daemon.errors import CommandError
from daemon.runtime.description_loop import DescriptionLoop
from daemon.runtime.engine import CoreRunner
from daemon.runtime.event_writer import EventWriter
from daemon.runtime.metrics import Metrics
from daemon.runtime.settings_updates import Adjustable, SettingsUpdater
from pipeline import wording
from pipeline.description.policy import AnswerFinished, CancelDescription
from speech.outbox.messages import SpeechFailed, StartSpeech, StopSpeaking, StopSpeech
from speech.utterance import Priority, Utterance

log = logging.getLogger(__name__)

TURNS: Mapping[str, tuple[Adjustable, int]] = {
    "louder": ("volume", 1),
    "softer": ("volume", -1),
    "faster": ("rate", 1),
    "slower": ("rate", -1),
}
PRESSED: Mapping[Action, wire.Command] = {
    "hush": wire.HushCommand(),
    "repeat": wire.RepeatCommand(),
    "louder": wire.LouderCommand(),
    "softer": wire.SofterCommand(),
    "slower": wire.SlowerCommand(),
    "faster": wire.FasterCommand(),
    "describe": wire.DescribeCommand(),
    "unmute": wire.MuteCommand(seconds=0),
    "false_alarm": wire.FalseAlarmCommand(),
    "status": wire.StatusCommand(aloud=True),
    "earcons": wire.EarconsCommand(),
}
"""What the keys' actions ask for; `mute` takes its length from the settings."""
LESSON_S = 120.0
"""Seconds that learning all earcons may take."""

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
            self._ledger.note("frame_to_ear", event.timing["since_capture_s"] + event.timing["output_s"])
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
        deadline_s = self._mind.ask(lambda core: core.spec.describe.deadline_s)
        n.narrator.ask(describe_request(wanted, view, n.language, deadline_s))


class RequestHandler:
    """Answers the control socket."""

    def __init__(
        self,
        mind: CoreRunner,
        status: Callable[[], Mapping[str, Any]],
        tuning: SettingsUpdater,
        *,
        loudspeaker: bool,
        web: Mapping[str, Callable[[Any], Mapping[str, Any]]] | None = None,
    ) -> None:
        """`loudspeaker`: it has one of its own. `web`: who answers the web interface's commands, by their
        names.
        """
        self._web = web or {}
        self._mind = mind
        self._status = status
        self._tuning = tuning
        self._loudspeaker = loudspeaker

    def answer(self, request: wire.Request) -> Mapping[str, Any]:
        """Handle one request in the client's thread. Raises CommandError."""
        if handler := self._web.get(request.command.do):
            return handler(request.command)
        match request.command:
            case wire.StatusCommand(aloud=aloud):
                return self._how(aloud)
            case wire.ReloadCommand():
                return self._tuning.reload()
            case wire.LouderCommand() | wire.SofterCommand() | wire.FasterCommand() | wire.SlowerCommand():
                return self._turned(request.command.do)
            case wire.EarconsCommand():
                return self._lesson()
        return self._tell(_input(request.command))

    def press(self, action: Action, mute_s: float) -> None:
        """Do what a key stands for. What cannot be done is said."""
        command = wire.MuteCommand(seconds=mute_s) if action == "mute" else PRESSED[action]
        try:
            self.answer(wire.Request(0, command))
        except CommandError as error:
            log.warning("keys: %s: %s", action, error)
            words = wording.NOT_POSSIBLE[self._tuning.settings.speech.language]
            self._mind.step(Say(words, earcon="error"))

    def _how(self, aloud: bool) -> Mapping[str, Any]:
        status = self._status()
        if aloud:
            self._mind.step(TellStatus(float(status["fps"])))
        return status

    def _turned(self, what: str) -> Mapping[str, Any]:
        if not self._loudspeaker:
            raise CommandError("this instance has no loudspeaker of its own: ask the one that speaks for it")
        return self._tuning.turn(*TURNS[what])

    def _lesson(self) -> Mapping[str, Any]:
        language = self._tuning.settings.speech.language
        for name, words in lesson(language):
            self._mind.step(Say(words, earcon=name, key=f"earcon:{name}", expires_in_s=LESSON_S))
        return {}

    def _tell(self, event: Input) -> Mapping[str, Any]:
        self._mind.step(event)
        return {}


def _input(command: wire.Command) -> Input:
    match command:
        case wire.SayCommand(text=text, language=language):
            return Say(text, language)
        case wire.AskCommand(question=question):
            return Ask(question)
        case wire.DescribeCommand():
            return Ask()
        case wire.FalseAlarmCommand():
            return FalseAlarm()
        case wire.MuteCommand(seconds=seconds):
            return Mute(seconds)
        case wire.RepeatCommand():
            return Repeat()
        case wire.UtterCommand():
            fields = command.model_dump(exclude={"priority", "do"})
            return RelayedSpeech(priority=Priority[command.priority.upper()], **fields)
        case wire.HushCommand():
            return StopSpeaking()
    raise CommandError(f"{command.do} is not for this daemon")


def core_status(core: Core, now: float) -> Mapping[str, Any]:
    """What the core knows about itself."""
    muted_s, danger_muted_s = core.muted(now)
    components = {
        component: {"reason": s.reason, "since_s": round(now - s.since_s, 1), "detail": s.detail}
        for component, s in core.component_states.items()
    }
    return {
        "components": components,
        "active": sorted(core.watch.active),
        "dangers": [
            {
                "hazard": name,
                "severity": a.severity.name.lower(),
                "direction": a.direction,
                "alert": a.alert_id,
            }
            for name, a in sorted(core.watch.active.items())
        ],
        "muted_s": round(muted_s, 1),
        "danger_muted_s": round(danger_muted_s, 1),
        "counts": dict(sorted(core.counts.items())),
    }
