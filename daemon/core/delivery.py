"""Feeds the outbox, drops utterances whose condition no longer holds, and records the heard ones.

Part of the core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from daemon.core.event_ids import EventFactory
from daemon.core.messages import CoreSpec, Effect, Record
from daemon.core.validity import ALWAYS, Condition, Validity
from pipeline.types import Severity
from speech.outbox import messages as outbox_messages
from speech.outbox.outbox import Outbox
from speech.utterance import Priority, Utterance

TALK_WINDOW_S = 60.0
"""Seconds over which the share of time with sound is measured."""

EXPIRES_S: Mapping[Priority, float] = {
    Priority.DANGER: 3.0,
    Priority.MESSAGE: 20.0,
    Priority.TEXT: 8.0,
    Priority.NOTICE: 3.0,
}
"""Seconds after which an utterance that has not begun is dropped."""

CRITICAL_EXPIRES_S = 10.0
"""The same for a critical danger, which may have to wait behind others. Its condition is still checked."""

REPEATED = 12
"""Most sentences of one cause that `repeat` says again."""

OnHeard = Callable[[Utterance, Condition, float], None]
"""Receives an utterance whose first sample sounded, its condition, and the time."""


@dataclass(frozen=True, slots=True)
class LastSaid:
    """The texts of the last cause that was heard."""

    texts: tuple[str, ...]
    language: str
    cause: str | None


class Delivery:
    """Owns the outbox, and checks an utterance's condition again just before it is spoken."""

    def __init__(self, spec: CoreSpec, events: EventFactory, validity: Validity, on_heard: OnHeard) -> None:
        self._spec = spec
        self._events = events
        self._validity = validity
        self._on_heard = on_heard
        # With forwarding, the other instance joins dangers: it knows what has been heard.
        self._outbox = Outbox(spec.outbox, joins=not spec.forwards)
        self._sounded_at_s: float | None = None
        self._last_said: LastSaid | None = None
        self._sound_began_s: float | None = None
        self._sounds: tuple[tuple[float, float], ...] = ()

    @property
    def quiet(self) -> bool:
        """True if no utterance is spoken or waits."""
        outbox = self._outbox.state
        return outbox.current is None and not outbox.waiting

    @property
    def last_said(self) -> tuple[str, str] | None:
        """The last text in full (an alert with its direction, every sentence) and its language, or None."""
        said = self._last_said
        return None if said is None else (" ".join(said.texts), said.language)

    def first_waiting(self, cause: str) -> Utterance | None:
        """Return the first waiting utterance of this cause, or None."""
        entries = self._outbox.state.waiting
        return next((entry.utterance for entry in entries if entry.utterance.cause == cause), None)

    def being_named(self, cause: str) -> Utterance | None:
        """Return the utterance of this cause of which only the name is being said, or None."""
        current = self._outbox.state.current
        if current is None or not current.name_only or current.entry.utterance.cause != cause:
            return None
        return current.entry.utterance

    def would_follow(self, cause: str) -> bool:
        """True if a danger that is enqueued now would be heard directly after the name of this cause."""
        outbox = self._outbox.state
        if any(entry.utterance.priority is Priority.DANGER for entry in outbox.waiting):
            return False
        if outbox.current is not None:
            # Advice alone follows the name of another danger, whose side it would seem.
            current = outbox.current
            return (
                current.entry.utterance.cause == cause and current.said.text == current.entry.utterance.text
            )
        return self._last_said is not None and self._last_said.cause == cause

    def silent_s(self, now: float) -> float:
        """Seconds since the last utterance; 0 during one."""
        # The silence begins only once the outbox is empty.
        if self._sounded_at_s is None or self._outbox.wake_at_s() is not None:
            self._sounded_at_s = now
        return now - self._sounded_at_s

    def since_sound_s(self, now: float) -> float:
        """Seconds since the last sound ended; 0 during one, infinity if there was none."""
        if self._sound_began_s is not None:
            return 0.0
        return now - self._sounds[-1][1] if self._sounds else math.inf

    def talk_share(self, now: float) -> float:
        """Share of the last TALK_WINDOW_S with sound, 0 to 1."""
        since = now - TALK_WINDOW_S
        sounds = self._sounds
        if self._sound_began_s is not None:
            sounds = (*sounds, (self._sound_began_s, now))
        return sum(max(end - max(start, since), 0.0) for start, end in sounds) / TALK_WINDOW_S

    def _record_sound(self, now: float) -> None:
        """Record from the outbox's state when a sound began or ended."""
        current = self._outbox.state.current
        sounding = current is not None and current.sounding
        if sounding and self._sound_began_s is None:
            self._sound_began_s = now
        elif not sounding and self._sound_began_s is not None:
            # Pruned when a sound ends, so the list is bounded by the window without a timer.
            recent = tuple(one for one in self._sounds if one[1] > now - TALK_WINDOW_S)
            self._sounds = (*recent, (self._sound_began_s, now))
            self._sound_began_s = None

    def step(self, event: outbox_messages.Input, now: float) -> Iterable[Effect]:
        """Step the outbox; an utterance whose condition no longer holds is retracted instead of started."""
        effects, found_untrue = self._outbox.step(event, now), list[str | None]()
        self._record_sound(now)
        # A loop: the next utterance in line may have become untrue as well. Each round retracts one, so it
        # ends.
        while (untrue := self._untrue(effects, now)) is not None:
            # Without the last effect, which is the start that is retracted.
            yield from self._convert(effects[:-1], now, found_untrue)
            self._events.counts["untrue"] += 1
            found_untrue.append(untrue.cause)
            effects = tuple(
                effect
                for effect in self._outbox.step(outbox_messages.Retract(untrue.cause or ""), now)
                # Its start was held back above, so there is nothing to stop.
                if effect != outbox_messages.StopSpeech(untrue.id)
            )
        yield from self._convert(effects, now, found_untrue)

    def _untrue(self, effects: tuple[outbox_messages.Effect, ...], now: float) -> Utterance | None:
        """Return the utterance that would start although its condition fails; a start is the last effect."""
        match effects[-1:]:
            case (outbox_messages.StartSpeech(utterance),) if utterance.cause is not None:
                holds = self._validity.is_valid(self._validity.condition(utterance.id), now)
                return None if holds else utterance
        return None

    def _convert(
        self, effects: Iterable[outbox_messages.Effect], now: float, untrue: Sequence[str | None]
    ) -> Iterable[Effect]:
        """Convert the outbox's effects to the core's. `untrue`: causes that failed their condition."""
        for effect in effects:
            match effect:
                case outbox_messages.StartSpeech():
                    self._sounded_at_s = now
                    yield effect
                case outbox_messages.StopSpeech():
                    yield effect
                case outbox_messages.SpeechStarted(utterance):
                    yield self._spoken(utterance, now)
                case outbox_messages.SpeechDropped(utterance, reason):
                    self._events.counts[f"dropped.{reason}"] += 1
                    self._validity.on_missed(utterance.id)
                    # A notice is a sound without words: no event for a missed one.
                    if utterance.priority is not Priority.NOTICE:
                        yield self._unspoken(
                            utterance, "untrue" if utterance.cause in untrue[-1:] else reason, now
                        )

    def say(
        self,
        now: float,
        text: str,
        priority: Priority,
        key: str,
        *,
        condition: Condition = ALWAYS,
        cause: str | None = None,
        language: str | None = None,
        severity: int = 0,
        rank: int = 0,
        certainty: float = 0.0,
        name: str = "",
        side: str = "",
        advice: str = "",
        named_after_s: float = 0.0,
        earcon: str | None = None,
        pan: float = 0.0,
        captured_at_s: float | None = None,
        expires_in_s: float | None = None,
    ) -> Iterable[Effect]:
        """Enqueue an utterance. A `condition` that can fail needs a `cause`, by which it is retracted."""
        captured = now if captured_at_s is None else captured_at_s
        utterance = Utterance(
            id=self._events.next_id("u", "utterances"),
            cause=cause,
            text=text,
            language=language or self._spec.language,
            priority=priority,
            key=key,
            created_at_s=now,
            captured_at_s=captured,
            expires_at_s=captured
            + (expires_after_s(priority, severity) if expires_in_s is None else expires_in_s),
            severity=severity,
            rank=rank,
            certainty=certainty,
            name=name,
            side=side,
            advice=advice,
            named_after_s=named_after_s,
            earcon=earcon,
            pan=pan,
        )
        # Conditions of utterances that have left the outbox are dropped here, so that their number is
        # bounded.
        if condition != ALWAYS:
            self._validity.retain(self._present_ids())
            self._validity.require(utterance.id, condition)
        yield from self.step(outbox_messages.Enqueue(utterance), now)

    def _present_ids(self) -> frozenset[str]:
        outbox = self._outbox.state
        current = [] if outbox.current is None else [outbox.current.entry]
        return frozenset(entry.utterance.id for entry in (*current, *outbox.waiting))

    def _spoken(self, utterance: Utterance, now: float) -> Record:
        condition = self._validity.on_heard(utterance.id, utterance.cause)
        self._on_heard(utterance, condition, now)
        if utterance.text:
            self._events.counts["spoken"] += 1
            self._last_said = _after(self._last_said, utterance)
        spoken = self._events.record(
            "speak",
            utterance.id,
            now,
            utterance.cause,
            text=utterance.text,
            language=utterance.language,
            priority=utterance.priority.name.lower(),
            **({} if utterance.text else {"earcon": utterance.earcon}),
        )
        return Record(spoken.event.timed(since_capture_s=now - utterance.captured_at_s))

    def _unspoken(self, utterance: Utterance, reason: str, now: float) -> Record:
        """Record a dropped utterance. `behind`: the id of the utterance that was being said."""
        current = self._outbox.state.current
        return self._events.record(
            "unspoken",
            utterance.id,
            now,
            utterance.cause,
            reason=reason,
            text=utterance.text,
            language=utterance.language,
            priority=utterance.priority.name.lower(),
            behind=current.entry.utterance.id if current else None,
        )

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "outbox": self._outbox.state.to_json(),
            "sounded_at_s": self._sounded_at_s,
            "sound_began_s": self._sound_began_s,
            "sounds": [list(one) for one in self._sounds],
            "last_said": None if self._last_said is None else asdict(self._last_said),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        outbox = outbox_messages.OutboxState.from_json(state["outbox"])
        self._outbox = Outbox(self._spec.outbox, outbox, joins=not self._spec.forwards)
        self._sounded_at_s = state["sounded_at_s"]
        self._sound_began_s = state.get("sound_began_s")
        self._sounds = tuple((start, end) for start, end in state.get("sounds", ()))
        said = state["last_said"]
        self._last_said = LastSaid(**{**said, "texts": tuple(said["texts"])}) if said else None


def expires_after_s(priority: Priority, severity: int) -> float:
    """Seconds after its picture until an utterance that has not begun is dropped."""
    critical = priority is Priority.DANGER and severity >= Severity.CRITICAL
    return CRITICAL_EXPIRES_S if critical else EXPIRES_S[priority]


def _after(last: LastSaid | None, heard: Utterance) -> LastSaid:
    """The texts that `repeat` should say after this utterance has started."""
    goes_on = (
        last is not None
        and last.cause is not None
        and (last.cause, last.language) == (heard.cause, heard.language)
    )
    before = last.texts if last is not None and goes_on else ()
    return LastSaid((*before, heard.text)[-REPEATED:], heard.language, heard.cause)
