"""Text as people write it, turned into text as people say it, in English and Korean.

espeak-ng reads English numbers, times and money well; what it reads badly is left to us: units, ranges,
Korean numbers (see units.py and korean.py), markup, addresses, pictographs and a few abbreviations.
"""

from __future__ import annotations

import re
import unicodedata

from speech.korean import numbers_in_words
from speech.units import in_words

_NAME = r"(?:[A-Z][\w'’]*|\d+(?:st|nd|rd|th))"
WORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        (rf"\b({_NAME}) St\b\.?(?! [A-Z])", r"\1 Street"),
        (rf"\b({_NAME}) Ave\b\.?", r"\1 Avenue"),
        (rf"\b({_NAME}) Rd\b\.?", r"\1 Road"),
        (rf"\b({_NAME}) Blvd\b\.?", r"\1 Boulevard"),
        (r"\b(Dr|Mr|Mrs|Ms|St|Mt|etc)\.", r"\1"),
        (r"\bvs\b\.?", "versus"),
        (r"\bapprox\b\.?", "approximately"),
        (r"\bw/o(?=\s)", "without"),
        (r"\bw/(?=\s?\w)", "with "),
        (r"\bNo\. ?(?=\d)", "number "),
        (r"#(?=\d)", "number "),
        (r"\be\.g\.,?", "for example"),
        (r"\bi\.e\.,?", "that is"),
        (r"(?<![\d/])1/2(?![\d/])", "one half"),
        (r"(?<![\d/])1/4(?![\d/])", "one quarter"),
        (r"(?<![\d/])3/4(?![\d/])", "three quarters"),
        (r"(?<![\d/])1/3(?![\d/])", "one third"),
        (r"(?<![\d/])2/3(?![\d/])", "two thirds"),
        (r"&(?:amp;)?", " and "),
        (r"(?<=\w)\s*[=→]+\s*(?=\w)", ", "),
    ),
    "ko": (
        (r"#(\d+)", r"\1번"),
        (r"\s*&(?:amp;)?\s*", " 그리고 "),
        (r"(?<=\d)\s*~\s*(?=\d)", "에서 "),
        (r"(?<=\w)\s*[=→]+\s*(?=\w)", ", "),
    ),
}
LINK = {"en": "a link", "ko": "링크"}

_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S*[\w/]|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,100}>")
_LINKED = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_BULLET = re.compile(r"^\s*(?:[-*+•>]|#{1,6})\s+", re.MULTILINE)
_MARKUP = re.compile(r"^[-=]{3,}$|```\w*|[*`|]+|~~|(?<!\w)_+|_+(?!\w)", re.MULTILINE)


def normalized(text: str, language: str) -> str:
    """The same, ready to be said. Languages other than Korean are treated as English."""
    language = "ko" if language == "ko" else "en"
    text = unicodedata.normalize("NFC", text)
    text = _LINKED.sub(r"\1", text)
    text = _ADDRESS.sub(LINK[language], text)
    text = _TAG.sub(" ", text)
    text = _MARKUP.sub("", _BULLET.sub("", text))
    text = text.replace("_", " ")
    text = in_words(text, language)
    for pattern, replacement in WORDS[language]:
        text = re.sub(pattern, replacement, text)
    return _plain(numbers_in_words(text) if language == "ko" else text)


def _plain(text: str) -> str:
    """Without pictographs, arrows and what joins them; lines stay lines."""
    kept = "".join(c if unicodedata.category(c) not in {"So", "Sk", "Cf", "Cs", "Co"} else " " for c in text)
    kept = kept.replace("\ufe0f", "").replace("→", " ").replace("←", " ")
    return "\n".join(" ".join(line.split()) for line in kept.splitlines() if line.strip())
