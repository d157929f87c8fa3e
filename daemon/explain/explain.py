"""Explains in words why something was said or not, from the journal or the black box. Pure."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from daemon.core.black_box import Recording
from daemon.errors import CommandError
from daemon.explain.scores import evidence_at
from daemon.explain.words import ENGLISH, ExplanationWords
from pipeline import wording

Fields = Mapping[str, Any]


class Memory(Protocol):
    """The events of one run of the daemon."""

    def find(self, id: str) -> Fields | None:
        """The event with that id; None if it is unknown."""

    def effects_of(self, id: str) -> Sequence[Fields]:
        """The events that it caused, in order."""

    def evidence(self, alert: Fields) -> Fields | None:
        """Probabilities, smoothed values, thresholds and votes of an alert, by hazard; None if unknown."""


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """One link of the chain that led to an event, and its sentence."""

    event: Fields
    text: str

    def as_fields(self) -> Fields:
        known = ("id", "kind", "t", "row", "wall_s", "hazard")
        return {**{k: self.event[k] for k in known if k in self.event}, "text": self.text}


def _story(memory: Memory, event: Fields, words: ExplanationWords) -> tuple[ExplainedStep, ...]:
    """Follows an event back to its causes, and forward to its outcome; the chain of causes has no loops."""
    steps = [ExplainedStep(event, _sentence(memory, event, words))]
    if outcome := _outcome(memory, event, words):
        steps.append(outcome)
    seen = {event["id"]}
    cause = event["cause"]
    # A cause is older than its effect, so the chain ends; `seen` also ends it for rows of a damaged journal.
    while cause is not None and cause not in seen and (event := memory.find(cause)):  # type: ignore[assignment]
        seen.add(cause)
        steps.append(ExplainedStep(event, _sentence(memory, event, words)))
        cause = event["cause"]
    return tuple(steps)


def explain(memory: Memory, event: Fields, words: ExplanationWords) -> Mapping[str, Any]:
    """The reply to `why`."""
    steps = _story(memory, event, words)
    return {
        "text": "\n".join(_with_heading(step, words) for step in steps),
        "steps": [step.as_fields() for step in steps],
    }


def explain_recording(
    recording: Recording, event_id: str | None, words: ExplanationWords = ENGLISH
) -> Mapping[str, Any]:
    """The reply about an event of the last minute, or the last thing said in it. Raises CommandError."""
    memory = RecordingMemory(recording)
    return explain(memory, memory.wanted(event_id), words)


class RecordingMemory:
    """The black box as a memory."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._events: list[Fields] = [json.loads(line) for line in recording.events]
        self._by_id = {event["id"]: event for event in self._events}

    def wanted(self, id: str | None) -> Fields:
        """The event with that id; without one, the last utterance. Raises CommandError (unknown)."""
        if id is not None:
            if id not in self._by_id:
                raise CommandError(
                    f"{id}: not in the last minute; `watchword events` shows the ids", "unknown"
                )
            return self._by_id[id]
        if (spoken := self.last_said) is None:
            raise CommandError("nothing has been said in the last minute", "unknown")
        return spoken

    @property
    def last_said(self) -> Fields | None:
        """The last utterance."""
        # An earcon without words is skipped: `why` is a question about a sentence that was heard.
        spoken = [event for event in self._events if event["kind"] == "speak" and event["text"]]
        return spoken[-1] if spoken else None

    def find(self, id: str) -> Fields | None:
        return self._by_id.get(id)

    def effects_of(self, id: str) -> Sequence[Fields]:
        return [event for event in self._events if event["cause"] == id]

    def evidence(self, alert: Fields) -> Fields | None:
        return evidence_at(self._recording, alert["hazard"], alert["frame"])


def _with_heading(step: ExplainedStep, words: ExplanationWords) -> str:
    event = step.event
    return words.say("headed", id=event["id"], when=_when(event, words), text=step.text)


def _when(event: Fields, words: ExplanationWords) -> str:
    wall_s = event.get("wall_s")
    if wall_s:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall_s))
    return words.say("seconds", seconds=event["t"])


