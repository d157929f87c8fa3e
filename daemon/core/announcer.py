"""Decides the words, priority, verbosity and muting of all utterances. Part of the core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from daemon.core.delivery import Delivery, expires_after_s
from daemon.core.event_ids import EventFactory
from daemon.core.health import VITAL, Change, Component
from daemon.core.messages import WEARERS_HANDS, CoreSpec, Effect, Hand, Mute, RelayedSpeech, Say
from daemon.core.validity import Condition, Validity
from pipeline import wording
from pipeline.description.policy import Speak
from pipeline.sentence_hazards import adds_nothing, named_hazards
from pipeline.types import Alert, Clear, Direction, Located, Severity, Trigger
from speech.outbox import messages as outbox_messages
from speech.sound.earcons import danger_earcon
from speech.utterance import Priority, Utterance

MUTE_AGAIN_S = 30.0
"""A second `mute` within this time mutes danger too."""

STALE_S = 2.0
"""Age of a picture, in seconds, from which its danger is announced as one of "a moment ago"."""

JUST_S = 10.0
"""Seconds after a warning in which a description does not repeat it, and after the end of a danger in which a
description does not name it.
"""

REMINDER_RANK = -1
"""Rank of a reminder, which adds nothing: new warnings go first."""

ANSWER_RANK = 1
"""Rank of answers among messages: they go before messages that were not asked for."""
SIGN_RANK = 2
"""Rank of the sound that confirms a question: it must come at once."""

CUT_ANSWER_S = 5.0
"""Seconds after which an answer that a danger cut off is not resumed, even if its picture was older: it was
true when it began, and a danger phrase takes about two seconds.
"""

READ_ALOUD_S = 90.0
"""Seconds for which a passage of text may wait, or be resumed: writing in view seldom changes."""

NEVER_S = -1e9
"""A time before all others: a number, because the state is JSON, which has no infinity (RFC 8259)."""

PAN: Mapping[Direction | None, float] = {
    None: 0.0,
    Direction.LEFT: -1.0,
    Direction.AHEAD: 0.0,
    Direction.RIGHT: 1.0,
    Direction.BOTH: 0.0,
    # Stereo has no behind: the words alone say it.
    Direction.BEHIND: 0.0,
}
"""Stereo position of a warning, from -1 (left) to 1 (right)."""

CLEARED: Mapping[str, int] = {"off": Severity.CRITICAL + 1, "critical": Severity.CRITICAL, "all": 0}
"""Severity from which the end of a danger is announced, by `speech.clear_earcon`."""


class Announcer:
    """Decides on the words and priority of each utterance, and drops the unwanted ones.

    `on_danger_heard` gets the cause of each danger whose first sample sounded, `on_text_heard` the text of
    everything else, and `on_unmuted` the time since which dangers were muted, once that ends.
    """

    def __init__(
        self,
        spec: CoreSpec,
        events: EventFactory,
        validity: Validity,
        on_danger_heard: Callable[[str, float], None],
        on_text_heard: Callable[[str, float], None],
        on_unmuted: Callable[[float], None],
    ) -> None:
        self._spec = spec
        self._events = events
        self._on_danger_heard = on_danger_heard
        self._on_text_heard = on_text_heard
        self._on_unmuted = on_unmuted
        self._say = {h.name: h.say for h in spec.hazards}
        self._call = {h.name: h.call for h in spec.hazards}
        self._rank = {h.name: h.rank for h in spec.hazards}
        self._validity = validity
        self._delivery = Delivery(spec, events, validity, self._on_heard)
        self._muted_until_s = NEVER_S
        self._danger_muted_until_s = NEVER_S
        self._danger_muted_since_s: float | None = None
        self._mute_requested_s = NEVER_S
        self._mute_requested_by: Hand = "command"
        self._begun: str | None = None
        self._warned: dict[str, int] = {}
        self._warned_at: dict[str, tuple[float, bool]] = {}
        self._over_at: dict[str, float] = {}
        self._answering: str | None = None

    @property
    def quiet(self) -> bool:
        """True while nothing is being said or waits to be said."""
        return self._delivery.quiet

    def muted(self, now: float) -> tuple[float, float]:
        """Seconds of muting left: for descriptions, and for danger."""
        return max(self._muted_until_s - now, 0.0), max(self._danger_muted_until_s - now, 0.0)

    def step_outbox(self, event: outbox_messages.Input, now: float) -> Iterable[Effect]:
        """Step the outbox with one input."""
        # Checked on every input, since there is no timer. Alerts raised during the mute are then raised
        # again.
        if now >= self._danger_muted_until_s:
            self._end_danger_mute()
        yield from self._delivery.step(event, now)

    # Dangers

    def alert(self, alert: Alert, now: float) -> Iterable[Effect]:
        """Announce a danger."""
        if now < self._danger_muted_until_s:
            self._events.counts["muted"] += 1
            # Counts as heard: the policy would otherwise raise the alert again and again.
            self._on_danger_heard(alert.id, now)
            yield self._events.unspoken(now, alert.id, "muted")
            return
        text = wording.danger_phrase(
            self._say[alert.hazard], alert.direction, self._spec.language, escalated=alert.escalated
        )
        # A reminder must not displace a new warning.
        no_news = alert.again and alert.hazard in self._warned
        yield from self._danger(
            text,
            alert.id,
            alert.hazard,
            Condition(hazard=alert.hazard),
            alert.severity,
            alert.direction,
            now,
            rank=REMINDER_RANK if no_news else self._rank[alert.hazard],
            certainty=alert.probability,
            escalated=alert.escalated,
        )

    def located(self, found: Located, severity: Severity, now: float) -> Iterable[Effect]:
        """Announce a direction: within the waiting alert, right after it, or with its name again."""
        # Its alert was muted as well, and a direction alone would not be understood.
        if now < self._danger_muted_until_s:
            return
        language, say, where = self._spec.language, self._say[found.hazard], found.direction
        key, condition = f"where:{found.hazard}", Condition(hazard=found.hazard)
        text = wording.danger_phrase(say, where, language)
        waiting = self._delivery.first_waiting(found.alert_id) or self._delivery.being_named(found.alert_id)
        closer = waiting is not None and wording.CLOSER[language] in waiting.text
        if waiting:
            key = found.hazard
            text = wording.danger_phrase(say, where, language, escalated=closer)
        # "On your left." alone is understood only right after its alert. Another instance's outbox is not
        # known here, so with forwarding the name is always said again.
        elif not self._spec.forwards and self._delivery.would_follow(found.alert_id):
            text, condition = wording.ONLY_WHERE[language][where], replace(condition, after=found.alert_id)
        # The new text replaces the waiting one and keeps its place in the queue.
        rank, certainty = self._rank[found.hazard], 0.0
        if waiting:
            rank, certainty = waiting.rank, waiting.certainty
        yield from self._danger(
            text,
            found.alert_id,
            key,
            condition,
            severity,
            where,
            now,
            rank=rank,
            certainty=certainty,
            escalated=closer,
        )

    def _danger(
        self,
        text: str,
        cause: str,
        key: str,
        condition: Condition,
        severity: Severity,
        direction: Direction | None,
        now: float,
        *,
        rank: int,
        certainty: float,
        escalated: bool,
    ) -> Iterable[Effect]:
        # That something comes closer makes no sense without its name.
        parts = self._parts(key, direction, text if escalated else None)
        captured_at_s, expires_in_s = self._events.captured_at_s, None
        if (age_s := now - captured_at_s) > STALE_S:
            # Not dropped, since a late warning is better than none. Its expiry counts from now.
            text = wording.BEFORE[self._spec.language] + text
            expires_in_s = age_s + expires_after_s(Priority.DANGER, severity)
            self._events.counts["stale"] += 1
            # Of the past: its name alone would be heard as a danger of now.
            parts = {"name": text}
        yield from self._delivery.say(
            now,
            text,
            Priority.DANGER,
            key,
            condition=condition,
            cause=cause,
            severity=int(severity),
            rank=rank,
            certainty=certainty,
            **parts,
            earcon=danger_earcon(int(severity)),
            pan=PAN[direction],
            captured_at_s=captured_at_s,
            expires_in_s=expires_in_s,
        )

    def _parts(self, key: str, direction: Direction | None, rest: str | None) -> Mapping[str, Any]:
        """The parts of an alert's text, for when several dangers come at once; none of a direction alone.

        `rest`: the words after the name alone, if they are not the hazard's advice.
        """
        if key not in self._say:
            return {}
        say, language = self._say[key], self._spec.language
        return {
            "name": wording.name_call(say, self._call[key]),
            "side": wording.WHERE[language][direction].strip(),
            "advice": wording.advice(say) if rest is None else rest,
            "named_after_s": wording.name_length_s(say, language),
        }

    def _on_heard(self, utterance: Utterance, condition: Condition, now: float) -> None:
        if utterance.priority is not Priority.DANGER:
            self._on_text_heard(utterance.text, now)
            return
        if condition.hazard is not None:
            self._warned[condition.hazard] = max(utterance.severity, self._warned.get(condition.hazard, 0))
            # Read from the text: an alert and its direction may be one utterance or two.
            sided = (
                any(
                    where in utterance.text
                    for side, where in wording.WHERE[self._spec.language].items()
                    if side
                )
                or condition.after is not None
            )
            self._warned_at[condition.hazard] = (now, sided)
        if utterance.cause is not None:
            self._on_danger_heard(utterance.cause, now)

    def clear(self, clear: Clear, now: float) -> Iterable[Effect]:
        """Drop utterances about a danger that is over; announce its end if the danger had been heard."""
        yield from self._delivery.step(outbox_messages.Retract(clear.alert_id), now)
        severity = self._warned.pop(clear.hazard, None)
        self._over_at[clear.hazard] = now
        if severity is not None and severity >= CLEARED[self._spec.clear_earcon]:
            yield from self._earcon("clear", Priority.NOTICE, now, cause=clear.id)

    def _earcon(
        self, earcon: str, priority: Priority, now: float, *, cause: str | None = None, rank: int = 0
    ) -> Iterable[Effect]:
        """Play an earcon without words."""
        # A mute silences unrequested speech only. A message is the reply to a command.
        if now >= self._muted_until_s or priority is Priority.MESSAGE:
            key = f"sign:{earcon}"
            yield from self._delivery.say(now, "", priority, key, cause=cause, earcon=earcon, rank=rank)

    # Descriptions and answers

    def sentence(self, effect: Speak, now: float) -> Iterable[Effect]:
        """Say one sentence of a description."""
        asked = effect.scene.trigger.asked
        first = effect.description.id != self._begun
        if asked:
            self._answering = effect.description.id
        elif reason := self._withheld_reason(effect, now, first=first):
            self._events.counts[reason] += 1
            yield self._events.unspoken(now, effect.description.id, reason, text=effect.description.text)
            return
        self._begun = effect.description.id
        yield from self._delivery.say(
            now,
            effect.description.text,
            Priority.MESSAGE if asked else Priority.TEXT,
            f"{effect.description.id}:{effect.description.text}",
            condition=self._condition(effect, now),
            cause=effect.description.id,
            rank=ANSWER_RANK if asked else 0,
            language=effect.description.language,
            captured_at_s=effect.scene.captured_at_s,
            expires_in_s=READ_ALOUD_S if effect.scene.trigger is Trigger.READ else None,
        )

    def unwanted_reason(self, now: float) -> str | None:
        """The reason why unrequested descriptions are not wanted now, or None."""
        if now < self._muted_until_s:
            return "muted"
        return "brevity" if self._spec.verbosity == "alerts" else None

    def _withheld_reason(self, effect: Speak, now: float, *, first: bool) -> str | None:
        """The reason why this sentence of an unrequested description is not said, or None."""
        if reason := self.unwanted_reason(now):
            return reason
        if self._spec.verbosity == "brief" and not first:
            return "brevity"
        if reason := self._no_news(effect, now):
            return reason
        if first and self._delivery.since_sound_s(now) < self._spec.description_gap_s:
            return "spacing"
        return "talk" if self._delivery.talk_share(now) > self._spec.talk_share else None

    def _no_news(self, effect: Speak, now: float) -> str | None:
        """ "over" if a sentence names a danger that has ended, "warned" if it repeats a recent warning."""
        text, language = effect.description.text, effect.description.language
        # At least since its picture was taken: a danger may have ended while a slow describer worked.
        since = min(effect.scene.captured_at_s, now - JUST_S)
        over = [name for name, at_s in self._over_at.items() if at_s >= since and not self._is_present(name)]
        if named_hazards(text, language, over):
            return "over"
        warned = {name: sided for name, (at_s, sided) in self._warned_at.items() if now - at_s <= JUST_S}
        if adds_nothing(text, language, warned, side_known=all(warned.values())):
            return "warned"
        return None

    def _is_present(self, hazard: str) -> bool:
        return self._validity.is_present(hazard)

    def _condition(self, effect: Speak, now: float) -> Condition:
        text, language = effect.description.text, effect.description.language
        named = tuple(sorted(named_hazards(text, language, filter(self._is_present, self._say))))
        match effect.scene.trigger:
            case Trigger.DANGER:
                return Condition(hazard=effect.scene.hazard, named=named)
            case Trigger.SCENE_CHANGE:
                return Condition(view=effect.scene.id, named=named)
            case Trigger.REQUEST:
                fresh_until_s = effect.scene.captured_at_s + self._spec.describe.stale_s
                return Condition(fresh_until_s=max(fresh_until_s, now + CUT_ANSWER_S))
            case Trigger.READ:
                return Condition(fresh_until_s=effect.scene.captured_at_s + READ_ALOUD_S)

    def listening(self, now: float) -> Iterable[Effect]:
        """Confirm a question at once, because its answer takes a while. End the answer to an older one."""
        yield from self._earcon("listening", Priority.MESSAGE, now, rank=SIGN_RANK)
        if self._answering is not None:
            yield from self._delivery.step(outbox_messages.Retract(self._answering), now)
            self._answering = None

    def cannot_see(self, component: Component, reason: str, now: float) -> Iterable[Effect]:
        """Answer a question while the view shows nothing: by the reason."""
        text = wording.health_phrase(component, reason, self._spec.language)
        yield from self._delivery.say(now, text, Priority.MESSAGE, "blind", rank=ANSWER_RANK)

    def unanswered(self, scene_id: str, now: float) -> Iterable[Effect]:
        """Say that a question has no answer."""
        text = wording.NO_ANSWER[self._spec.language]
        yield from self._delivery.say(
            now, text, Priority.MESSAGE, "unanswered", cause=scene_id, rank=ANSWER_RANK
        )

    # The program itself

    def health(self, change: Change, cause: str, now: float) -> Iterable[Effect]:
        """Announce that a component failed or recovered."""
        text = wording.health_phrase(change.component, change.reason, self._spec.language)
        quiet = now < self._muted_until_s or self._spec.verbosity != "full"
        if quiet and change.component not in VITAL:
            reason = "muted" if now < self._muted_until_s else "brevity"
            yield self._events.unspoken(now, cause, reason, text=text)
            return
        condition = Condition(component=change.component, reason=change.reason, reminder=change.reminder)
        key = f"health:{change.component}"
        yield from self._delivery.say(now, text, Priority.MESSAGE, key, condition=condition, cause=cause)

    def tick(self, now: float) -> Iterable[Effect]:
        """Play a tick after a long silence. Called after each assessment: it proves that frames come."""
        if 0 < self._spec.tick_s <= self._delivery.silent_s(now):
            yield from self._earcon("tick", Priority.NOTICE, now)

    def status(
        self, failing: Sequence[tuple[Component, str]], pictures_per_second: float, now: float
    ) -> Iterable[Effect]:
        """Say the status. `failing`: components with their reasons."""
        # Vital components first: the wearer may not listen to the end of a long sentence.
        worst = sorted(failing, key=lambda f: f[0] not in VITAL)
        text = wording.status_phrase(worst, pictures_per_second, *self.muted(now), self._spec.language)
        yield from self._delivery.say(now, text, Priority.MESSAGE, "status")

    # Commands

    def message(self, command: Say, now: float) -> Iterable[Effect]:
        """Say a text on request."""
        yield from self._delivery.say(
            now,
            command.text,
            Priority.MESSAGE,
            command.key or f"say:{command.text}",
            language=command.language,
            earcon=command.earcon,
            expires_in_s=command.expires_in_s,
            condition=Condition(works=command.works),
        )

    def relay(self, command: RelayedSpeech, now: float) -> Iterable[Effect]:
        """Say a text of another instance, with its own priority; our muting applies to it."""
        until_s = self._danger_muted_until_s if command.priority is Priority.DANGER else self._muted_until_s
        # Only counted, not recorded: its cause is an event of the other instance.
        if now < until_s and command.priority is not Priority.MESSAGE:
            self._events.counts["muted"] += 1
            return
        if command.priority is Priority.TEXT and self._spec.verbosity == "alerts":
            self._events.counts["brevity"] += 1
            return
        yield from self._delivery.say(
            now,
            command.text,
            command.priority,
            command.key,
            cause=command.cause,
            language=command.language,
            severity=command.severity,
            rank=command.rank,
            certainty=command.certainty,
            name=command.name or command.text,
            side=command.side,
            advice=command.advice,
            named_after_s=command.named_after_s,
            earcon=command.earcon,
            pan=command.pan,
            expires_in_s=command.expires_in_s,
        )

    def repeat(self, now: float) -> Iterable[Effect]:
        """Say the last text again."""
        text, language = self._delivery.last_said or (wording.NOTHING_SAID[self._spec.language], None)
        yield from self._delivery.say(now, text, Priority.MESSAGE, "repeat", language=language)

    def false_alarm(self, hazard: str | None, cause: str | None, now: float) -> Iterable[Effect]:
        """Confirm that the last alert was marked as wrong, and say nothing more about it."""
        if cause is not None:
            yield from self._delivery.step(outbox_messages.Retract(cause), now)
        language = self._spec.language
        text = (
            wording.NO_ALARM[language]
            if hazard is None
            else wording.false_alarm_phrase(self._say[hazard], language)
        )
        yield from self._delivery.say(now, text, Priority.MESSAGE, "false alarm")

    def mute(self, command: Mute, now: float) -> Iterable[Effect]:
        """Mute for a while; danger too if the wearer requests it again by the same hand in MUTE_AGAIN_S."""
        # The same hand: two people, or a person and an automation, must not silence danger together by
        # chance.
        again = self._mute_requested_by == command.by and now - self._mute_requested_s <= MUTE_AGAIN_S
        twice = command.seconds > 0 and now < self._muted_until_s and again and command.by in WEARERS_HANDS
        # Cut off the current utterance: otherwise it would continue for seconds after the command.
        if command.seconds > 0:
            yield from self._delivery.step(outbox_messages.StopSpeaking(danger=twice), now)
        # Unmuting, or a mute that is no repetition, ends the silence about danger; missed alerts are then
        # raised.
        if not twice:
            self._end_danger_mute()
        elif self._danger_muted_since_s is None:
            self._danger_muted_since_s = now
        self._muted_until_s = now + command.seconds
        self._danger_muted_until_s = now + command.seconds if twice else now
        # A mute from the page or home automation is not the first of the wearer's two, nor does it come
        # between them.
        if command.by in WEARERS_HANDS:
            self._mute_requested_s = now if command.seconds > 0 else NEVER_S
            self._mute_requested_by = command.by
        text = wording.mute_phrase(command.seconds, self._spec.language, danger=twice)
        yield from self._delivery.say(now, text, Priority.MESSAGE, "mute")

    def _end_danger_mute(self) -> None:
        since_s, self._danger_muted_since_s = self._danger_muted_since_s, None
        if since_s is not None:
            self._on_unmuted(since_s)

    def state(self) -> dict[str, Any]:
        """Everything `restore` needs, in plain JSON types."""
        return {
            "delivery": self._delivery.state(),
            "muted": [self._muted_until_s, self._danger_muted_until_s, self._mute_requested_s],
            "danger_muted_since_s": self._danger_muted_since_s,
            "muted_by": self._mute_requested_by,
            "begun": self._begun,
            "warned": dict(self._warned),
            "warned_at": {name: list(one) for name, one in self._warned_at.items()},
            "over_at": dict(self._over_at),
            "answering": self._answering,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._delivery.restore(state["delivery"])
        self._muted_until_s, self._danger_muted_until_s, self._mute_requested_s = state["muted"]
        self._danger_muted_since_s = state.get("danger_muted_since_s")
        self._mute_requested_by = state.get("muted_by", "command")
        self._begun = state["begun"]
        self._warned = dict(state["warned"])
        self._warned_at = {name: (at_s, sided) for name, (at_s, sided) in state.get("warned_at", {}).items()}
        self._over_at = dict(state.get("over_at", {}))
        self._answering = state.get("answering")
