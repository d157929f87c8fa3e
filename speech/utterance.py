"""Something to be said, and its urgency."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Priority(IntEnum):
    """Speech-dispatcher's model: danger cuts all, of texts the newest wins, a notice may be lost."""

    NOTICE = 0
    TEXT = 1
    MESSAGE = 2
    DANGER = 3


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing to say. Times are monotonic (live) or stream (replay) seconds."""

    id: str
    cause: str | None
    """Id of the alert, scene or command that led to it."""
    text: str
    language: str
    priority: Priority
    key: str
    """Utterances with the same key say the same thing; the newer replaces a waiting older one."""
    created_at_s: float
    captured_at_s: float
    """The capture time of the picture that led to it; created_at_s if there was none."""
    expires_at_s: float
    """Not started after this."""
    severity: int = 0
    """Among DANGER utterances, a higher one is said first and cuts a lower one."""
    rank: int = 0
    """Among utterances of one priority and severity, a higher one is said first and cuts a lower one."""
    certainty: float = 0.0
    """Among those of one rank too, 0 to 1: the surer one is said first; none is cut for it."""
    name: str = ""
    """The name of the danger it warns of, alone, for when several come at once. Empty if it warns of none."""
    side: str = ""
    """The side within its text; empty if there is none."""
    advice: str = ""
    """What is left to say after name and side; the whole text if it makes no sense without the name."""
    named_after_s: float = 0.0
    """Seconds from its first word until its danger has been named; then it makes room for another danger that
    has not been named yet. 0: it does not.
    """
    earcon: str | None = None
    """Name of the short sound played before the words."""
    pan: float = 0.0
    """-1 left, 0 both, 1 right."""
