"""Replaces control characters in text from outside, which could harm terminals and logs.

ESC, BEL and the C1 characters move the cursor, change titles and colours, or make the terminal type an
answer. A line feed in a message forges a line of the log.
"""

from __future__ import annotations

import re

from common.passing_stream import PassingStream

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 without tabulator and line feed, DEL, C1, line separators, marks that reverse the direction of text, and
lone surrogates. These stand for bytes of a file name that are not UTF-8, and no stream can write them."""


def escaped(text: str) -> str:
    r"""Replace each control character by \uXXXX, which means the same character within JSON."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """Replace line feeds by \\n as well, so that the text stays one line."""
    return escaped(text).replace("\n", "\\n")


def spoken(text: str) -> str:
    """Replace control characters and line feeds by spaces, for text that is spoken and recorded."""
    return _CONTROLS.sub(" ", text).replace("\n", " ").replace("\t", " ")


class PlainStream(PassingStream):
    """Wraps standard output and escapes control characters; everything else is passed through."""

    def write(self, text: str) -> int:
        try:
            self._stream.write(escaped(text))
        except OSError as error:
            raise _named(error) from None
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise _named(error) from None


def _named(error: OSError) -> OSError:
    """The error with "standard output" as its file; Python gives errors of streams no name."""
    return OSError(error.errno, error.strerror, "standard output")
