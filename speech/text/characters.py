"""Characters that engines cannot say, put as characters that they can, in English and Korean. Pure.

Circled and Roman numerals become digits, letters in mathematical, circled or squared forms plain letters
(Unicode's compatibility decompositions, as NFKC has them), superscripts powers. Soft hyphens and signs of no
width vanish without a gap.
"""

from __future__ import annotations

import re
import unicodedata

_OF_NO_WIDTH = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
"""Signs that only tell how to break or turn a line."""
_JOINERS_IN_WORDS = re.compile("(?<=\\w)[\u200c\u200d](?=\\w)")
"""Between pictographs a joiner makes one of two, so there it stays."""

_FORMS = (
    "<font>",
    "<circle>",
    "<square>",
    "<narrow>",
    "<wide>",
    "<compat>",
    "<isolated>",
    "<final>",
    "<initial>",
    "<medial>",
)
"""Decompositions that only change how a letter looks; not `<super>`, `<sub>` and `<fraction>`."""
_LETTER_IN_SHAPE = re.compile(
    r"(?:CIRCLED|SQUARED|PARENTHESIZED)(?: WHITE ON BLACK)? LATIN (?:CAPITAL|SMALL) LETTER ([A-Z])$"
)
_SUPERS = {
    "⁰": "0",
    "¹": "1",
    "²": "2",
    "³": "3",
    **{chr(0x2070 + n): str(n) for n in range(4, 10)},
    "⁻": "-",
    "⁺": "",
}
_POWER = re.compile("(?<=\\d)([⁻⁺]?[⁰¹²³⁴-⁹]+)")
_SUB_OR_SUPER = re.compile("[⁰¹²³⁴-⁹₀-₉]+")

ARROWS = {
    "en": {"←": "left arrow", "→": "right arrow", "↑": "up arrow", "↓": "down arrow"},
    "ko": {"←": "왼쪽 화살표", "→": "오른쪽 화살표", "↑": "위쪽 화살표", "↓": "아래쪽 화살표"},
}
_ARROW_AT_END = re.compile("^\\s*([←→↑↓])\\s*(?=\\S)|(?<=\\S)\\s*([←→↑↓])\\s*$", re.MULTILINE)
_KOREAN_NAMES = {
    "?": "물음표",
    "!": "느낌표",
    "…": "줄임표",
    ".": "마침표",
    ",": "쉼표",
    "*": "별표",
    "+": "더하기",
    "-": "빼기",
}
_CONSONANTS = (
    *("기역", "니은", "디귿", "리을", "미음", "비읍", "시옷"),
    *("이응", "지읒", "치읓", "키읔", "티읕", "피읖", "히읗"),
)
_SHAPED_CONSONANTS = {
    chr(first + number): name for first in (0x3200, 0x3260) for number, name in enumerate(_CONSONANTS)
}
"""Korean lists count with consonants in brackets or circles, which are read by their names."""
MAX_NAMES = 5
"""Signs that are named of one text."""


def plain_characters(text: str, language: str) -> str:
    """Put letters and numbers in special forms plainly. `language` is en or ko."""
    text = _JOINERS_IN_WORDS.sub("", _OF_NO_WIDTH.sub("", text))
    text = _POWER.sub(lambda found: _power(found[1], language), text)
    # The slice before the first character is empty.
    return "".join(_plain(text[at], text[at - 1 : at]) for at in range(len(text)))


def plain_scripts(text: str) -> str:
    """Superscripts and subscripts that no unit has claimed, as digits: `H₂O`, a footnote."""
    return _SUB_OR_SUPER.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)


def name_arrows(text: str, language: str) -> str:
    """Name the arrows at the ends of a line, as signs have them; between words an arrow is a pause."""
    names = ARROWS[language]
    return _ARROW_AT_END.sub(lambda at: f"{names[at[1]]}, " if at[1] else f", {names[at[2]]}", text)


def name_signs(text: str, language: str) -> str:
    """Name the signs of a text without words, each once; empty if it is empty."""
    signs = list(dict.fromkeys(c for c in text if not c.isspace()))[:MAX_NAMES]
    names = (_sign(c, language) for c in signs)
    return ", ".join(dict.fromkeys(name for name in names if name))


def _power(raised: str, language: str) -> str:
    exponent = "".join(_SUPERS[c] for c in raised)
    if language == "ko":
        return f"의 {exponent.replace('-', '마이너스 ')}제곱"
    return f" to the {exponent.replace('-', 'minus ')}"


def _plain(c: str, before: str) -> str:
    """The character as letters or digits; a number does not run into a number before it."""
    if c.isascii() or "가" <= c <= "힣" or "ㄱ" <= c <= "ㆎ":
        return c
    if (value := unicodedata.numeric(c, None)) is not None and unicodedata.category(c) in ("No", "Nl"):
        shape = unicodedata.decomposition(c).split(" ")[0]
        # Fractions, powers and indices have rules of their own.
        if value != int(value) or shape in ("<super>", "<sub>", "<fraction>"):
            return c
        return f"{' ' if before.isalnum() else ''}{int(value)}"
    if c in _SHAPED_CONSONANTS:
        return _SHAPED_CONSONANTS[c]
    if unicodedata.decomposition(c).startswith(_FORMS):
        plain = unicodedata.normalize("NFKC", c)
        return plain if any(map(str.isalnum, plain)) and plain != c else c
    letter = _LETTER_IN_SHAPE.search(unicodedata.name(c, ""))
    return letter[1] if letter else c


def _sign(c: str, language: str) -> str:
    if c in ARROWS[language]:
        return ARROWS[language][c]
    name = unicodedata.name(c, "sign")
    if name.startswith("BOX DRAWINGS"):  # only a ruler
        return ""
    return _KOREAN_NAMES.get(c, "기호") if language == "ko" else name.casefold()
