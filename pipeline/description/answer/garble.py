"""Detects word salad, as broken weights or a faulty device make a model write it. Pure.

Only what no description in English or Korean contains is taken for it: this must never cost a sentence that
makes sense.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

LONGEST_WORD = 30
"""Letters and digits of a word between spaces and marks; English dictionaries end at 28 in common use."""
MOST_FOREIGN_SCRIPTS = 1
"""Scripts besides Latin and Hangul in one sentence; one may be that of a sign."""
MOST_HUMPED = 2
"""Different words with a capital after a small letter, such as names of brands and of parts of programs."""

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"[^\W\d_]*[a-z][A-Z][^\W\d_]*")
_SPOKEN = ("LATIN", "HANGUL")
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "BOPOMOFO": "CJK"}
"""Scripts that one text writes side by side."""


def is_garbled(sentence: str) -> bool:
    """True if a sentence mixes scripts, runs words together or is full of words from programs."""
    words = _WORD.findall(sentence)
    scripts = [_scripts(word) for word in words]
    foreign = {script for found in scripts for script in found if script not in _SPOKEN}
    return (
        any(len(word) > LONGEST_WORD for word in words)
        or len(foreign) > MOST_FOREIGN_SCRIPTS
        or any(_is_mixed(word) for word in words)
        or len({word for word in words if _HUMP.fullmatch(word)}) > MOST_HUMPED
    )


def _is_mixed(word: str) -> bool:
    """True if scripts change within a word; Hangul may follow Latin, as particles do ("TV를")."""
    found = [script for letter in word if (script := _script(letter))]
    return any(
        before != after and (before, after) != ("LATIN", "HANGUL") for before, after in pairwise(found)
    )


def _scripts(word: str) -> set[str]:
    return {script for letter in word if (script := _script(letter))}


def _script(letter: str) -> str:
    """The first word of a letter's name in Unicode, which is its script; empty if it is no letter."""
    if letter.isascii():
        return "LATIN" if letter.isalpha() else ""
    if not unicodedata.category(letter).startswith("L"):
        return ""
    script = unicodedata.name(letter, "UNKNOWN").split()[0].split("-")[0]
    return _TOGETHER.get(script, script)
