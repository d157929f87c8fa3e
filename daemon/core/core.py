"""Makes all decisions: alert policy, scene gate, descriptions, outbox and health as one state machine.

`step(input, now) -> effects`. The core has no I/O, no clock and no threads, so the live daemon, the replay
and the black box run the same core with the same result. `state` is plain JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from daemon.core import health as components
from daemon.core.announcer import Announcer
from daemon.core.event_ids import EventFactory
from daemon.core.messages import (
    Ask,
    Assessed,
    CoreSpec,
    CoreTick,
    DescribeView,
    Effect,
    FalseAlarm,
    Input,
    Mute,
    Read,
    RelayedSpeech,
    Repeat,
    Say,
    TellStatus,
)
from daemon.core.validity import Validity
from pipeline.alerting.alert_policy import AlertPolicy, WatchEvent
from pipeline.alerting.scene_change import SceneChangeGate
from pipeline.description import policy as description_policy
from pipeline.description.answer.denial import denies_any
from pipeline.description.base import DetectedHazard
from pipeline.reading.passages import asks_to_read
from pipeline.types import Alert, Assessment, Clear, Located, SceneEvent, Trigger
from speech.outbox import messages as outbox_messages

VIEW_COMPONENTS: frozenset[components.Component] = frozenset(["camera", "picture"])
"""Components whose failure makes descriptions pointless."""

DANGER_PHRASE_S = 2.0
"""Seconds that a danger phrase lasts. If the loudspeaker failed within them, it was not heard in full."""

Command = Say | Ask | Read | Repeat | Mute | FalseAlarm | TellStatus


class Core:
    """The state machine of all decisions. Not thread-safe: `CoreRunner` shares it under a lock."""

    def __init__(self, spec: CoreSpec) -> None:
        self._spec = spec
        self._events = EventFactory()
        self._policy = spec.alert_policy()
        self._gate = SceneChangeGate(spec.scene)
        self._descriptions = description_policy.DescriptionPolicy(spec.describe, spec.language)
        self._health = components.Health(spec.health)
        self._validity = Validity(self._policy, self._health)
        self._announcer = Announcer(
            spec,
            self._events,
            self._validity,
            self._danger_heard,
            self._descriptions.mark_heard,
            self._policy.mark_unheard,
        )
        self._raised: dict[str, dict[str, Any]] = {}
        self._last_alert: dict[str, Any] | None = None
        self._last_marked: str | None = None
        self._unseen = ""

    def _danger_heard(self, alert_id: str, now: float) -> None:
        self._policy.mark_spoken(alert_id, now)
        for raised in self._raised.values():
            if raised["alert"] == alert_id:
                self._last_alert = raised

    @property
    def spec(self) -> CoreSpec:
        return self._spec

    @property
    def alert_policy(self) -> AlertPolicy:
        """The alert policy, for reading: probabilities, active alerts, the next crop."""
        return self._policy

    @property
    def component_states(self) -> Mapping[components.Component, components.ComponentState]:
        """The state of every component that has reported."""
        return self._health.components

    @property
    def counts(self) -> Mapping[str, int]:
        """Counts of events, and of drops by reason."""
        return dict(self._events.counts)

    @property
    def quiet(self) -> bool:
        """True if no utterance is spoken or waits, and no view is being described."""
        return self._announcer.quiet and not self._descriptions.busy

    @property
    def silent(self) -> bool:
        """True if no utterance is spoken or waits, even if a view is being described."""
        return self._announcer.quiet

    def muted(self, now: float) -> tuple[float, float]:
        """Seconds of muting left: for descriptions, and for danger."""
        return self._announcer.muted(now)

    def step(self, event: Input, now: float) -> tuple[Effect, ...]:
        """Process one input and return all its effects in order."""
        match event:
            case Assessed(assessment, unseen):
                self._unseen = unseen
                return tuple(self._assessed(assessment, now))
            case Say() | Ask() | Read() | Repeat() | Mute() | FalseAlarm() | TellStatus():
                return tuple(self._command(event, now))
            case RelayedSpeech():
                return tuple(self._announcer.relay(event, now))
            case components.Report():
                return tuple(self._report(event, now))
            case outbox_messages.StopSpeaking() | description_policy.StopDescribing():
                return tuple(self._stop_speaking(now))
            case CoreTick():
                return tuple(self._tick(now))
            case description_policy.SentenceReady():
                return tuple(self._describe_step(self._checked(event), now))
            case (
                description_policy.Requested()
                | description_policy.AnswerFinished()
                | description_policy.DescriptionTick()
            ):
                return tuple(self._describe_step(event, now))
            case _:
                return tuple(self._announcer.step_outbox(event, now))

    def _assessed(self, a: Assessment, now: float) -> Iterable[Effect]:
        # First, because every event of this step names this frame.
        self._events.set_frame(a.seq, a.captured_at_s)
        self._events.counts["assessed"] += 1
        new_alerts = []
        for event in self._policy.step(a):
            yield from self._policy_event(event, a, now)
            # A repeated alert has been described already; only a new one is worth a description.
            if isinstance(event, Alert) and not (event.again or event.escalated):
                new_alerts.append(event)
        # The gate is stepped even if no description is wanted: it must know the views that pass meanwhile.
        unwanted = "blind" if self._blind_reason() else self._announcer.unwanted_reason(now)
        gate_opens = self._gate.step(a.encoding.embedding, a.captured_at_s, unwanted=bool(unwanted))
        if new_alerts and (unwanted := "blind" if self._unseen else self._announcer.unwanted_reason(now)):
            # The alert itself was announced or recorded already; only its description is left out.
            self._events.counts[f"describe.{unwanted}"] += 1
        elif new_alerts:
            # The danger's description covers this view, so the scene gate need not ask for it as well.
            self._gate.mark_described()
            # One description for all: the describer is slow, and the report in its prompt names the others.
            worst = max(new_alerts, key=lambda alert: alert.severity)
            yield from self._request_description(Trigger.DANGER, now, hazard=worst.hazard, cause=worst.id)
        elif gate_opens:
            yield from self._request_description(Trigger.SCENE_CHANGE, now)
        yield from self._tick(now)
        # The tick proves that frames are being assessed, so it must not sound while that fails.
        if not components.VITAL & {component for component, _ in self._failing()}:
            yield from self._announcer.tick(now)

    def _failing(self) -> list[tuple[components.Component, str]]:
        return [(name, s.reason) for name, s in self._health.components.items() if s.reason != components.OK]

    def _blind_reason(self) -> tuple[components.Component, str] | None:
        """Return the component and the reason why the present view is not worth describing, or None.

        A fault of the last picture counts at once. Otherwise a covered lens would count as a new scene until
        the fault has lasted long enough to be announced.
        """
        failing = next((each for each in self._failing() if each[0] in VIEW_COMPONENTS), None)
        return failing or (("picture", self._unseen) if self._unseen else None)

    def _policy_event(self, event: WatchEvent, a: Assessment, now: float) -> Iterable[Effect]:
        record = self._events.record
        match event:
            case Alert():
                self._events.counts["alerts"] += 1
                yield record("alert", event.id, now, None, **_fields(event))
                # Removed first, so that the newest comes last: a dict keeps the place of a key it has.
                self._raised.pop(event.hazard, None)
                self._raised[event.hazard] = {
                    "alert": event.id,
                    **_fields(event),
                    "raised_at_s": now,
                    **self._scores(a),
                }
                yield from self._announcer.alert(event, now)
            case Located(alert_id, hazard, direction):
                where = f"l{alert_id[1:]}"
                yield record("direction", where, now, alert_id, hazard=hazard, direction=direction)
                severity = self._policy.active[hazard].severity
                yield from self._announcer.located(event, severity, now)
            case Clear():
                yield record("clear", event.id, now, event.alert_id, hazard=event.hazard)
                yield from self._announcer.clear(event, now)

    def _scores(self, a: Assessment) -> Mapping[str, Any]:
        """Scores of every hazard when an alert was raised: of that frame, and smoothed."""
        names = self._policy.names
        return {
            "probabilities": _rounded(names, a.probabilities.tolist()),
            "smoothed": _rounded(names, self._policy.smoothed.tolist()),
        }

    def _request_description(
        self,
        trigger: Trigger,
        now: float,
        *,
        hazard: str | None = None,
        cause: str | None = None,
        question: str | None = None,
        detector_only: bool = False,
    ) -> Iterable[Effect]:
        scene = SceneEvent(
            id=self._events.next_id("s", "scenes"),
            trigger=trigger,
            captured_at_s=self._events.captured_at_s,
            seq=self._events.seq,
            hazard=hazard,
            cause=cause,
            question=question,
            detector_only=detector_only,
        )
        yield self._events.record("scene", scene.id, now, cause, trigger=trigger, hazard=hazard)
        if trigger is Trigger.SCENE_CHANGE:
            self._validity.set_view(scene.id)
        yield from self._describe_step(description_policy.Requested(scene), now)

    def _describe_step(self, event: description_policy.NarrationInput, now: float) -> Iterable[Effect]:
        counts = self._events.counts
        for effect in self._descriptions.step(event, now):
            match effect:
                case description_policy.StartDescription(scene):
                    counts["describe.asked"] += 1
                    yield DescribeView(scene, self._detected_hazards())
                case description_policy.CancelDescription():
                    yield effect
                case description_policy.Speak():
                    yield from self._announcer.sentence(effect, now)
                case description_policy.Described(description, scene):
                    yield self._events.record(
                        "describe",
                        description.id,
                        now,
                        scene.id,
                        text=description.text,
                        trigger=scene.trigger,
                        model=description.model,
                    )
                case description_policy.Suppressed(scene_id, reason, text, model):
                    # Counted by the short code: the detail after it would make a counter for every text.
                    short, _, detail = reason.partition(": ")
                    counts[f"describe.{short}"] += 1
                    wrote = {"text": text, "model": model} if model else {}
                    yield self._events.unspoken(now, scene_id, short, detail=detail, **wrote)
                case description_policy.AskAgain(scene, detector_only):
                    counts["asked_again"] += 1
                    yield from self._ask_again(scene, now, detector_only=detector_only)
                case description_policy.Unanswered(scene):
                    yield from self._announcer.unanswered(scene.id, now)

    def _ask_again(self, scene: SceneEvent, now: float, *, detector_only: bool) -> Iterable[Effect]:
        """Ask an unanswered question about the present view; if that shows nothing, the reason answers it."""
        if blind := self._blind_reason():
            yield from self._announcer.cannot_see(*blind, now)
            return
        yield from self._request_description(
            scene.trigger, now, cause=scene.id, question=scene.question, detector_only=detector_only
        )

    def _checked(self, sentence: description_policy.SentenceReady) -> description_policy.SentenceReady:
        """Mark a sentence that denies a danger raised after its picture was taken: it must not be heard after
        the alert. Words that are read aloud deny nothing: a sign may say "No fire".
        """
        view = self._descriptions.view_of(sentence.scene_id)
        if view is None or view.trigger is Trigger.READ:
            return sentence
        raised = [name for name, alert in self._raised.items() if alert["raised_at_s"] > view.captured_at_s]
        present = [name for name in raised if name in self._policy.active]
        denied = denies_any(sentence.text, present, sentence.language or self._spec.language)
        return replace(sentence, contradicted=denied)

    def _detected_hazards(self) -> tuple[DetectedHazard, ...]:
        """Return the hazards that are present now, the most severe first."""
        active = self._policy.active
        # Present as the policy sees it: over its threshold, or alerted and not fading.
        found = [
            DetectedHazard(h.name, round(float(p), 4), active[h.name].direction if h.name in active else None)
            for h, p in zip(self._spec.hazards, self._policy.smoothed, strict=True)
            if p >= h.threshold or (h.name in active and active[h.name].below_since_s is None)
        ]
        severity = {h.name: h.severity for h in self._spec.hazards}
        return tuple(sorted(found, key=lambda seen: (-severity[seen.hazard], -seen.probability)))

    def _report(self, report: components.Report, now: float) -> Iterable[Effect]:
        """Process a health report. If the loudspeaker works again, raise alerts that were not heard again."""
        before = self._health.components.get(report.component)
        # Those alerts counted as spoken, because a failure of the loudspeaker is known only afterwards.
        back = report.component == "loudspeaker" and report.reason == components.OK
        if back and before is not None and before.reason != components.OK:
            self._policy.mark_unheard(before.since_s - DANGER_PHRASE_S)
        yield from self._changes(self._health.step(report, now), now)

    def _changes(self, changes: Iterable[components.Change], now: float) -> Iterable[Effect]:
        for change in changes:
            id = self._events.next_id("h", "health")
            yield self._events.record(
                "health",
                id,
                now,
                component=change.component,
                state="ok" if change.reason == components.OK else "failing",
                reason=change.reason,
                detail=change.detail,
                reminder=change.reminder,
            )
            yield from self._announcer.health(change, id, now)

    def _command(self, command: Command, now: float) -> Iterable[Effect]:
        match command:
            case Say():
                yield from self._announcer.message(command, now)
            case Ask(question):
                yield from self._ask(question, now)
            case Read():
                yield from self._request(Trigger.READ, None, now)
            case Repeat():
                yield from self._announcer.repeat(now)
            case Mute():
                yield from self._announcer.mute(command, now)
            case FalseAlarm():
                yield from self._false_alarm(now)
            case TellStatus(pictures_per_second):
                yield from self._announcer.status(self._failing(), pictures_per_second, now)

    def _ask(self, question: str | None, now: float) -> Iterable[Effect]:
        """Answer a question about the view. A question for the words in it is a request to read."""
        trigger = Trigger.READ if asks_to_read(question) else Trigger.REQUEST
        yield from self._request(trigger, question, now)

    def _request(self, trigger: Trigger, question: str | None, now: float) -> Iterable[Effect]:
        """Ask for an answer about the view; if the view shows nothing, the reason is the answer."""
        # An honest reason at once is better than a description of a covered lens seconds later.
        if blind := self._blind_reason():
            self._events.counts["describe.blind"] += 1
            yield from self._announcer.cannot_see(*blind, now)
            return
        yield from self._announcer.listening(now)
        yield from self._request_description(trigger, now, question=question)

    def _stop_speaking(self, now: float) -> Iterable[Effect]:
        """Stop speech and the present answer at once, without an apology for it."""
        yield from self._announcer.step_outbox(outbox_messages.StopSpeaking(), now)
        yield from self._describe_step(description_policy.StopDescribing(), now)

    def _false_alarm(self, now: float) -> Iterable[Effect]:
        """Mark the alert heard last (or raised last, if none was heard) as wrong. Ignore a second mark."""
        last = self._last_alert or next(reversed(self._raised.values()), None)
        # A second press must not count the same alert twice in the user's calibration data.
        if last is not None and last["alert"] != self._last_marked:
            self._last_marked = last["alert"]
            id = self._events.next_id("f", "false_alarms")
            yield self._events.record("false_alarm", id, now, last["alert"], **last)
        hazard, cause = (last["hazard"], last["alert"]) if last else (None, None)
        yield from self._announcer.false_alarm(hazard, cause, now)

    def _tick(self, now: float) -> Iterable[Effect]:
        # Timeouts of all parts run on the same tick, so that a replay needs no timers.
        yield from self._describe_step(description_policy.DescriptionTick(), now)
        yield from self._changes(self._health.step(components.HealthTick(), now), now)
        yield from self._announcer.step_outbox(outbox_messages.OutboxTick(), now)

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        parts = {name: part.state() for name, part in self._parts().items()}
        own = {
            "raised": dict(self._raised),
            "last_alert": self._last_alert,
            "marked": self._last_marked,
            "unseen": self._unseen,
        }
        return {**parts, **own}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`. Raises ValueError if it was made for other hazards."""
        for name, part in self._parts().items():
            part.restore(state[name])
        self._raised = dict(state.get("raised", {}))
        self._last_alert = state["last_alert"]
        self._last_marked = state.get("marked")
        self._unseen = state.get("unseen", "")

    def _parts(self) -> Mapping[str, Any]:
        return {
            "events": self._events,
            "alert_policy": self._policy,
            "scene_gate": self._gate,
            "descriptions": self._descriptions,
            "announcer": self._announcer,
            "health": self._health,
            "validity": self._validity,
        }


def _fields(alert: Alert) -> Mapping[str, Any]:
    return {
        "hazard": alert.hazard,
        "severity": alert.severity.name.lower(),
        "direction": alert.direction,
        "probability": round(alert.probability, 4),
        "escalated": alert.escalated,
        "again": alert.again,
    }


def _rounded(names: Iterable[str], values: Iterable[float]) -> Mapping[str, float]:
    return {name: round(value, 4) for name, value in zip(names, values, strict=True)}
