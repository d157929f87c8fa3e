"""Decides what is said next: a pure state machine, no clock, no sound, no threads.

The policy follows speech-dispatcher's priorities. A danger cuts off everything lower, a message cuts off
descriptions and notices, the newest description replaces older ones, and a notice is said only in silence.
Within a priority, the more severe utterance comes first, then the one of higher rank; both cut off lesser
ones. Then comes the more certain one, and then the older one. Dangers that come at once are all named before
their sides and advice are said (several.py).
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from speech.outbox.messages import (
    CurrentUtterance,
    DropReason,
    Effect,
    Enqueue,
    Heard,
    Input,
    OutboxState,
    PlaybackBegan,
    PlaybackEnded,
    QueuedUtterance,
    Retract,
    SpeechDropped,
    SpeechFailed,
    SpeechStarted,
    StartSpeech,
    StopSpeaking,
    StopSpeech,
)
from speech.outbox.several import after_begin, after_end, can_restart, first_other, is_named, present_form
from speech.settings import OutboxSettings
from speech.utterance import Priority, Utterance

MIN_CHARS_PER_S = 2.0
"""Characters a second of the slowest voice (Korean syllables at 80 words a minute)."""


class Outbox:
    """Decides which utterance sounds. One sounds at a time, the others wait in order of urgency.

    Every enqueued utterance is reported as `SpeechStarted` or `SpeechDropped` exactly once, as long as time
    passes. The effects of one step must be carried out in order, and the player's reports must arrive in the
    order of events.
    """

    def __init__(
        self, settings: OutboxSettings, state: OutboxState | None = None, *, joins: bool = True
    ) -> None:
        """`joins`: name dangers that come at once before the rest of each; False if it is done elsewhere."""
        state = state or OutboxState()
        self._joins = joins
        self._settings = settings
        self._current = state.current
        self._waiting = list(state.waiting)
        self._arrivals = state.arrivals
        self._counts = dict(state.counts)
        self._heard = state.heard
        self._effects: list[Effect] = []

    @property
    def state(self) -> OutboxState:
        """A snapshot; an outbox built from it behaves the same."""
        counts = MappingProxyType(dict(self._counts))
        return OutboxState(self._current, tuple(self._waiting), self._arrivals, counts, self._heard)

    def wake_at_s(self) -> float | None:
        """The time by which the next `step` is needed for a timeout; None if nothing is spoken."""
        return None if self._current is None else self._timeout_at_s(self._current)

    def step(self, event: Input, now: float) -> tuple[Effect, ...]:
        """Process one event and return its effects in order. Never raises."""
        self._effects = []
        self._on_report(event, now)  # first, so that a report just before a timeout counts
        self._check_timeouts(now)
        # Before the command, so that expired utterances take no room from a new one.
        self._expire(now)
        self._on_command(event, now)
        self._make_room(now)
        self._next(now)
        return tuple(self._effects)

    def _on_report(self, event: Input, now: float) -> None:
        """Process a report of the player."""
        current = self._current
        if not isinstance(event, PlaybackBegan | PlaybackEnded | SpeechFailed):
            return
        if current is None or current.entry.utterance.id != event.id:
            return
        if isinstance(event, PlaybackEnded) and current.sounding:
            self._current = None
            self._end(current)
        elif not isinstance(event, PlaybackBegan):
            self._current = None
            self._drop(current.entry, "failed")  # counts only if it was never heard
        elif not current.sounding:
            self._spoken(current.entry)
            heard = replace(current.entry, heard=True)
            self._current = replace(current, entry=heard, since_s=now, sounding=True)
            self._heard = after_begin(self._heard, current.said)

    def _end(self, current: CurrentUtterance) -> None:
        """It was said to its end; if that was its name alone, the rest waits."""
        self._heard = after_end(self._heard, current.said)
        if current.name_only:
            self._put_back(replace(current.entry, named=True))

    def _put_back(self, entry: QueuedUtterance) -> None:
        """Queue the rest of one that was begun. A newer text of its key that waits goes on in its place."""
        old = entry.utterance
        for at, newer in enumerate(self._waiting):
            if (newer.utterance.key, newer.utterance.priority) == (old.key, old.priority):
                self._drop(entry, "replaced")
                arrival = min(newer.arrival, entry.arrival)
                self._waiting[at] = replace(newer, named=entry.named, arrival=arrival)
                self._waiting.sort(key=lambda each: each.order)
                return
        self._queue(entry)

    def _spoken(self, entry: QueuedUtterance) -> None:
        if not entry.heard:
            self._count("spoken")
            self._effects.append(SpeechStarted(entry.utterance))

    def _on_command(self, event: Input, now: float) -> None:
        match event:
            case Enqueue(utterance):
                self._enqueue(utterance, now)
            case Retract(cause):
                self._retract(cause)
            case StopSpeaking(danger):
                self._stop(Priority.DANGER if danger else Priority.MESSAGE)
            case _:
                pass

    # New utterances

    def _enqueue(self, new: Utterance, now: float) -> None:
        self._count("offered")
        self._arrivals += 1
        entry = QueuedUtterance(new, self._arrivals)
        if self._is_known(new.id):
            self._drop(entry, "duplicate")
        elif now > new.expires_at_s:
            self._drop(entry, "expired")
        elif new.priority == Priority.NOTICE and (self._current or self._waiting):
            self._drop(entry, "busy")
        else:
            self._admit(self._replace_older(entry), now)

    def _is_known(self, id_: str) -> bool:
        current = self._current
        return any(entry.utterance.id == id_ for entry in self._waiting) or (
            current is not None and current.entry.utterance.id == id_
        )

    def _replace_older(self, entry: QueuedUtterance) -> QueuedUtterance:
        """Drop utterances that the new one replaces. It takes the place of one with the same key."""
        new = entry.utterance
        for old in tuple(self._waiting):
            if old.utterance.priority != new.priority:
                continue
            if old.utterance.key == new.key:
                self._remove(old, "replaced")
                # Its place in the queue is kept: a hazard that is updated often must not fall behind each
                # time.
                entry = replace(entry, arrival=min(entry.arrival, old.arrival), named=old.named)
            elif new.priority == Priority.TEXT and not _continues(new, old.utterance):
                self._remove(old, "superseded")
        return entry

    def _admit(self, entry: QueuedUtterance, now: float) -> None:
        current = self._current
        if current is not None and self._interrupts(entry.utterance, current.entry.utterance):
            self._interrupt(current, entry.utterance, now)
        self._queue(entry)

    def _interrupts(self, new: Utterance, old: Utterance) -> bool:
        if new.priority != old.priority:
            return new.priority > old.priority
        if new.priority >= Priority.MESSAGE:
            danger = new.priority == Priority.DANGER
            # Severity has a meaning for dangers only; messages are compared by rank alone.
            severities = (new.severity, old.severity) if danger else (0, 0)
            return (severities[0], new.rank) > (severities[1], old.rank)
        return self._settings.text_cuts_text and new.priority == Priority.TEXT and not _continues(new, old)

    def _queue(self, entry: QueuedUtterance) -> None:
        """Queue an utterance; if the queue is full, drop the least urgent one."""
        self._waiting = sorted([*self._waiting, entry], key=lambda each: each.order)
        # While nothing is spoken, the first one starts in this step, so it takes no room.
        room = self._settings.waiting_limit + (self._current is None)
        while len(self._waiting) > room:
            self._drop(self._waiting.pop(), "full")

    # Timeouts, expiry and commands

    def _timeout_at_s(self, current: CurrentUtterance) -> float:
        settings = self._settings
        if not current.sounding:
            return current.since_s + settings.start_timeout_s
        return current.since_s + settings.longest_s + len(current.entry.utterance.text) / MIN_CHARS_PER_S

    def _check_timeouts(self, now: float) -> None:
        current = self._current
        if current is not None and now >= self._timeout_at_s(current):
            self._stop_current(current)
            self._count("overlong" if current.sounding else "mute")
            self._drop(current.entry, "failed")

    def _expire(self, now: float) -> None:
        for entry in tuple(self._waiting):
            if now > entry.utterance.expires_at_s:
                self._remove(entry, "expired")

    def _retract(self, cause: str) -> None:
        for entry in tuple(self._waiting):
            if entry.utterance.cause == cause:
                self._remove(entry, "retracted")
        current = self._current
        # An utterance that sounds is spoken to its end. Only one that was not heard yet can be retracted.
        if current is not None and current.entry.utterance.cause == cause and not current.sounding:
            self._stop_current(current)
            self._drop(current.entry, "retracted")

    def _stop(self, up_to: Priority) -> None:
        for entry in tuple(self._waiting):
            if entry.utterance.priority <= up_to:
                self._remove(entry, "hushed")
        current = self._current
        if current is not None and current.entry.utterance.priority <= up_to:
            self._stop_current(current)
            self._drop(current.entry, "hushed")

    def _make_room(self, now: float) -> None:
        """Let a danger that has not been named be named before the side and the advice of the present one."""
        current = self._current
        if not self._joins or current is None:
            return
        first = first_other(current.entry.utterance, self._waiting)
        if first is None:
            return
        if is_named(current, now):
            self._interrupt(current, first.utterance, now)
        elif can_restart(current, now):
            # In full it would take longer until the others are named.
            self._stop_current(current)
            self._count("joined")
            self._put_back(current.entry)

    def _interrupt(self, current: CurrentUtterance, by: Utterance, now: float) -> None:
        """Stop for a more urgent utterance. A danger waits to be said again, a message does so once."""
        self._stop_current(current)
        self._count("cut")
        entry = current.entry
        old = entry.utterance
        # The new one is a newer version: the old one must not be said again afterwards.
        if old.key == by.key and old.priority == by.priority:
            self._drop(entry, "replaced")
        elif old.priority == Priority.DANGER or (old.priority == Priority.MESSAGE and not entry.resumed):
            self._count("resumed")
            self._put_back(replace(entry, resumed=True, named=entry.named or is_named(current, now)))
        else:
            self._drop(entry, "cut")
            self._drop_rest_of(old)

    def _drop_rest_of(self, text: Utterance) -> None:
        """Drop the rest of a description that lost a sentence."""
        for entry in tuple(self._waiting):
            if entry.utterance.priority == Priority.TEXT and _continues(entry.utterance, text):
                self._remove(entry, "superseded")

    def _stop_current(self, current: CurrentUtterance) -> None:
        self._effects.append(StopSpeech(current.entry.utterance.id))
        self._current = None

    # Start and drop

    def _next(self, now: float) -> None:
        while self._current is None and self._waiting:
            entry = self._waiting.pop(0)
            # It may have been put back in this step, for a more urgent one of which nothing was to be said.
            if now > entry.utterance.expires_at_s:
                self._drop(entry, "expired")
                continue
            said, name_only = self._form(entry)
            if said is None:
                # Nothing is left to say. It was heard, so it is not reported again.
                self._drop(entry, "duplicate")
                continue
            self._current = CurrentUtterance(entry, said, now, name_only=name_only)
            self._effects.append(StartSpeech(said))
        if self._current is None:
            self._heard = Heard()

    def _form(self, entry: QueuedUtterance) -> tuple[Utterance | None, bool]:
        if not self._joins:
            return entry.utterance, False
        return present_form(entry, self._waiting, self._heard)

    def _remove(self, entry: QueuedUtterance, reason: DropReason) -> None:
        self._waiting.remove(entry)
        self._drop(entry, reason)

    def _drop(self, entry: QueuedUtterance, reason: DropReason) -> None:
        if not entry.heard:
            self._count(f"dropped_{reason}")
            self._effects.append(SpeechDropped(entry.utterance, reason))

    def _count(self, name: str) -> None:
        self._counts[name] = self._counts.get(name, 0) + 1


def _continues(new: Utterance, old: Utterance) -> bool:
    """True for sentences of one description: they share their cause."""
    return new.cause is not None and new.cause == old.cause
