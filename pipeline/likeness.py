"""Do two sentences say the same?"""

from __future__ import annotations

import re

ALIKE = 0.75
"""Share of common words (Jaccard index) from which two sentences count as the same."""

_WORD = re.compile(r"\w+")


def likeness(a: str, b: str) -> float:
    """Jaccard index of the words of two texts: 0 nothing in common, 1 the same words."""
    words_a, words_b = set(_WORD.findall(a.casefold())), set(_WORD.findall(b.casefold()))
    union = words_a | words_b
    return len(words_a & words_b) / len(union) if union else 1.0


def alike(a: str, b: str) -> bool:
    """True where saying `b` after `a` would tell nothing new. A changed number or side is always new."""
    if not a or not b:
        return False
    return likeness(a, b) >= ALIKE and _telling(a) == _telling(b)


TELLING = frozenset(["left", "right", "ahead", "behind", "no", "not", "왼쪽", "오른쪽", "앞", "뒤", "없"])


def _telling(text: str) -> frozenset[str]:
    lowered = text.casefold()
    words = set(_WORD.findall(lowered))
    korean = {t for t in TELLING if not t.isascii() and t in lowered}
    return frozenset({w for w in words if w in TELLING or w.isdigit()} | korean)
