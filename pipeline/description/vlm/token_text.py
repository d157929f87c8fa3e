"""Text as it comes out of models and libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable

HALF = "�"
"""The replacement that a decoder writes for a character of which bytes are missing."""


class TokenText:
    """Decodes tokens to text piece by piece; half a character waits for its other half."""

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._text = ""

    @property
    def tokens(self) -> int:
        return len(self._ids)

    def add(self, ids: Iterable[int]) -> str:
        """Return the new text. Everything is decoded each time, since spaces depend on earlier tokens."""
        self._ids += ids
        whole = self._decode(self._ids)
        if whole.endswith(HALF) or not whole.startswith(self._text):
            return ""
        news, self._text = whole[len(self._text) :], whole
        return news


def first_line(error: BaseException) -> str:
    """The first line of a library's message that says something."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)[:200]
