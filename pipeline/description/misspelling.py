"""Finds the known word that a misspelt one was probably meant to be, in English or Korean. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_TWO_FROM = 7
"""Letters from which on two mistakes are one word: `bycicle`."""
_ONE_FROM = 4
"""Letters from which on one mistake is; in a shorter word only two letters that changed places are."""
_OTHER_FIRST_FROM = 6
"""Letters from which on the single mistake may be the first letter: `pear` is no `bear`."""
_KOREAN_FROM = 6
"""The same for the letters (jamo) of Korean words: three syllables. Shorter ones have too many neighbours."""


def edits(one: str, other: str, limit: int) -> int:
    """Letters to insert, delete, replace or swap with their neighbour (Damerau, 1964).

    Each place is edited once (optimal string alignment). Any number above `limit` means only that there are
    more.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        present = [row]
        for column, own in enumerate(other, start=1):
            cost = min(last[column] + 1, present[-1] + 1, last[column - 1] + (letter != own))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == own:
                cost = min(cost, before[column - 2] + 1)
            present.append(cost)
        # No later row can be smaller than the smallest of two rows.
        if min(present) > limit and min(last) > limit:
            return limit + 1
        before, last = last, present
    return last[-1]


def is_misspelling(word: str, of: str) -> bool:
    """True if `word` is probably a mistake for the known word `of`. Both are lower case."""
    if _is_korean(of):
        own, known = (unicodedata.normalize("NFD", text) for text in (word, of))
        return len(known) >= _KOREAN_FROM and edits(own, known, 1) == 1
    if word[:1] != of[:1]:
        return len(of) >= _OTHER_FIRST_FROM and edits(word, of, 1) == 1
    if len(of) < _ONE_FROM:
        return sorted(word) == sorted(of) and edits(word, of, 1) == 1
    limit = 2 if len(of) >= _TWO_FROM else 1
    return 1 <= edits(word, of, limit) <= limit


def meant_word(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to a misspelt one; None if none is near."""
    near = (of for of in known if is_misspelling(word, of))
    return min(near, key=lambda of: (edits(word, of, 2), of), default=None)


def _is_korean(word: str) -> bool:
    return any("가" <= letter <= "힣" for letter in word)
