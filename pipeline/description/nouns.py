"""Forms of nouns within a sentence, in English and Korean. Pure."""

from __future__ import annotations

_MASS = frozenset(
    [
        "fire",
        "smoke",
        "water",
        "glass",
        "ice",
        "snow",
        "mud",
        "oil",
        "food",
        "bread",
        "rice",
        "fruit",
        "traffic",
        "furniture",
        "grass",
        "sand",
        "hair",
        "luggage",
        "scissors",
        "people",
        "children",
        "men",
        "women",
        "clothing",
        "paper",
        "wood",
        "metal",
        "money",
    ]
)
"""Nouns without an article that do not end in s: uncountable nouns and irregular plurals."""
_DETERMINED = frozenset(
    [
        "a",
        "an",
        "the",
        "some",
        "my",
        "your",
        "his",
        "her",
        "their",
        "our",
        "this",
        "that",
        "these",
        "those",
        "two",
        "three",
        "four",
        "five",
    ]
)
_VOWELS = frozenset("aeiou")
_CONSONANT_SOUND = ("uni", "use", "eu", "one")
"""Beginnings with the letter of a vowel and the sound of a consonant: a unicycle."""
_SINGULAR_S = ("ss", "us", "is", "as")
"""Endings of singular nouns in s: glass, bus, iris, gas."""


def with_article(noun: str) -> str:
    """An English noun as a part of a sentence: `a knife`, `an axe`, `knives`, `fire`."""
    words = noun.casefold().split()
    if not words or not noun.isascii() or words[0] in _DETERMINED or words[-1] in _MASS or words[0].isdigit():
        return noun
    if words[-1].endswith("s") and not words[-1].endswith(_SINGULAR_S):
        return noun
    first = words[0]
    return ("an " if first[0] in _VOWELS and not first.startswith(_CONSONANT_SOUND) else "a ") + noun


def without_particle(noun: str) -> str:
    """A Korean noun without its subject particle, if it has one."""
    return noun[:-1] if len(noun) > 2 and noun.endswith(("들이", "가")) else noun
