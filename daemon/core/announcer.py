"""Everything that is to be said: wording, priority, verbosity and silence on demand. Part of the core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from daemon.core.delivery import Delivery
from daemon.core.event_ids import EventFactory
from daemon.core.health import VITAL, Change, Component
from daemon.core.messages import CoreSpec, Effect, Mute, RelayedSpeech, Say
from daemon.core.validity import Condition, Validity
from pipeline import wording
from pipeline.description.policy import Speak
from pipeline.types import Alert, Clear, Direction, Located, Severity, Trigger
from speech.outbox import messages as voices
from speech.sound.earcons import danger_earcon
from speech.utterance import Priority, Utterance

MUTE_AGAIN_S = 30.0
"""Asking for silence again within this time silences danger too."""

NEVER_S = -1e9
"""A time before every time."""

PAN: Mapping[Direction | None, float] = {
    None: 0.0,
    Direction.LEFT: -1.0,
    Direction.AHEAD: 0.0,
    Direction.RIGHT: 1.0,
}

CLEARED: Mapping[str, int] = {"off": Severity.CRITICAL + 1, "critical": Severity.CRITICAL, "all": 0}
"""Severity from which the end of a danger is told, by `speech.clear_earcon`."""


class Announcer:
    """See the module's docstring.

    `heard` is told the cause of each danger whose first sample sounded; `told`, the words of all else;
    `unheard`, since when dangers were kept back, once they may be told again.
    """

    def __init__(
        self,
        spec: CoreSpec,
        register: EventFactory,
        truth: Validity,
        heard: Callable[[str, float], None],
        told: Callable[[str, float], None],
        unheard: Callable[[float], None],
    ) -> None:
        self._spec = spec
        self._register = register
        self._heard = heard
        self._told = told
        self._unheard = unheard
        self._say = {h.name: h.say for h in spec.hazards}
        self._delivery = Delivery(spec, register, truth, self._sounded)
        self._muted_until_s = NEVER_S
        self._danger_muted_until_s = NEVER_S
        self._danger_muted_since_s: float | None = None
        self._asked_mute_s = NEVER_S
        self._begun: str | None = None
        self._warned: dict[str, int] = {}

    @property
    def quiet(self) -> bool:
        """True while nothing is being said or waits to be said."""
        return self._delivery.quiet

    def muted(self, now: float) -> tuple[float, float]:
        """Seconds of silence left: for descriptions, and for danger."""
        return max(self._muted_until_s - now, 0.0), max(self._danger_muted_until_s - now, 0.0)

    def voice(self, event: voices.Input, now: float) -> Iterable[Effect]:
        """One input of the outbox, and what follows."""
        if now >= self._danger_muted_until_s:
            self._end_danger_mute()
        yield from self._delivery.step(event, now)

    # Dangers

    def alert(self, alert: Alert, now: float) -> Iterable[Effect]:
        """A danger, at once."""
        if now < self._danger_muted_until_s:
            self._register.counts["muted"] += 1
            self._heard(alert.id, now)  # as if: it is not raised over and over while nobody wants to hear it
            yield self._register.unspoken(now, alert.id, "muted")
            return
        text = wording.danger_phrase(
            self._say[alert.hazard], alert.direction, self._spec.language, escalated=alert.escalated
        )
        ground = Condition(hazard=alert.hazard)
        yield from self._danger(text, alert.id, alert.hazard, ground, alert.severity, alert.direction, now)

    def located(self, found: Located, severity: Severity, now: float) -> Iterable[Effect]:
        """Where it is: within the alert where that still waits, right after it, or with its name again."""
        if now < self._danger_muted_until_s:
            return
        language, say, where = self._spec.language, self._say[found.hazard], found.direction
        key, ground = f"where:{found.hazard}", Condition(hazard=found.hazard)
        text = wording.danger_phrase(say, where, language)
        if waiting := self._delivery.waiting(found.alert_id):
            key, closer = found.hazard, waiting.text.startswith(wording.CLOSER[language])
            text = wording.danger_phrase(say, where, language, escalated=closer)
        elif not self._spec.forwards and self._delivery.follows(found.alert_id):
            text, ground = wording.ONLY_WHERE[language][where], replace(ground, after=found.alert_id)
        yield from self._danger(text, found.alert_id, key, ground, severity, where, now)

    def _danger(
        self,
        text: str,
        cause: str,
        key: str,
        ground: Condition,
        severity: Severity,
        direction: Direction | None,
        now: float,
    ) -> Iterable[Effect]:
        yield from self._delivery.offer(
            now,
            text,
            Priority.DANGER,
            key,
            ground=ground,
            cause=cause,
            severity=int(severity),
            earcon=danger_earcon(int(severity)),
            pan=PAN[direction],
            captured_at_s=self._register.captured_at_s,
        )

    def _sounded(self, utterance: Utterance, ground: Condition, now: float) -> None:
        if utterance.priority is not Priority.DANGER:
            self._told(utterance.text, now)
            return
        if ground.hazard is not None:
            self._warned[ground.hazard] = max(utterance.severity, self._warned.get(ground.hazard, 0))
        if utterance.cause is not None:
            self._heard(utterance.cause, now)

    def clear(self, clear: Clear, now: float) -> Iterable[Effect]:
        """A danger is over: what waits about it is dropped; its end is told where it had been heard."""
        yield from self._delivery.step(voices.Retract(clear.alert_id), now)
        severity = self._warned.pop(clear.hazard, None)
        if severity is not None and severity >= CLEARED[self._spec.clear_earcon]:
            yield from self._sign("clear", Priority.NOTICE, now, cause=clear.id)

    def _sign(
        self, earcon: str, priority: Priority, now: float, *, cause: str | None = None
    ) -> Iterable[Effect]:
        """A sound without words."""
        if now >= self._muted_until_s or priority is Priority.MESSAGE:
            key = f"sign:{earcon}"
            yield from self._delivery.offer(now, "", priority, key, cause=cause, earcon=earcon)

    # Descriptions and answers

    def tell(self, tell: Speak, now: float) -> Iterable[Effect]:
        """A sentence of a description."""
        asked = tell.scene.trigger is Trigger.REQUEST
        first, self._begun = tell.description.id != self._begun, tell.description.id
        if not asked and (reason := self._withheld(now, first)):
            self._register.counts[reason] += 1
            yield self._register.unspoken(now, tell.description.id, reason, text=tell.description.text)
            return
        yield from self._delivery.offer(
            now,
            tell.description.text,
            Priority.MESSAGE if asked else Priority.TEXT,
            f"{tell.description.id}:{tell.description.text}",
            ground=self._ground(tell),
            cause=tell.description.id,
            language=tell.description.language,
            captured_at_s=tell.scene.captured_at_s,
        )

    def unwanted(self, now: float) -> str | None:
        """Why nobody wants to hear a description that was not asked for; None where it is wanted."""
        if now < self._muted_until_s:
            return "muted"
        return "brevity" if self._spec.verbosity == "alerts" else None

    def _withheld(self, now: float, first: bool) -> str | None:
        """Why this sentence of one is kept back; None where it is not."""
        rest = self._spec.verbosity == "brief" and not first
        return self.unwanted(now) or ("brevity" if rest else None)

    def _ground(self, tell: Speak) -> Condition:
        match tell.scene.trigger:
            case Trigger.DANGER:
                return Condition(hazard=tell.scene.hazard)
            case Trigger.SCENE_CHANGE:
                return Condition(view=tell.scene.id)
            case Trigger.REQUEST:
                return Condition(fresh_until_s=tell.scene.captured_at_s + self._spec.describe.stale_s)

    def listening(self, now: float) -> Iterable[Effect]:
        """A question has been heard; the answer takes a while."""
        yield from self._sign("listening", Priority.MESSAGE, now)

    def blind(self, component: Component, reason: str, now: float) -> Iterable[Effect]:
        """A question while nothing can be seen: the answer is why."""
        text = wording.health_phrase(component, reason, self._spec.language)
        yield from self._delivery.offer(now, text, Priority.MESSAGE, "blind")

    def unanswered(self, scene_id: str, now: float) -> Iterable[Effect]:
        """A question has got no answer."""
        text = wording.NO_ANSWER[self._spec.language]
        yield from self._delivery.offer(now, text, Priority.MESSAGE, "unanswered", cause=scene_id)

    # The program itself

    def health(self, change: Change, cause: str, now: float) -> Iterable[Effect]:
        """A component failed or recovered."""
        text = wording.health_phrase(change.component, change.reason, self._spec.language)
        quiet = now < self._muted_until_s or self._spec.verbosity != "full"
        if quiet and change.component not in VITAL:
            reason = "muted" if now < self._muted_until_s else "brevity"
            yield self._register.unspoken(now, cause, reason, text=text)
            return
        ground = Condition(component=change.component, reason=change.reason, reminder=change.reminder)
        key = f"health:{change.component}"
        yield from self._delivery.offer(now, text, Priority.MESSAGE, key, ground=ground, cause=cause)

    def alive(self, now: float) -> Iterable[Effect]:
        """A picture has just been looked at: after a long silence that is told by a tick."""
        if 0 < self._spec.tick_s <= self._delivery.silent_s(now):
            yield from self._sign("tick", Priority.NOTICE, now)

    def status(
        self, failing: Sequence[tuple[Component, str]], pictures_per_second: float, now: float
    ) -> Iterable[Effect]:
        """How it is; `failing` by component and reason."""
        worst = sorted(failing, key=lambda f: f[0] not in VITAL)
        text = wording.status_phrase(worst, pictures_per_second, *self.muted(now), self._spec.language)
        yield from self._delivery.offer(now, text, Priority.MESSAGE, "status")

    # What somebody wants

    def message(self, wish: Say, now: float) -> Iterable[Effect]:
        """What somebody wants said."""
        yield from self._delivery.offer(
            now,
            wish.text,
            Priority.MESSAGE,
            wish.key or f"say:{wish.text}",
            language=wish.language,
            earcon=wish.earcon,
            expires_in_s=wish.expires_in_s,
        )

    def relay(self, wish: RelayedSpeech, now: float) -> Iterable[Effect]:
        """What another instance wants said; its danger is as urgent as our own, its silence ours too."""
        until_s = self._danger_muted_until_s if wish.priority is Priority.DANGER else self._muted_until_s
        if now < until_s and wish.priority is not Priority.MESSAGE:
            self._register.counts["muted"] += 1
            return
        if wish.priority is Priority.TEXT and self._spec.verbosity == "alerts":
            self._register.counts["brevity"] += 1
            return
        yield from self._delivery.offer(
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
        text, language = self._delivery.last_said or (wording.NOTHING_SAID[self._spec.language], None)
        yield from self._delivery.offer(now, text, Priority.MESSAGE, "repeat", language=language)

    def false_alarm(self, hazard: str | None, cause: str | None, now: float) -> Iterable[Effect]:
        """The last alert, if there was one, has been marked as wrong; nothing more is said of it."""
        if cause is not None:
            yield from self._delivery.step(voices.Retract(cause), now)
        language = self._spec.language
        text = (
            wording.NO_ALARM[language]
            if hazard is None
            else wording.false_alarm_phrase(self._say[hazard], language)
        )
        yield from self._delivery.offer(now, text, Priority.MESSAGE, "false alarm")

    def mute(self, wish: Mute, now: float) -> Iterable[Effect]:
        """Silence for a while; danger too where it is asked for again within MUTE_AGAIN_S."""
        muted = now < self._muted_until_s
        twice = wish.seconds > 0 and muted and now - self._asked_mute_s <= MUTE_AGAIN_S
        if wish.seconds > 0:
            yield from self._delivery.step(voices.StopSpeaking(danger=twice), now)
        if not twice:
            self._end_danger_mute()
        elif self._danger_muted_since_s is None:
            self._danger_muted_since_s = now
        self._muted_until_s = now + wish.seconds
        self._danger_muted_until_s = now + wish.seconds if twice else now
        self._asked_mute_s = now if wish.seconds > 0 else NEVER_S
        text = wording.mute_phrase(wish.seconds, self._spec.language, danger=twice)
        yield from self._delivery.offer(now, text, Priority.MESSAGE, "mute")

    def _end_danger_mute(self) -> None:
        since_s, self._danger_muted_since_s = self._danger_muted_since_s, None
        if since_s is not None:
            self._unheard(since_s)

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "delivery": self._delivery.state(),
            "muted": [self._muted_until_s, self._danger_muted_until_s, self._asked_mute_s],
            "danger_muted_since_s": self._danger_muted_since_s,
            "begun": self._begun,
            "warned": dict(self._warned),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._delivery.restore(state["delivery"])
        self._muted_until_s, self._danger_muted_until_s, self._asked_mute_s = state["muted"]
        self._danger_muted_since_s = state.get("danger_muted_since_s")
        self._begun = state["begun"]
        self._warned = dict(state["warned"])
