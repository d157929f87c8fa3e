"""English numbers where espeak-ng reads them badly. Pure."""

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
    """`3 1/2` is 3 and one half. Only fractions below one: `24/7` and `50/50` are none."""
    return _FRACTION.sub(_fraction, text)


def _fraction(found: re.Match[str]) -> str:
    over, under = int(found[2]), int(found[3])
    if over >= under or under not in _PARTS:
        return found[0]
    part = _PARTS[under] if over == 1 else "halves" if under == 2 else f"{_PARTS[under]}s"
    said = f"{_ONES[over] if over < len(_ONES) else over} {part}"
    return f"{found[1]} and {said}" if found[1] else said
