"""The Korean particles that change with the sound before them. Pure."""

from __future__ import annotations

_OPEN_DIGITS = frozenset("2459")
"""이, 사, 오, 구 end in a vowel; the names of all other digits end in a consonant."""
_DIGITS_IN_L = frozenset("178")
_CLOSED_LETTERS = frozenset("lmnrLMNR")
"""엘, 엠, 엔 and 알: names of letters that end in a consonant."""
_STOPS = frozenset("bckpt")
_VOWELS = frozenset("aeiou")
_RIEUL = 8
"""Number of ㄹ among the final consonants of a Hangul syllable (Unicode, chapter 3.12)."""


def with_particle(word: str, pair: str) -> str:
    """The word with the particle that fits it.

    `pair`: the form after a consonant and that after a vowel, as in `이/가`, `은/는`, `과/와`.
    Digits are read one by one in Sino-Korean, Latin words as they are borrowed, capitals letter by letter.
    """
    closed_form, _, open_form = pair.partition("/")
    last = next((c for c in reversed(word) if c.isalnum()), "")
    closed = _ends_closed(word, last)
    if pair == "으로/로" and closed and _ends_in_l(last):
        closed = False
    return word + (closed_form if closed else open_form)


def _ends_closed(word: str, last: str) -> bool:
    if "가" <= last <= "힣":
        # Unicode orders syllables by their 28 final consonants, of which the first is none.
        return (ord(last) - ord("가")) % 28 != 0
    if last.isdecimal():
        return last not in _OPEN_DIGITS
    latin = "".join(c for c in word if c.isascii() and c.isalpha())
    if latin.isupper() or len(latin) < 2:
        return last in _CLOSED_LETTERS
    end = latin.casefold()
    return end[-1] in "lmn" or end.endswith("ng") or (end[-1] in _STOPS and end[-2] in _VOWELS)


def _ends_in_l(last: str) -> bool:
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28 == _RIEUL
    return last in _DIGITS_IN_L or last in "lLrR"
