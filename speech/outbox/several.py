"""Says dangers that come at once together: every name first, the worst first, then sides and advice.

"Fire! Smoke on your left! Stop!": each but the last is named alone, the last is said in full, then follows
the rest of the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from speech.outbox.messages import CurrentUtterance, Heard, QueuedUtterance
from speech.sound.earcons import SEVERAL, danger_earcon, lead_s
from speech.utterance import Priority, Utterance

CRITICAL = 3


def after_begin(heard: Heard, said: Utterance) -> Heard:
    """What has been heard once an utterance has begun to sound."""
    return replace(heard, severity=max(heard.severity, said.severity)) if _is_danger(said) else Heard()


def after_end(heard: Heard, said: Utterance) -> Heard:
    """What has been heard once an utterance was said to its end."""
    return replace(heard, side=said.side) if _is_danger(said) and said.side else heard


def present_form(
    entry: QueuedUtterance, waiting: Iterable[QueuedUtterance], heard: Heard
) -> tuple[Utterance | None, bool]:
    """The form in which it is said now, None if nothing of it is left; and whether that is its name alone."""
    full = entry.utterance
    if not _is_danger(full):
        return full, False
    text, name_only = full.text, False
    if entry.named:
        text = _rest(entry, heard)
    elif full.name and first_other(full, waiting) is not None:
        text, name_only = full.name, full.name != full.text
    if not text:
        return None, False
    earcon = _earcon(full, heard, several=name_only)
    named_after_s = 0.0
    # A name alone and advice are too short to make room.
    if full.named_after_s and text == full.text != full.name:
        named_after_s = lead_s(earcon) + full.named_after_s
    # A name alone and a rest without its side tell no side.
    side = full.side if text == full.text else ""
    return replace(full, text=text, earcon=earcon, side=side, named_after_s=named_after_s), name_only


def first_other(said: Utterance, waiting: Iterable[QueuedUtterance]) -> QueuedUtterance | None:
    """The first waiting danger that has not been named and has another name, or None."""
    # By name: one danger seen by two cameras is two sides of one name.
    return next((one for one in waiting if one.is_naming and one.utterance.name != said.name), None)


def can_restart(current: CurrentUtterance, now: float) -> bool:
    """True until the first word of a danger or its expiry: it can still begin anew as a name alone."""
    said = current.said
    if now > said.expires_at_s:
        return False
    # Nothing is gained by one that says no more than its name: it would begin anew with every step.
    if current.entry.named or said.text == said.name or not said.name:
        return False
    return not current.sounding or now - current.since_s < lead_s(said.earcon)


def is_named(current: CurrentUtterance, now: float) -> bool:
    """True once the name of a danger has been said, while the rest of it is being said."""
    after_s = current.said.named_after_s
    return current.sounding and after_s > 0 and now - current.since_s >= after_s


def _rest(entry: QueuedUtterance, heard: Heard) -> str:
    full = entry.utterance
    # A side alone would be taken for that of the danger named last, so it is said with its name.
    rest = full.text if full.side and full.side != heard.side else full.advice
    # An utterance that took the place of a named one was never heard itself: it must not vanish.
    return rest if rest or entry.heard else full.text


def _earcon(full: Utterance, heard: Heard, *, several: bool) -> str | None:
    # The sound of the danger just before has drawn the attention already.
    if full.earcon is None or heard.severity >= full.severity:
        return None
    return SEVERAL if several and full.earcon == danger_earcon(CRITICAL) else full.earcon


def _is_danger(said: Utterance) -> bool:
    return said.priority == Priority.DANGER
