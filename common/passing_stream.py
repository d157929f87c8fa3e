"""A base for streams that change what is written and pass everything else on."""

from __future__ import annotations

from io import TextIOBase
from typing import TextIO


class PassingStream(TextIOBase):
    """Wraps a text stream; a subclass overrides `write`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def writable(self) -> bool:
        return True
