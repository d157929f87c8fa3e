"""All decisions in one place: watch, scene gate, narration, outbox and health wired into one state machine.

`step(input, now) -> effects`. No I/O, no clock, no threads: the live daemon and the replay drive the same
core, and the black box repeats it. `state` is plain JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from speech.earcons import danger_earcon

from daemon import health as organs
from daemon.core_types import (
    Ask,
    Assessed,
    CoreSpec,
    DescribeView,
    Effect,
    Input,
    Mute,
    Record,
    Repeat,
    Say,
    Tick,
)
from daemon.events import Event, Kind
from pipeline import narration as stories
from pipeline import wording
from pipeline.describer import Seen
from pipeline.scene import SceneGate
from pipeline.types import Alert, Assessment, Clear, Direction, Located, SceneEvent, Severity, Trigger
from pipeline.watch import Watch, WatchedHazard, WatchEvent
from speech import outbox_types as voices
from speech.outbox import Outbox
from speech.utterance import Priority, Utterance

EXPIRES_S: Mapping[Priority, float] = {
    Priority.DANGER: 3.0,
    Priority.MESSAGE: 20.0,
    Priority.TEXT: 8.0,
    Priority.NOTICE: 3.0,
}
"""Seconds after which an utterance that has not begun is not worth saying."""

MUTE_AGAIN_S = 30.0
"""Asking for silence again within this time silences danger too."""

VITAL: frozenset[organs.Organ] = frozenset(["camera", "picture", "detector"])
"""Organs whose failure is spoken even when muted: without them there is no warning."""

NEVER_S = -1e9
"""A time before every time."""

PAN: Mapping[Direction | None, float] = {
    None: 0.0,
    Direction.LEFT: -1.0,
    Direction.AHEAD: 0.0,
    Direction.RIGHT: 1.0,
}


class Core:
    """The deciding core. One owner at a time; see the module's docstring."""

    def __init__(self, spec: CoreSpec) -> None:
        self._spec = spec
        self._say = {h.name: h.say for h in spec.hazards}
        self._watch = Watch(
            spec.watch, [WatchedHazard(h.name, Severity(h.severity), h.threshold) for h in spec.hazards]
        )
        self._gate = SceneGate(spec.scene)
        self._narration = stories.Narration(spec.describe, spec.language)
        self._outbox = Outbox(spec.outbox)
        self._health = organs.Health(spec.health)
        self._counts: Counter[str] = Counter()
        self._seq = -1
        self._captured_at_s = 0.0
        self._muted_until_s = NEVER_S
        self._danger_muted_until_s = NEVER_S
        self._asked_mute_s = NEVER_S
        self._last_said: tuple[str, str] | None = None

    @property
    def spec(self) -> CoreSpec:
        return self._spec

    @property
    def watch(self) -> Watch:
        """For reading only: probabilities, what is active, which part to look at."""
        return self._watch

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each thing happened, drops by reason included."""
        return dict(self._counts)

    @property
    def quiet(self) -> bool:
        """True while nothing is being said, waits to be said or is being described."""
        outbox = self._outbox.state
        return outbox.current is None and not outbox.waiting and not self._narration.busy

    def step(self, event: Input, now: float) -> tuple[Effect, ...]:
        """One input in, everything that follows from it out, in order."""
        match event:
            case Assessed(assessment):
                return tuple(self._assessed(assessment, now))
            case Say() | Ask() | Repeat() | Mute():
                return tuple(self._command(event, now))
            case organs.Report():
                return tuple(self._changes(self._health.step(event, now), now))
            case Tick():
                return tuple(self._tick(now))
            case stories.Wanted() | stories.Answered() | stories.AnswerEnded() | stories.Tick():
                return tuple(self._story(event, now))
            case _:
                return tuple(self._voice(event, now))

    def _assessed(self, a: Assessment, now: float) -> Iterable[Effect]:
        self._seq, self._captured_at_s = a.seq, a.captured_at_s
        self._counts["assessed"] += 1
        dangers = []
        for event in self._watch.step(a):
            yield from self._watched(event, now)
            if isinstance(event, Alert):
                dangers.append(event)
        open_gate = self._gate.step(a.embedding, a.captured_at_s, blind=self._blind())
        news = [alert for alert in dangers if not alert.again]
        if news:
            self._gate.described()
            worst = max(news, key=lambda alert: alert.severity)
            yield from self._want(Trigger.DANGER, now, hazard=worst.hazard, cause=worst.id)
        elif open_gate:
            yield from self._want(Trigger.SCENE_CHANGE, now)
        yield from self._tick(now)

    def _blind(self) -> bool:
        return any(
            o.reason != organs.OK for n, o in self._health.organs.items() if n in ("picture", "camera")
        )

    def _watched(self, event: WatchEvent, now: float) -> Iterable[Effect]:
        match event:
            case Alert():
                yield from self._alert(event, now)
            case Located():
                yield from self._located(event, now)
            case Clear():
                yield self._record("clear", event.id, now, event.alert_id, hazard=event.hazard)
                yield from self._voice(voices.Retract(event.alert_id), now)

    def _alert(self, alert: Alert, now: float) -> Iterable[Effect]:
        self._counts["alerts"] += 1
        yield self._record(
            "alert",
            alert.id,
            now,
            hazard=alert.hazard,
            severity=alert.severity.name.lower(),
            direction=alert.direction,
            probability=round(alert.probability, 4),
            escalated=alert.escalated,
            again=alert.again,
        )
        if now < self._danger_muted_until_s:
            self._counts["muted"] += 1
            self._watch.spoken(alert.id, now)
            return
        text = wording.danger_phrase(
            self._say[alert.hazard], alert.direction, self._spec.language, escalated=alert.escalated
        )
        yield from self._danger(text, alert.id, alert.hazard, alert.severity, alert.direction, now)

    def _located(self, event: Located, now: float) -> Iterable[Effect]:
        yield self._record(
            "direction",
            f"l{event.alert_id[1:]}",
            now,
            event.alert_id,
            hazard=event.hazard,
            direction=event.direction,
        )
        if now < self._danger_muted_until_s:
            return
        severity = self._watch.active[event.hazard].severity
        text = wording.ONLY_WHERE[self._spec.language][event.direction]
        yield from self._danger(text, event.alert_id, f"where:{event.hazard}", severity, event.direction, now)

    def _danger(
        self, text: str, cause: str, key: str, severity: Severity, direction: Direction | None, now: float
    ) -> Iterable[Effect]:
        yield from self._offer(
            text,
            cause,
            Priority.DANGER,
            key,
            now,
            severity=int(severity),
            earcon=danger_earcon(int(severity)),
            pan=PAN[direction],
            captured_at_s=self._captured_at_s,
        )

    def _offer(
        self,
        text: str,
        cause: str | None,
        priority: Priority,
        key: str,
        now: float,
        *,
        language: str | None = None,
        severity: int = 0,
        earcon: str | None = None,
        pan: float = 0.0,
        captured_at_s: float | None = None,
    ) -> Iterable[Effect]:
        captured = now if captured_at_s is None else captured_at_s
        utterance = Utterance(
            id=self._next("u", "utterances"),
            cause=cause,
            text=text,
            language=language or self._spec.language,
            priority=priority,
            key=key,
            created_at_s=now,
            captured_at_s=captured,
            expires_at_s=captured + EXPIRES_S[priority],
            severity=severity,
            earcon=earcon,
            pan=pan,
        )
        yield from self._voice(voices.Offer(utterance), now)

    def _voice(self, event: voices.Input, now: float) -> Iterable[Effect]:
        for effect in self._outbox.step(event, now):
            match effect:
                case voices.Start() | voices.Cut():
                    yield effect
                case voices.Spoken(utterance):
                    yield self._spoken(utterance, now)
                case voices.Dropped(_, reason):
                    self._counts[f"dropped.{reason}"] += 1

    def _spoken(self, utterance: Utterance, now: float) -> Effect:
        self._counts["spoken"] += 1
        self._last_said = (utterance.text, utterance.language)
        if utterance.priority is Priority.DANGER and utterance.cause:
            self._watch.spoken(utterance.cause, now)
        spoken = self._record(
            "speak",
            utterance.id,
            now,
            utterance.cause,
            text=utterance.text,
            language=utterance.language,
            priority=utterance.priority.name.lower(),
        )
        return Record(spoken.event.timed(since_capture_s=now - utterance.captured_at_s))

    def _want(
        self,
        trigger: Trigger,
        now: float,
        *,
        hazard: str | None = None,
        cause: str | None = None,
        question: str | None = None,
    ) -> Iterable[Effect]:
        scene = SceneEvent(
            id=self._next("s", "scenes"),
            trigger=trigger,
            captured_at_s=self._captured_at_s,
            seq=self._seq,
            hazard=hazard,
            cause=cause,
            question=question,
        )
        yield self._record("scene", scene.id, now, cause, trigger=trigger, hazard=hazard)
        yield from self._story(stories.Wanted(scene), now)

    def _story(self, event: stories.NarrationInput, now: float) -> Iterable[Effect]:
        for effect in self._narration.step(event, now):
            match effect:
                case stories.Describe(scene):
                    self._counts["describe.asked"] += 1
                    yield DescribeView(scene, self.seen())
                case stories.CancelDescription():
                    yield effect
                case stories.Tell():
                    yield from self._tell(effect, now)
                case stories.Described(description, scene):
                    yield self._record(
                        "describe",
                        description.id,
                        now,
                        scene.id,
                        text=description.text,
                        trigger=scene.trigger,
                        model=description.model,
                    )
                case stories.Withheld(_, reason):
                    self._counts[f"describe.{reason.partition(':')[0]}"] += 1

    def _tell(self, tell: stories.Tell, now: float) -> Iterable[Effect]:
        asked = tell.scene.trigger is Trigger.REQUEST
        if self._muted(now) and not asked:
            self._counts["muted"] += 1
            return
        yield from self._offer(
            tell.description.text,
            tell.description.id,
            Priority.MESSAGE if asked else Priority.TEXT,
            tell.description.id,
            now,
            language=tell.description.language,
            captured_at_s=tell.scene.captured_at_s,
        )

    def seen(self) -> tuple[Seen, ...]:
        """What the detector suspects now, likeliest first."""
        active = self._watch.active
        found = [
            Seen(h.name, round(float(p), 4), active[h.name].direction if h.name in active else None)
            for h, p in zip(self._spec.hazards, self._watch.smoothed, strict=True)
            if h.name in active or p >= h.threshold
        ]
        return tuple(sorted(found, key=lambda seen: -seen.probability))

    def _changes(self, changes: Iterable[organs.Change], now: float) -> Iterable[Effect]:
        for change in changes:
            self._counts["health"] += 1
            yield self._record(
                "health",
                self._next("h", "changes"),
                now,
                organ=change.organ,
                state="ok" if change.reason == organs.OK else "failing",
                reason=change.reason,
                detail=change.detail,
                reminder=change.reminder,
            )
            if self._muted(now) and change.organ not in VITAL:
                continue
            text = wording.health_phrase(change.organ, change.reason, self._spec.language)
            yield from self._offer(text, None, Priority.MESSAGE, f"health:{change.organ}", now)

    def _command(self, command: Say | Ask | Repeat | Mute, now: float) -> Iterable[Effect]:
        match command:
            case Say(text, language):
                yield from self._offer(text, None, Priority.MESSAGE, f"say:{text}", now, language=language)
            case Ask(question):
                yield from self._want(Trigger.REQUEST, now, question=question)
            case Repeat():
                text, language = self._last_said or (wording.NOTHING_SAID[self._spec.language], None)
                yield from self._offer(text, None, Priority.MESSAGE, "repeat", now, language=language)
            case Mute(seconds):
                yield from self._mute(seconds, now)

    def _mute(self, seconds: float, now: float) -> Iterable[Effect]:
        twice = seconds > 0 and now - self._asked_mute_s <= MUTE_AGAIN_S and self._muted(now)
        self._muted_until_s = now + seconds
        self._danger_muted_until_s = now + seconds if twice else now
        self._asked_mute_s = now if seconds > 0 else NEVER_S
        text = wording.mute_phrase(seconds, self._spec.language, danger=twice)
        yield from self._offer(text, None, Priority.MESSAGE, "mute", now)

    def _muted(self, now: float) -> bool:
        return now < self._muted_until_s

    def _tick(self, now: float) -> Iterable[Effect]:
        yield from self._story(stories.Tick(), now)
        yield from self._changes(self._health.step(organs.Tick(), now), now)
        yield from self._voice(voices.Tick(), now)

    def _next(self, letter: str, count: str) -> str:
        self._counts[count] += 1
        return f"{letter}{self._counts[count]}"

    def _record(self, kind: Kind, id: str, now: float, cause: str | None = None, **fields: Any) -> Record:
        return Record(Event(kind, id, now, cause, self._seq if self._seq >= 0 else None, fields))

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "watch": self._watch.state(),
            "gate": self._gate.state(),
            "narration": self._narration.state(),
            "outbox": self._outbox.state.to_json(),
            "health": self._health.state(),
            "counts": dict(self._counts),
            "seq": self._seq,
            "captured_at_s": self._captured_at_s,
            "muted": [self._muted_until_s, self._danger_muted_until_s, self._asked_mute_s],
            "last_said": self._last_said,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`. Raises ValueError where it was made for other hazards."""
        self._watch.restore(state["watch"])
        self._gate.restore(state["gate"])
        self._narration.restore(state["narration"])
        self._outbox = Outbox(self._spec.outbox, voices.OutboxState.from_json(state["outbox"]))
        self._health.restore(state["health"])
        self._counts = Counter(state["counts"])
        self._seq = state["seq"]
        self._captured_at_s = state["captured_at_s"]
        self._muted_until_s, self._danger_muted_until_s, self._asked_mute_s = state["muted"]
        self._last_said = tuple(state["last_said"]) if state["last_said"] else None
