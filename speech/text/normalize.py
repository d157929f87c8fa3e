"""Text as people write it, turned into text as people say it, in English and Korean.

espeak-ng reads plain English numbers well. This package converts the forms it reads badly: markup
(markup.py), units, money and ranges (units.py), telephone numbers (phone_numbers.py), dates and times
(dates.py), fractions (english.py), Korean numbers (korean.py), emoji (emoji.py), special forms of letters and
numbers (characters.py) and, here, a few abbreviations.
"""

from __future__ import annotations

import re
import unicodedata

from speech.text.characters import name_arrows, name_signs, plain_characters, plain_scripts
from speech.text.dates import dates_and_times_to_words
from speech.text.emoji import name_emoji, strip_emoji
from speech.text.english import fractions_to_words
from speech.text.korean import numbers_to_words
from speech.text.markup import strip_markup
from speech.text.phone_numbers import phone_numbers_to_words
from speech.text.units import units_to_words

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
        (r"&", " and "),
        (r"(?<=\w) ?× ?(?=\d)", " times "),
        (r"(?<!\S)~ ?(?=\d)", "about "),
        (r"(?<=\w)\s*[=→]+\s*(?=\w)", ", "),
    ),
    "ko": (
        (r"#(\d+)", r"\1번"),
        (r"\s*&\s*", " 그리고 "),
        (r"(?<=\w) ?× ?(?=\d)", " 곱하기 "),
        (r"(?<!\S)~ ?(?=\d)", "약 "),
        (r"(?<=\d)\s*~\s*(?=\d)", "에서 "),
        (r"(?<=\S)\s*~\s*(?=오[전후]|영하|[월화수목금토일](?:요일)?(?![가-힣]))", "에서 "),
        (r"(?<=\w)\s*[=→]+\s*(?=\w)", ", "),
    ),
}
LINK = {"en": "a link", "ko": "링크"}

_ONE_FORM = str.maketrans(
    {chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}
    | {"№": "No. ", "㎞": "km", "㎝": "cm", "㎜": "mm", "㎡": "m²", "㎢": "km²", "㎥": "m³"}
    | {"㎏": "kg", "ℓ": "L", "㎖": "ml", "㎐": "Hz", "℃": "°C", "℉": "°F"}
    | {"−": "-", "‐": "-", "‑": "-", "〜": "~", "∼": "~"}
)
"""One character for what is written in several, and the wide forms of Korean typing."""
_PART = re.compile(r"[¼-¾⅐-⅞]")


def normalize(text: str, language: str) -> str:
    """Convert text to its spoken form. Languages other than Korean are treated as English."""
    language = "ko" if language == "ko" else "en"
    written = text
    text = _PART.sub(_fraction, unicodedata.normalize("NFC", text).translate(_ONE_FORM))
    # In this order: markup goes before its signs are read as words, units take their powers before the
    # remaining ones become digits, and dates go before the slashes in them are read as fractions.
    text = plain_characters(text, language)
    text = strip_markup(text, LINK[language])
    with_emoji = text
    text = name_arrows(text, language)
    text = units_to_words(phone_numbers_to_words(text, language), language)
    text = plain_scripts(text)
    text = dates_and_times_to_words(text, language)
    for pattern, replacement in WORDS[language]:
        text = re.sub(pattern, replacement, text)
    text = numbers_to_words(text) if language == "ko" else fractions_to_words(text)
    text = _spaced_once(strip_emoji(text))
    if any(map(str.isalnum, text)):
        return text
    return name_emoji(with_emoji, language) or name_signs(written, language)


def _fraction(found: re.Match[str]) -> str:
    """`½` as `1/2`."""
    return " " + unicodedata.normalize("NFKC", found[0]).replace("⁄", "/")


def _spaced_once(text: str) -> str:
    """Lines stay lines."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
