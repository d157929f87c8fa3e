"""Inputs for outboxes: strategies, a short way to write utterances, and a driver that checks the laws."""

from __future__ import annotations

from hypothesis import strategies as st

from speech.outbox.messages import (
    Effect,
    Enqueue,
    Input,
    OutboxTick,
    PlaybackBegan,
    PlaybackEnded,
    Retract,
    SpeechDropped,
    SpeechFailed,
    SpeechStarted,
    StartSpeech,
    StopSpeaking,
    StopSpeech,
)
from speech.outbox.outbox import Outbox
from speech.utterance import Priority, Utterance

DANGER, MESSAGE, TEXT, NOTICE = Priority.DANGER, Priority.MESSAGE, Priority.TEXT, Priority.NOTICE


def say(
    id_: str,
    priority: Priority = MESSAGE,
    *,
    key: str | None = None,
    cause: str | None = None,
    severity: int = 0,
    expires_at_s: float = 1000.0,
    name: str = "",
    side: str = "",
    advice: str = "",
    named_after_s: float = 0.0,
) -> Utterance:
    """An utterance of which only what matters is named."""
    return Utterance(
        id=id_,
        cause=cause,
        text=id_,
        language="en",
        priority=priority,
        key=key or id_,
        created_at_s=0.0,
        captured_at_s=0.0,
        expires_at_s=expires_at_s,
        severity=severity,
        name=name,
        side=side,
        advice=advice,
        named_after_s=named_after_s,
    )


def kinds(effects: tuple[Effect, ...]) -> list[tuple[str, ...]]:
    """Effects as short tuples that read well in an assertion."""
    return [_kind(effect) for effect in effects]


def _kind(effect: Effect) -> tuple[str, ...]:
    match effect:
        case StopSpeech(id_):
            return ("cut", id_)
        case SpeechDropped(utterance, reason):
            return ("dropped", utterance.id, reason)
        case StartSpeech(utterance):
            return ("start", utterance.id)
        case SpeechStarted(utterance):
            return ("spoken", utterance.id)


ids = st.sampled_from([f"u{n}" for n in range(12)])
causes = st.sampled_from([None, "c1", "c2", "c3"])
offers = st.builds(
    lambda id_, priority, key, cause, severity, life, parts: Enqueue(
        say(id_, priority, key=key, cause=cause, severity=severity, expires_at_s=life, **parts)
    ),
    ids,
    st.sampled_from(list(Priority)),
    st.sampled_from(["k1", "k2", "k3", "k4", "k5", "k6"]),
    causes,
    st.integers(0, 3),
    st.floats(0, 60),
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["n1", "n2", "n3"]),
            "side": st.sampled_from(["", "left", "right"]),
            "advice": st.sampled_from(["", "stop"]),
            "named_after_s": st.sampled_from([0.0, 0.5]),
        }
    ),
)
inputs: st.SearchStrategy[Input] = st.one_of(
    offers,
    offers,
    offers,
    st.builds(PlaybackBegan, ids),
    st.builds(PlaybackEnded, ids),
    st.builds(SpeechFailed, ids, st.just("no sound")),
    st.builds(Retract, st.sampled_from(["c1", "c2", "c3"])),
    st.just(StopSpeaking()),
    st.just(OutboxTick()),
)
steps = st.lists(st.tuples(inputs, st.floats(0, 4)), max_size=60)


class Shell:
    """Carries effects out as a loudspeaker would, and fails where they make no sense."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.now = 0.0
        self.playing: str | None = None
        self.log: list[Effect] = []

    def feed(self, event: Input, after_s: float = 0.0) -> tuple[Effect, ...]:
        self.now += after_s
        if isinstance(event, PlaybackEnded | SpeechFailed) and event.id == self.playing:
            self.playing = None
        effects = self.outbox.step(event, self.now)
        for effect in effects:
            self._carry_out(effect)
        self.log.extend(effects)
        return effects

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, StartSpeech):
            assert self.playing is None, "two at a time"
            self.playing = effect.utterance.id
        elif isinstance(effect, StopSpeech):
            assert self.playing == effect.id, "cut of something that does not sound"
            self.playing = None