def _sentence(memory: Memory, event: Fields, words: ExplanationWords) -> str:
    named = words.hazard(event["hazard"]) if event.get("hazard") else ""
    match event["kind"]:
        case "speak":
            return _speak(event, words)
        case "alert":
            return _alert(event, memory.evidence(event), words)
        case "unspoken":
            return _unspoken(memory, event, words)
        case "direction":
            return words.say("side", hazard=named, direction=words.name(event["direction"]))
        case "scene":
            return _scene(event, words)
        case "describe":
            return words.say("described", model=event["model"], text=event["text"])
        case "health":
            return _health(event, words)
        case "false_alarm":
            return words.say("marked", alert=event["alert"], hazard=named)
    return words.say("unknown", kind=event["kind"], hazard=named).rstrip()


def _speak(event: Fields, words: ExplanationWords) -> str:
    priority = words.name(event["priority"])
    if not event["text"]:
        return words.say("sound", earcon=event.get("earcon"), priority=priority)
    after_s = event.get("timing", {}).get("since_capture_s")
    place = "said" if after_s is None else "said.late"
    return words.say(place, text=event["text"], priority=priority, after=after_s)


def _alert(event: Fields, evidence: Fields | None, words: ExplanationWords) -> str:
    hazard = event["hazard"]
    head = words.say(
        "alert",
        hazard=words.hazard(hazard),
        reason=words.name("again" if event["again"] else "nearer" if event["escalated"] else "new"),
        severity=words.name(event["severity"]),
        probability=event["probability"],
    )
    if evidence is None:
        return head + words.say("alert.forgotten")
    votes = words.say(
        "alert.votes",
        threshold=evidence["thresholds"][hazard],
        voted=evidence["voted_s"][hazard],
        window=evidence["vote_window_s"],
        # Rows written before votes differed by hazard have only the common `vote_s`.
        needed=evidence.get("needed_s", {}).get(hazard, evidence["vote_s"]),
        single=evidence["probabilities"][hazard],
    )
    return head + votes + _runner_up(hazard, evidence, words)


def _runner_up(hazard: str, evidence: Fields, words: ExplanationWords) -> str:
    """The other hazard that was nearest to its threshold."""
    smoothed, thresholds = evidence["smoothed"], evidence["thresholds"]
    # A threshold of 0 is allowed: the floor avoids a division by zero.
    shares = {n: value / max(thresholds[n], 1e-9) for n, value in smoothed.items() if n != hazard}
    if not shares:
        return ""
    name = max(shares, key=lambda one: shares[one])
    place = "alert.next.over" if shares[name] >= 1 else "alert.next"
    return words.say(place, hazard=words.hazard(name), value=smoothed[name], threshold=thresholds[name])


def _scene(event: Fields, words: ExplanationWords) -> str:
    match event["trigger"]:
        case "danger":
            return words.say("scene.danger", hazard=words.hazard(event["hazard"]))
        case "request":
            return words.say("scene.request")
    return words.say("scene.change")


def _health(event: Fields, words: ExplanationWords) -> str:
    """The sentence about that component, and its own detail."""
    detail = f" ({event['detail']})" if event["detail"] else ""
    return wording.health_phrase(event["component"], event["reason"], words.language) + detail


def _unspoken(memory: Memory, event: Fields, words: ExplanationWords) -> str:
    detail = f" ({event['detail']})" if event.get("detail") else ""
    reason = words.reason(event["reason"]) + detail
    text = event.get("text")
    what = words.say("unsaid", text=text, reason=reason) if text else words.say("unsaid.sign", reason=reason)
    behind = memory.find(event["behind"]) if event.get("behind") else None
    instead = words.say("unsaid.behind", text=behind["text"]) if behind and behind.get("text") else ""
    return what + instead


def _outcome(memory: Memory, event: Fields, words: ExplanationWords) -> ExplainedStep | None:
    """The outcome of an alert, a view or a health announcement: said, or the reason why not."""
    if event["kind"] not in ("alert", "scene", "health", "describe", "direction"):
        return None
    led_to = memory.effects_of(event["id"])
    # Speech first: one alert can be refused and spoken later, and then it has been heard.
    found = next((e for e in led_to if e["kind"] == "speak"), None) or next(
        (e for e in led_to if e["kind"] in ("unspoken", "describe")), None
    )
    if found is not None:
        return ExplainedStep(found, _sentence(memory, found, words))
    # Only an alert must be spoken, so only for an alert is the absence of an outcome worth a sentence.
    return ExplainedStep(event, words.say("open")) if event["kind"] == "alert" else None
