"""Shows on a terminal how far a long task has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TextIO

BAR_CELLS = 28
"""Width of the bar in characters."""
QUIET_S = 10.0
"""Seconds between two lines if the output is no terminal."""


def readable_size(size: float) -> str:
    """Format bytes in decimal units, such as `3.5 MB`."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit in ("B", "kB") else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


class Progress(Protocol):
    """Called by one thread; must neither block nor fail."""

    def begin(self, what: str, total: int) -> None:
        """Start a task of `total` bytes; 0 if unknown."""
        ...

    def advance(self, done: int) -> None:
        """Show that `done` bytes of the task are done."""
        ...

    def end(self) -> None:
        """End the task, after success or failure."""
        ...

    def report(self, text: str) -> None:
        """Print a line that stays."""
        ...


class SilentProgress:
    """Says nothing."""

    def begin(self, what: str, total: int) -> None: ...

    def advance(self, done: int) -> None: ...

    def end(self) -> None: ...

    def report(self, text: str) -> None: ...


class TextProgress:
    """A bar on a terminal; elsewhere one line every QUIET_S seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._what = ""
        self._total = 0
        self._said_at_s = 0.0

    def begin(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._said_at_s = self._clock()
        if self._live:
            self.advance(0)
        else:
            self.report(f"{what} ({readable_size(total)})" if total else what)

    def advance(self, done: int) -> None:
        now = self._clock()
        if self._live:
            self._write(f"\r\x1b[K{self._bar(done)}")
        elif now - self._said_at_s >= QUIET_S:
            self._said_at_s = now
            self.report(f"{self._what}: {self._amount(done)}")

    def end(self) -> None:
        if self._live:
            self._write("\r\x1b[K")

    def report(self, text: str) -> None:
        self._write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")

    def _amount(self, done: int) -> str:
        return (
            f"{readable_size(done)} of {readable_size(self._total)}" if self._total else readable_size(done)
        )

    def _bar(self, done: int) -> str:
        if not self._total:
            return f"{self._what}  {self._amount(done)}" if done else self._what
        share = min(done / self._total, 1.0)
        filled = round(share * BAR_CELLS)
        return f"{self._what}  {'█' * filled}{'░' * (BAR_CELLS - filled)} {share:4.0%}  {self._amount(done)}"

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._live = False  # the reader of the output has gone; the work must continue
