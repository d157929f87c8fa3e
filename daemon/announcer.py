"""Everything that is to be said: wording, priority, silence on demand, and the outbox. Part of the core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from daemon.core_types import CoreSpec, Effect, Mute, Record, Relay, Say
from daemon.health import Change, Organ
from daemon.register import Register
from pipeline import wording
from pipeline.narration import Tell
from pipeline.types import Alert, Direction, Located, Severity, Trigger
from speech import outbox_types as voices
from speech.earcons import danger_earcon
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

VITAL: frozenset[Organ] = frozenset(["camera", "picture", "detector"])
"""Organs whose failure is spoken even when muted: without them there is no warning."""

NEVER_S = -1e9
"""A time before every time."""

PAN: Mapping[Direction | None, float] = {
    None: 0.0,
    Direction.LEFT: -1.0,
    Direction.AHEAD: 0.0,
    Direction.RIGHT: 1.0,
}


class Announcer:
    """`heard` is told the cause of each danger whose first sample sounded. See the module's docstring."""

    def __init__(self, spec: CoreSpec, register: Register, heard: Callable[[str, float], None]) -> None:
        self._spec = spec
        self._register = register
        self._heard = heard
        self._say = {h.name: h.say for h in spec.hazards}
        self._outbox = Outbox(spec.outbox)
        self._muted_until_s = NEVER_S
        self._danger_muted_until_s = NEVER_S
        self._asked_mute_s = NEVER_S
        self._last_said: tuple[str, str] | None = None

    @property
    def quiet(self) -> bool:
        """True while nothing is being said or waits to be said."""
        outbox = self._outbox.state
        return outbox.current is None and not outbox.waiting

    def muted(self, now: float) -> tuple[float, float]:
        """Seconds of silence left: for descriptions, and for danger."""
        return max(self._muted_until_s - now, 0.0), max(self._danger_muted_until_s - now, 0.0)

    def voice(self, event: voices.Input, now: float) -> Iterable[Effect]:
        """One input of the outbox, and what follows."""
        for effect in self._outbox.step(event, now):
            match effect:
                case voices.Start() | voices.Cut():
                    yield effect
                case voices.Spoken(utterance):
                    yield self._spoken(utterance, now)
                case voices.Dropped(_, reason):
                    self._register.counts[f"dropped.{reason}"] += 1

    def alert(self, alert: Alert, now: float) -> Iterable[Effect]:
        """A danger, at once."""
        if now < self._danger_muted_until_s:
            self._register.counts["muted"] += 1
            self._heard(alert.id, now)
            return
        text = wording.danger_phrase(
            self._say[alert.hazard], alert.direction, self._spec.language, escalated=alert.escalated
        )
        yield from self._danger(text, alert.id, alert.hazard, alert.severity, alert.direction, now)

    def located(self, found: Located, severity: Severity, now: float) -> Iterable[Effect]:
        """Where it is, after the alert."""
        if now >= self._danger_muted_until_s:
            text = wording.ONLY_WHERE[self._spec.language][found.direction]
            key = f"where:{found.hazard}"
            yield from self._danger(text, found.alert_id, key, severity, found.direction, now)

    def _danger(
        self, text: str, cause: str, key: str, severity: Severity, direction: Direction | None, now: float
    ) -> Iterable[Effect]:
        yield from self._offer(
            now,
            text,
            Priority.DANGER,
            key,
            cause=cause,
            severity=int(severity),
            earcon=danger_earcon(int(severity)),
            pan=PAN[direction],
            captured_at_s=self._register.captured_at_s,
        )

    def tell(self, tell: Tell, now: float) -> Iterable[Effect]:
        """A sentence of a description."""
        asked = tell.scene.trigger is Trigger.REQUEST
        if now < self._muted_until_s and not asked:
            self._register.counts["muted"] += 1
            return
        yield from self._offer(
            now,
            tell.description.text,
            Priority.MESSAGE if asked else Priority.TEXT,
            f"{tell.description.id}:{tell.description.text}",
            cause=tell.description.id,
            language=tell.description.language,
            captured_at_s=tell.scene.captured_at_s,
        )

    def health(self, change: Change, now: float) -> Iterable[Effect]:
        """An organ failed or recovered."""
        if now < self._muted_until_s and change.organ not in VITAL:
            return
        text = wording.health_phrase(change.organ, change.reason, self._spec.language)
        yield from self._offer(now, text, Priority.MESSAGE, f"health:{change.organ}")

    def message(self, wish: Say, now: float) -> Iterable[Effect]:
        """What somebody wants said."""
        key = f"say:{wish.text}"
        yield from self._offer(
            now, wish.text, Priority.MESSAGE, key, language=wish.language, earcon=wish.earcon
        )

    def relay(self, wish: Relay, now: float) -> Iterable[Effect]:
        """What another instance wants said; its danger is as urgent as our own, its silence ours too."""
        until_s = self._danger_muted_until_s if wish.priority is Priority.DANGER else self._muted_until_s
        if now < until_s and wish.priority is not Priority.MESSAGE:
            self._register.counts["muted"] += 1
            return
        yield from self._offer(
            now,
            wish.text,
            wish.priority,
            wish.key,
            cause=wish.cause,
            language=wish.language,
            severity=wish.severity,
            earcon=wish.earcon,
            pan=wish.pan,
            expires_in_s=wish.expires_in_s,
        )

    def repeat(self, now: float) -> Iterable[Effect]:
        """The last thing again."""
        text, language = self._last_said or (wording.NOTHING_SAID[self._spec.language], None)
        yield from self._offer(now, text, Priority.MESSAGE, "repeat", language=language)

    def mute(self, wish: Mute, now: float) -> Iterable[Effect]:
        """Silence for a while; danger too where it is asked for again within MUTE_AGAIN_S."""
        muted = now < self._muted_until_s
        twice = wish.seconds > 0 and muted and now - self._asked_mute_s <= MUTE_AGAIN_S
        self._muted_until_s = now + wish.seconds
        self._danger_muted_until_s = now + wish.seconds if twice else now
        self._asked_mute_s = now if wish.seconds > 0 else NEVER_S
        text = wording.mute_phrase(wish.seconds, self._spec.language, danger=twice)
        yield from self._offer(now, text, Priority.MESSAGE, "mute")

    def _offer(
        self,
        now: float,
        text: str,
        priority: Priority,
        key: str,
        *,
        cause: str | None = None,
        language: str | None = None,
        severity: int = 0,
        earcon: str | None = None,
        pan: float = 0.0,
        captured_at_s: float | None = None,
        expires_in_s: float | None = None,
    ) -> Iterable[Effect]:
        captured = now if captured_at_s is None else captured_at_s
        utterance = Utterance(
            id=self._register.next_id("u", "utterances"),
            cause=cause,
            text=text,
            language=language or self._spec.language,
            priority=priority,
            key=key,
            created_at_s=now,
            captured_at_s=captured,
            expires_at_s=captured + (EXPIRES_S[priority] if expires_in_s is None else expires_in_s),
            severity=severity,
            earcon=earcon,
            pan=pan,
        )
        yield from self.voice(voices.Offer(utterance), now)

    def _spoken(self, utterance: Utterance, now: float) -> Record:
        self._register.counts["spoken"] += 1
        self._last_said = (utterance.text, utterance.language)
        if utterance.priority is Priority.DANGER and utterance.cause:
            self._heard(utterance.cause, now)
        spoken = self._register.record(
            "speak",
            utterance.id,
            now,
            utterance.cause,
            text=utterance.text,
            language=utterance.language,
            priority=utterance.priority.name.lower(),
        )
        return Record(spoken.event.timed(since_capture_s=now - utterance.captured_at_s))

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "outbox": self._outbox.state.to_json(),
            "muted": [self._muted_until_s, self._danger_muted_until_s, self._asked_mute_s],
            "last_said": self._last_said,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._outbox = Outbox(self._spec.outbox, voices.OutboxState.from_json(state["outbox"]))
        self._muted_until_s, self._danger_muted_until_s, self._asked_mute_s = state["muted"]
        said = state["last_said"]
        self._last_said = (said[0], said[1]) if said else None
