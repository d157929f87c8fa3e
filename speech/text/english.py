"""Writes out English fractions, which espeak-ng reads badly. Pure."""

from __future__ import annotations

import re

_ONES = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PARTS = {
    2: "half",
    3: "third",
    4: "quarter",
    5: "fifth",
    6: "sixth",
    7: "seventh",
    8: "eighth",
    9: "ninth",
    10: "tenth",
    12: "twelfth",
    16: "sixteenth",
    32: "thirty-second",
    64: "sixty-fourth",
}
_FRACTION = re.compile(r"(?<![\d/.:])(?:(\d+)[ -])?([1-9]\d?)/(\d{1,2})(?![\d/])")


def fractions_to_words(text: str) -> str:
    """Replace `3 1/2` by `3 and one half`. Only fractions below one: `24/7` and `50/50` stay."""
    return _FRACTION.sub(_fraction, text)


def _fraction(found: re.Match[str]) -> str:
    numerator, denominator = int(found[2]), int(found[3])
    if numerator >= denominator or denominator not in _PARTS:
        return found[0]
    plural = "halves" if denominator == 2 else f"{_PARTS[denominator]}s"
    part = _PARTS[denominator] if numerator == 1 else plural
    said = f"{_ONES[numerator] if numerator < len(_ONES) else numerator} {part}"
    return f"{found[1]} and {said}" if found[1] else said
