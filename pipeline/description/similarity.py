"""Do two sentences say the same? By meaning if sentence vectors are given, else by their words."""

from __future__ import annotations

import re

ALIKE_WORDS = 0.75
"""Share of common words (Jaccard index) from which two sentences count as the same."""

ALIKE_MEANING = 0.78
"""Cosine of sentence vectors from which they do. With MiniLM, "A street with cars" and "Cars are on the road"
have 0.80, "A dog runs towards you" and "A dog lies on the floor" 0.33."""

SentenceVector = tuple[float, ...]
"""A sentence as a unit vector; empty if none was computed."""

_WORD = re.compile(r"\w+")


def jaccard(a: str, b: str) -> float:
    """Jaccard index of the words of two texts: 0 nothing in common, 1 the same words."""
    words_a, words_b = set(_WORD.findall(a.casefold())), set(_WORD.findall(b.casefold()))
    union = words_a | words_b
    return len(words_a & words_b) / len(union) if union else 1.0


def is_repetition(a: str, b: str, meaning_a: SentenceVector = (), meaning_b: SentenceVector = ()) -> bool:
    """True if saying `b` after `a` would tell nothing new.

    A changed number, side or colour, or a new "no", is always new, however like the rest is: sentence vectors
    hardly tell "on your left" from "on your right".
    """
    if not a or not b or _telling(a) != _telling(b):
        return False
    if meaning_a and meaning_b:
        return sum(x * y for x, y in zip(meaning_a, meaning_b, strict=True)) >= ALIKE_MEANING
    return jaccard(a, b) >= ALIKE_WORDS


_ENGLISH = "left right both ahead behind up down no not red green open closed stop go empty near far"
_KOREAN = "왼쪽 오른쪽 앞 뒤 양쪽 없 위 아래 빨간 초록 열 닫"
TELLING = frozenset([*_ENGLISH.split(), *_KOREAN.split()])
"""Words that turn a sentence into another."""


def _telling(text: str) -> frozenset[str]:
    lowered = text.casefold()
    words = set(_WORD.findall(lowered))
    # Within words, because Korean endings are written onto them.
    korean = {t for t in TELLING if not t.isascii() and t in lowered}
    return frozenset({w for w in words if w in TELLING or w.isdigit()} | korean)
