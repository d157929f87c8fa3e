"""Text as people write it, turned into text as people say it, in English and Korean.

espeak-ng reads numbers, times and money well in both languages; what it reads badly is left to us: units,
which Korean spells out letter by letter, markup, addresses, pictographs and a few abbreviations.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

UNITS: dict[str, tuple[str, str, str]] = {
    "km": ("kilometer", "kilometers", "킬로미터"),
    "m": ("meter", "meters", "미터"),
    "cm": ("centimeter", "centimeters", "센티미터"),
    "mm": ("millimeter", "millimeters", "밀리미터"),
    "kg": ("kilogram", "kilograms", "킬로그램"),
    "g": ("gram", "grams", "그램"),
    "ft": ("foot", "feet", "피트"),
    "°C": ("degree Celsius", "degrees Celsius", "도"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit", "화씨 도"),
    "°": ("degree", "degrees", "도"),
    "%": ("percent", "percent", "퍼센트"),
}
"""One, many, Korean."""
SPEEDS: dict[str, tuple[str, str, str]] = {
    "km/h": ("kilometers per hour", "시속", "킬로미터"),
    "kmh": ("kilometers per hour", "시속", "킬로미터"),
    "m/s": ("meters per second", "초속", "미터"),
    "mph": ("miles per hour", "시속", "마일"),
}
"""English after the number; Korean before and after it."""
WORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        (r"\b(Dr|Mr|Mrs|Ms|St|Mt|vs|approx|etc)\.", r"\1"),
        (r"\bNo\. ?(?=\d)", "number "),
        (r"#(?=\d)", "number "),
        (r"\be\.g\.,?", "for example"),
        (r"\bi\.e\.,?", "that is"),
        (r"&(?:amp;)?", " and "),
        (r"(?<=\w)\s*[=→]+\s*(?=\w)", ", "),
    ),
    "ko": (
        (r"#(\d+)", r"\1번"),
        (r"\s*&(?:amp;)?\s*", " 그리고 "),
        (r"(?<=\d)\s*[~〜]\s*(?=\d)", "에서 "),
        (r"(?<=\w)\s*[=→]+\s*(?=\w)", ", "),
    ),
}
LINK = {"en": "a link", "ko": "링크"}

_NUMBER = r"(?<![\w.])(\d+(?:\.\d+)?)"
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S*[\w/]|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,100}>")
_LINKED = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_BULLET = re.compile(r"^\s*(?:[-*+•>]|#{1,6})\s+", re.MULTILINE)
_MARKUP = re.compile(r"^[-=]{3,}$|```\w*|[*`|]+|~~|(?<!\w)_+|_+(?!\w)", re.MULTILINE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SPEED = re.compile(rf"{_NUMBER} ?({'|'.join(map(re.escape, SPEEDS))})(?![A-Za-z])")
_UNIT = re.compile(rf"{_NUMBER} ?({'|'.join(map(re.escape, UNITS))})(?![A-Za-z])")


def normalized(text: str, language: str) -> str:
    """The same, ready to be said. Languages other than Korean are treated as English."""
    language = "ko" if language == "ko" else "en"
    text = unicodedata.normalize("NFC", text)
    text = _LINKED.sub(r"\1", text)
    text = _ADDRESS.sub(LINK[language], text)
    text = _TAG.sub(" ", text)
    text = _MARKUP.sub("", _BULLET.sub("", text))
    text = text.replace("_", " ")
    text = _THOUSANDS.sub("", text)
    text = _SPEED.sub(_speed(language), text)
    text = _UNIT.sub(_unit(language), text)
    for pattern, replacement in WORDS[language]:
        text = re.sub(pattern, replacement, text)
    return _plain(text)


def _speed(language: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        english, before, after = SPEEDS[found[2]]
        return f"{before} {found[1]} {after}" if language == "ko" else f"{found[1]} {english}"

    return say


def _unit(language: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        one, many, korean = UNITS[found[2]]
        if language == "ko":
            return f"{found[1]} {korean}"
        return f"{found[1]} {one if found[1] == '1' else many}"

    return say


def _plain(text: str) -> str:
    """Without pictographs, arrows and what joins them; lines stay lines."""
    kept = "".join(c if unicodedata.category(c) not in {"So", "Sk", "Cf", "Cs", "Co"} else " " for c in text)
    kept = kept.replace("\ufe0f", "").replace("→", " ").replace("←", " ")
    return "\n".join(" ".join(line.split()) for line in kept.splitlines() if line.strip())
