"""Tells an English sentence from one of another language in Latin script, by small words and letters. Pure.

An English sentence that names streets, shops or people must pass, so a few words without a small one do, too.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?:'[^\W\d_]+)?(?!\w)")


def is_foreign(sentence: str) -> bool:
    """True if more of the small words are those of another language than those of English."""
    table = _table()
    words = _WORD.findall(sentence.replace("’", "'"))
    foreign = english = 0.0
    for at, word in enumerate(words):
        low = word.lower()
        # Names begin with a capital letter; so does every sentence.
        capital = word[0].isupper()
        if capital and (at or (len(word) > 1 and word.isupper())):
            continue
        if low in table["particles"]:
            foreign += 0.0 if _within_name(words, at, table["particles"]) else 0.5
        elif low in table["both"]:
            english += 0.5
        elif low in table["english"]:
            english += 1
        elif low in table["foreign"] or (not capital and not low.isascii() and low not in table["loans"]):
            foreign += 1 if len(word) > 1 else 0.5
    return foreign > english


def _within_name(words: list[str], at: int, particles: frozenset[str]) -> bool:
    """True between words with capitals, at the beginning before one: Rue de la Paix, Los Angeles."""
    before = next((word for word in reversed(words[:at]) if word.lower() not in particles), words[0])
    after = next((word for word in words[at + 1 :] if word.lower() not in particles), "a")
    return before[0].isupper() and after[0].isupper()


@cache
def _table() -> dict[str, frozenset[str]]:
    text = files(__package__).joinpath("foreign.toml").read_text("utf-8")
    return {name: frozenset(words.split()) for name, words in tomllib.loads(text).items()}
