"""Makes a model's sentence fit to be heard: no markup, no emoji, no babble. Pure functions."""

from __future__ import annotations

import re
import unicodedata

LONGEST_WORDS = 30
"""Words a sentence may have; the rest is cut off."""

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.MULTILINE), into)
    for pattern, into in (
        # The role that a chat template writes, and places in the picture, with the tokens around them.
        (
            r"(?:<\|(?:im_start|start_header_id|start)\|>|<start_of_turn>)\s*(?:assistant|model|system|user)\b",
            " ",
        ),
        (r"<box>[^<]*</box>|<\|box_start\|>[^<]*<\|box_end\|>", " "),
        (r"(?:\"\w+\"\s*:\s*)?\[?\[\s*\d[\d.]*(?:\s*,\s*\d[\d.]*){3}\s*\]\]?", " "),
        # JSON: the mark of its block, fields without words, and the names of the others.
        (r"^\s*(?:json|markdown|yaml|xml)\s*$", ""),
        (r"\"\w+\"\s*:\s*(?:true|false|null|-?\d[\d.]*|\"\w*\")", " "),
        (r"(?:(?<=[{,\[])|^)\s*\"\w+\"\s*:\s*(?=[\"\[{])", " "),
        (r"<\|[^|>]*\|>|</?[a-z][^<>]{0,80}>|\[/?(?:inst|img|image)\]", " "),  # special tokens, tags
        (r"!?\[([^\[\]]*)\]\([^()\s]*\)", r"\1"),  # links and pictures
        (r"(?:https?://|www\.)\S+", " "),
        (r"(?<=\w)_(?=\w)|[#|<>{}\\^]+", " "),
        (r"[*_~`]+", ""),
        (r"^\s*(?:[-+•·–—]+|\(?\d{1,2}[.)])\s+", ""),  # list marks
        (r"^\s*(?:sure|certainly|of course|okay|ok|alright)\b\s*[!,.]+\s*", ""),
        (r"^\s*here(?:'s| is) (?:a|an|the|your|my)\b[^:.]{0,50}:\s*", ""),
        (
            r"^\s*[\"']?(?:assistant|answer|caption|description|response|scene|system|text|user|답변?|설명|대답)"
            r"[\"']?\s*:\s*[\"']?",
            "",
        ),
        (r"([!?.,;:~…])(?:\s*\1)+", r"\1"),
        (r"\b(\w+)(?:[\s,]+\1\b){2,}", r"\1"),  # the same word three times or more
        (r"\b((?:\w+[\s,]+){1,8}?\w+)(?:[\s,;]+\1\b){2,}", r"\1"),  # and the same few words
        (r"\s+([,.;:!?])", r"\1"),
        (r"\(\s*\)|\[\s*\]|\"\s*\"", " "),
        (r"\s+", " "),
    )
)
# Unicode counts some of these among pictographs, but they are said.
_KEPT_SYMBOLS = frozenset("°℃℉%€$₩£")


def clean(text: str) -> str:
    """The sentence without anything a voice would stumble over; empty if nothing is left to say.

    Only ever removes: cleaning twice changes nothing, and no word appears that was not there.
    """
    previous, text = "", _plain(text)
    # Until nothing changes: removing one mark can bring another one to the front.
    while text != previous:
        previous, text = text, _bounded(_once(text))
    return text if any(character.isalnum() for character in text) else ""


def _once(text: str) -> str:
    for pattern, into in _RULES:
        text = pattern.sub(into, text)
    text = text.strip(" ,;:-–—")
    quoted = len(text) > 1 and text[0] in "\"'“‘" and text[-1] in "\"'”’"
    return text[1:-1] if quoted else text


def _plain(text: str) -> str:
    """Letters, digits, punctuation and spaces; emoji, control and invisible characters are gone."""
    return unicodedata.normalize("NFC", "".join(map(_character, unicodedata.normalize("NFC", text))))


def _character(character: str) -> str:
    kind = unicodedata.category(character)
    if kind[0] == "Z" or kind == "Cc":
        return " "
    if kind in ("Cf", "Co", "Cs", "Cn", "So", "Sk") or "\ufe00" <= character <= "\ufe0f":
        return character if character in _KEPT_SYMBOLS else ""
    return character


def _bounded(text: str) -> str:
    words = text.split()
    return text if len(words) <= LONGEST_WORDS else " ".join(words[:LONGEST_WORDS]).rstrip(",;:.!?…-") + "."


def shorten(text: str, words: int) -> str:
    """A longer sentence ends at its last pause within so many words; without a pause it stays whole."""
    if len(text.split()) <= words:
        return text
    for pause in reversed(list(re.finditer(r"[,;:]\s", text))):
        head = text[: pause.start()]
        if 3 <= len(head.split()) <= words:
            return head + "."
    return text


def is_repetitive(text: str, times: int = 4) -> bool:
    """True if the text ends in a repetition of the same few characters: nothing useful will follow."""
    # The end alone, because this is asked at every token.
    tail = text[-240:]
    for period in range(2, len(tail) // times + 1):
        unit = tail[-period:]
        # Up to three characters must recur more often: "ha ha ha ha" and "0000" are no babble.
        if unit.strip() and tail.endswith(unit * times) and (period > 3 or tail.endswith(unit * 8)):
            return True
    return False
