"""Cuts text into pieces an engine can say, each followed by a pause."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

SENTENCE_PAUSE_S = 0.22
CLAUSE_PAUSE_S = 0.12
EXCLAMATION_PAUSE_S = 0.08
"""After a short cry, which belongs to what follows: `Fire! On your left.`"""
SHORT_CRY = 16
"""Characters of such a cry at most."""
BREATH_S = 0.03
"""Pauses at 180 words a minute; they shrink as the rate grows."""

LONGEST = {"ko": 80}
LONGEST_OTHER = 300
"""Characters: espeak-ng drops the end of Korean clauses somewhere beyond 100."""

_SENTENCE_END = re.compile(r"(?<=[.!?;:…。！？])\s+|\n+")
# Not before a digit: the comma of 1,000 ends no clause.
_CLAUSE_END = re.compile(r"(?<=[,，、])(?!\d)\s*")


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of text and the silence after it."""

    text: str
    pause_s: float


def clauses(text: str, language: str) -> tuple[Clause, ...]:
    """Sentences in order; Korean ones are cut at commas too, since espeak-ng truncates long ones.

    The last clause has no pause. Text without a letter or digit gives no clause at all.
    """
    found: list[Clause] = []
    for sentence in _SENTENCE_END.split(strip_unspeakable(text)):
        parts = _CLAUSE_END.split(sentence) if language == "ko" else [sentence]
        pieces = [(piece, CLAUSE_PAUSE_S) for part in parts for piece in _short(part, language)]
        spoken = [(piece, pause) for piece, pause in pieces if any(c.isalnum() for c in piece)]
        found += [Clause(piece, pause) for piece, pause in spoken[:-1]]
        found += [Clause(piece, _pause_after(piece)) for piece, _ in spoken[-1:]]
    return (*found[:-1], *(Clause(last.text, 0.0) for last in found[-1:]))


def _pause_after(sentence: str) -> float:
    cry = sentence.endswith("!") and len(sentence) <= SHORT_CRY
    return EXCLAMATION_PAUSE_S if cry else SENTENCE_PAUSE_S


def split_first_clause(found: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """The same, the first one cut at its first comma: a slow voice begins to speak sooner."""
    if not found:
        return found
    first = found[0]
    begin, *rest = _CLAUSE_END.split(first.text, maxsplit=1)
    if not rest or not any(c.isalnum() for c in begin) or not any(c.isalnum() for c in rest[0]):
        return found
    return (Clause(begin, CLAUSE_PAUSE_S), Clause(rest[0], first.pause_s), *found[1:])


def strip_unspeakable(text: str) -> str:
    """Without control characters, and without the brackets that espeak-ng takes for phonemes."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else " " for c in text)
    text = text.replace("[[", " ").replace("]]", " ")
    return re.sub(r"[^\S\n]+", " ", text).strip()


def _short(text: str, language: str) -> list[str]:
    """The text in pieces no longer than the engine takes, cut at spaces if there are any."""
    longest = LONGEST.get(language, LONGEST_OTHER)
    pieces: list[str] = []
    rest = text.strip()
    while len(rest) > longest:
        at = max(rest.rfind(" ", 0, longest), rest.rfind(",", 0, longest) + 1)
        # A word without an end is cut anywhere, or the engine would drop the rest.
        at = at if at > 0 else longest
        pieces.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [*pieces, rest] if rest else pieces
