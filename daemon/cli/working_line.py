"""A line on the terminal that says a command still works, while nothing else does."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

from common.passing_stream import PassingStream

QUIET_S = 2.0
"""Seconds without output after which people wonder whether a command hangs."""
EVERY_S = 0.5
_CLEAR = "\r\x1b[K"


class WorkingLine:
    """Shows `teach: working, 4 s` on a terminal after `QUIET_S` without output; it goes when output comes.

    Any thread may call `note` and `output`. Writes to the stream only between `begin` and `end`.
    """

    def __init__(self, stream: TextIO, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._what, self._clock = stream, what, clock
        self._began_s = self._output_s = clock()
        self._note = ""
        self._shown = False
        # Held while the stream is written to: output and line would mix.
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="working-line", daemon=True)

    def note(self, text: str) -> None:
        """How far it is, such as `12 of 40 pictures`."""
        self._note = text

    @contextmanager
    def output(self) -> Iterator[None]:
        """Something else is written within: the line is gone by then."""
        with self._lock:
            self._hide()
            yield
            self._output_s = self._clock()

    def tick(self) -> None:
        """Show or renew the line if it is due."""
        with self._lock:
            now = self._clock()
            if now - self._output_s < QUIET_S:
                return
            self._write(f"{_CLEAR}{self._what}: working, {now - self._began_s:.0f} s")
            if self._note:
                self._write(f" ({self._note})")
            self._shown = True
            self._stream.flush()

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join(2 * EVERY_S)
        with self._lock:
            self._hide()

    def _run(self) -> None:
        while not self._over.wait(EVERY_S):
            self.tick()

    def _hide(self) -> None:
        if self._shown:
            self._shown = False
            self._write(_CLEAR)
            self._stream.flush()

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except (OSError, ValueError):
            self._over.set()  # the terminal has gone; the work continues


class _NotingStream(PassingStream):
    """A stream before whose output the line goes."""

    def __init__(self, stream: TextIO, line: WorkingLine) -> None:
        super().__init__(stream)
        self._line = line

    def write(self, text: str) -> int:
        with self._line.output():
            self._stream.write(text)
            self._stream.flush()
        return len(text)


@contextmanager
def working_line(what: str, terminal: str) -> Iterator[Callable[[str], None]]:
    """Have the line on standard error while the block runs; yields `note`.

    `terminal`: TERM. Nothing is shown where standard error is no terminal, or one that cannot erase a line.
    """
    if not sys.stderr.isatty() or terminal in ("", "dumb"):
        yield lambda _: None
        return
    line = WorkingLine(sys.stderr, what)
    line.begin()
    try:
        with (
            redirect_stdout(_NotingStream(sys.stdout, line)),
            redirect_stderr(_NotingStream(sys.stderr, line)),
        ):
            yield line.note
    finally:
        line.end()
