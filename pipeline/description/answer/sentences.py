"""Cuts a stream of text into sentences, each as soon as it is finished. English and Korean."""

from __future__ import annotations

import re

LONGEST = 300
"""Characters after which a sentence is cut at the last pause, finished or not."""

_END = re.compile(
    r"([.!?…]+[\"'”’»)\]*_]*)(?=\s)|([。！？]+[\"'”’」』)]*)|(?<=[가-힣])([.!?]+)(?=[가-힣])|\n+"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'])(?:mr|mrs|ms|dr|st|prof|no|vs|approx|e\.g|i\.e|etc|ave|rd|blvd|ft|a\.m|p\.m|[a-z])\.$",
    re.IGNORECASE,
)
_NEVER_LAST = re.compile(r"(?:^|[\s(\"'])(?:mr|mrs|ms|dr|prof|vs|e\.g|i\.e)\.$", re.IGNORECASE)
_LIST_MARK = re.compile(r"^\W*\d{1,2}\.$")
_ENDED = re.compile(r"(?<!\d)[.!?…。！？]+[\"'”’»」』)\]*_]*\s*$")
"""Not after a digit: "3." may be the beginning of "3.5"."""


class SentenceSplitter:
    """`feed` pieces of text, get finished sentences; `flush` returns the rest at the end."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, piece: str) -> list[str]:
        """Sentences that this piece finishes. A full stop counts once the next character is known."""
        self._text += piece
        found = []
        while (cut := self._cut()) is not None:
            sentence, self._text = self._text[:cut].strip(), self._text[cut:].lstrip()
            if sentence:
                found.append(sentence)
        return found

    def settle(self) -> list[str]:
        """Sentences that are whole although nothing follows them. Half of one is kept."""
        return self.feed(" ") if is_ended(self._text) else []

    def flush(self) -> str:
        """Return the rest, finished or not."""
        rest, self._text = self._text.strip(), ""
        return rest

    def _cut(self) -> int | None:
        for match in _END.finditer(self._text):
            if match.end() <= LONGEST and self._ends(match):
                return match.end()
        return _pause(self._text) if len(self._text) > LONGEST else None

    def _ends(self, match: re.Match[str]) -> bool:
        before, after = self._text[: match.end()], self._text[match.end() :].lstrip()
        if not before.endswith("."):
            return True
        if _LIST_MARK.search(before) or _NEVER_LAST.search(before):
            return False
        if not _ABBREVIATION.search(before):
            return True
        # "etc." may be the last word, and so may "p.m."; then a capital or the end of the line follows.
        streets = re.search(r"\b(?:st|no|[a-z])\.$", before, re.IGNORECASE)
        return bool(after) and after[0].isupper() and not streets


def is_ended(text: str) -> bool:
    """True if a text ends as a sentence does."""
    return bool(_ENDED.search(text))


def _pause(text: str) -> int:
    """The place to cut a sentence that does not end."""
    head = text[:LONGEST]
    places = [head.rfind(mark) + 1 for mark in (", ", "; ", " ")]
    return next((place for place in places if place > LONGEST // 2), LONGEST)
