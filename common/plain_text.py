"""Text from outside made harmless for terminals and logs: no control character is left as it is.

ESC, BEL and the C1 characters move the cursor, change titles and colours, or type answers; a line feed in a
message forges a line of a log.
"""

from __future__ import annotations

import re

from common.passing_stream import PassingStream

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 but tabulator and line feed, DEL, C1, separators of lines, marks that reverse the direction, and halves
of surrogates: bytes of a file name that are no UTF-8, which no stream could write."""


def escaped(text: str) -> str:
    r"""Each of them as \uXXXX, which within JSON means the same character."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """The same, with line feeds as \n: one line stays one line."""
    return escaped(text).replace("\n", "\\n")


def spoken(text: str) -> str:
    """Control characters, line feeds too, as spaces: for spoken text and its records."""
    return _CONTROLS.sub(" ", text).replace("\n", " ").replace("\t", " ")


class PlainStream(PassingStream):
    """Wraps a text stream and removes control characters; everything else is the stream's own."""

    def write(self, text: str) -> int:
        self._stream.write(escaped(text))
        return len(text)
