"""Emoji and other pictographs: left out of speech, or named if the text has no words. Pure.

The names are Unicode's (CLDR), from the library `emoji`.
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAMES = 5
"""Emoji named of one text."""

_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_UNSPOKEN = frozenset({"So", "Sk", "Cf", "Cs", "Co", "Me"})
"""Unicode categories of pictographs, of what joins and modifies them, and of private signs."""
_ARROWS_AND_SELECTOR = str.maketrans({"→": " ", "←": " ", "\ufe0f": None})
"""These two arrows are mathematical signs to Unicode; U+FE0F only asks for a coloured picture."""


def strip_emoji(text: str) -> str:
    """Remove pictographs, arrows and the characters that join them; line breaks stay."""
    kept = (" " if unicodedata.category(c) in _UNSPOKEN else c for c in text)
    return "".join(kept).translate(_ARROWS_AND_SELECTOR)


def name_emoji(text: str, language: str) -> str:
    """Name the first few emoji, each once; empty if there are none. `language` is en or ko."""
    # Imported late: its tables take 10 MB, and few texts consist of nothing but emoji.
    import emoji

    found = emoji.distinct_emoji_list(_SKIN_TONE.sub("", text))
    # The library returns them in no order.
    first = sorted(found, key=text.find)[:MAX_NAMES]
    names = (emoji.demojize(sign, language=language).strip(":").replace("_", " ") for sign in first)
    return ", ".join(dict.fromkeys(names))
