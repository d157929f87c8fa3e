"""Why did it speak, or not? Told in words, from what the journal or the black box remembers. Pure."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from daemon.blackbox import Recording
from daemon.errors import CommandError
from daemon.why_scores import evidence_at

Fields = Mapping[str, Any]

UNSPOKEN: Mapping[str, str] = {
    "muted": "silence had been asked for",
    "brevity": "speech.verbosity wants less to be said",
    "expired": "it had waited too long to be worth saying",
    "replaced": "a newer word of the same took its place",
    "superseded": "a newer view had been described",
    "retracted": "it was over, or marked as wrong, before it could be said",
    "untrue": "it was not true any more when its turn came",
    "hushed": "quiet was asked for",
    "full": "too much that is more urgent was waiting",
    "failed": "the voice or the loudspeaker failed",
    "busy": "something else was being said",
    "cut": "something more urgent cut it off before its first sound",
    "duplicate": "it was said twice over",
    "overtaken": "a newer view took its place",
    "stale": "the view was too old",
    "late": "the description took too long",
    "repeats": "it would have said what was said before",
}
"""Reasons of `unspoken` events in words."""


class Memory(Protocol):
    """What happened in one run of the daemon."""

    def find(self, id: str) -> Fields | None:
        """The event of that id."""

    def led_to(self, id: str) -> Sequence[Fields]:
        """What it was the cause of, in order."""

    def evidence(self, alert: Fields) -> Fields | None:
        """Probabilities, smoothed values, thresholds and votes of an alert, by hazard."""


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain that led to an event, and the sentence that tells it."""

    event: Fields
    text: str

    def as_fields(self) -> Fields:
        known = ("id", "kind", "t", "row", "wall_s", "hazard")
        return {**{k: self.event[k] for k in known if k in self.event}, "text": self.text}


def story(memory: Memory, event: Fields) -> tuple[Step, ...]:
    """From an event back to what led to it, and what became of it; the chain of causes has no loops."""
    steps = [Step(event, _line(memory, event))]
    if outcome := _outcome(memory, event):
        steps.append(outcome)
    seen = {event["id"]}
    cause = event["cause"]
    while cause is not None and cause not in seen and (event := memory.find(cause)):  # type: ignore[assignment]
        seen.add(cause)
        steps.append(Step(event, _line(memory, event)))
        cause = event["cause"]
    return tuple(steps)


def told(steps: Sequence[Step]) -> Mapping[str, Any]:
    """The reply to `why`."""
    return {
        "text": "\n".join(_headed(step) for step in steps),
        "steps": [step.as_fields() for step in steps],
    }


def remembered(recording: Recording, event_id: str | None) -> Mapping[str, Any]:
    """The reply about an event of the last minute, or the last thing said in it. Raises CommandError."""
    memory = Remembered(recording)
    return told(story(memory, memory.wanted(event_id)))


class Remembered:
    """The black box as a memory."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._events: list[Fields] = [json.loads(line) for line in recording.events]
        self._by_id = {event["id"]: event for event in self._events}

    def wanted(self, id: str | None) -> Fields:
        """The event of that id; without one, what was said last. Raises CommandError (unknown)."""
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
        """What was said last, in words."""
        spoken = [event for event in self._events if event["kind"] == "speak" and event["text"]]
        return spoken[-1] if spoken else None

    def find(self, id: str) -> Fields | None:
        return self._by_id.get(id)

    def led_to(self, id: str) -> Sequence[Fields]:
        return [event for event in self._events if event["cause"] == id]

    def evidence(self, alert: Fields) -> Fields | None:
        return evidence_at(self._recording, alert["hazard"], alert["frame"])


def _headed(step: Step) -> str:
    event = step.event
    return f"{event['id']}, at {_when(event)}: {step.text}"


def _when(event: Fields) -> str:
    wall_s = event.get("wall_s")
    if wall_s:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall_s))
    return f"{event['t']:.2f} s"


def _line(memory: Memory, event: Fields) -> str:
    match event["kind"]:
        case "speak":
            return _speak(event)
        case "alert":
            return " ".join(_alert(event, memory.evidence(event)))
        case "unspoken":
            return _unspoken(memory, event)
        case "direction":
            return f"{event['hazard']} stood out on one side: {event['direction']}"
        case "scene":
            return _scene(event)
        case "describe":
            return f"{event['model']} described the view: {event['text']}"
        case "health":
            return f"{event['organ']} is {event['reason']} {event['detail']}".rstrip()
        case "false_alarm":
            return f"somebody marked {event['alert']}, {event['hazard']}, as wrong"
    return f"{event['kind']} {event.get('hazard', '')}".rstrip()


def _speak(event: Fields) -> str:
    if not event["text"]:
        return f"the sound for {event.get('earcon')} ({event['priority']})"
    after_s = event.get("timing", {}).get("since_capture_s")
    late = f", {after_s:.2f} s after the picture" if after_s is not None else ""
    return f'said "{event["text"]}" ({event["priority"]}){late}'


def _alert(event: Fields, evidence: Fields | None) -> Iterator[str]:
    hazard = event["hazard"]
    reason = "again" if event["again"] else "nearer than before" if event["escalated"] else "new"
    head = f"{hazard} ({reason}, {event['severity']}): probability {event['probability']:.2f}"
    if evidence is None:
        yield f"{head}; the rest is not known any more."
        return
    yield (
        f"{head}, its threshold is {evidence['thresholds'][hazard]:.2f}, and it was over that for "
        f"{evidence['voted_s'][hazard]:.2f} s of the last {evidence['vote_window_s']:g} s, "
        f"where {evidence['vote_s']:g} s are needed. "
        f"In that very picture it was {evidence['probabilities'][hazard]:.2f}."
    )
    if (nearest := _nearest(hazard, evidence)) is not None:
        name, share = nearest
        value, threshold = evidence["smoothed"][name], evidence["thresholds"][name]
        over = ", over its threshold too" if share >= 1 else ""
        yield f"Next came {name} with {value:.2f} of its {threshold:.2f}{over}."


def _nearest(hazard: str, evidence: Fields) -> tuple[str, float] | None:
    """The other hazard that was nearest to its threshold, and how near."""
    shares = {
        name: value / max(evidence["thresholds"][name], 1e-9)
        for name, value in evidence["smoothed"].items()
        if name != hazard
    }
    return max(shares.items(), key=lambda share: share[1]) if shares else None


def _scene(event: Fields) -> str:
    if event["trigger"] == "danger":
        return f"details of {event['hazard']} were wanted"
    if event["trigger"] == "request":
        return "somebody asked about the view"
    return "the view had changed and settled"


def _unspoken(memory: Memory, event: Fields) -> str:
    what = f'"{event["text"]}" was not said' if event.get("text") else "nothing was said of it"
    detail = f" ({event['detail']})" if event.get("detail") else ""
    behind = memory.find(event["behind"]) if event.get("behind") else None
    instead = f', while "{behind["text"]}" was being said' if behind and behind.get("text") else ""
    return f"{what}: {UNSPOKEN.get(event['reason'], event['reason'])}{detail}{instead}"


def _outcome(memory: Memory, event: Fields) -> Step | None:
    """What became of an alert, a view or word of an organ: said, or why not."""
    if event["kind"] not in ("alert", "scene", "health", "describe", "direction"):
        return None
    led_to = memory.led_to(event["id"])
    found = next((e for e in led_to if e["kind"] == "speak"), None) or next(
        (e for e in led_to if e["kind"] in ("unspoken", "describe")), None
    )
    if found is not None:
        return Step(found, _line(memory, found))
    return Step(event, "nothing has been said of it so far") if event["kind"] == "alert" else None
