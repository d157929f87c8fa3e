"""Prints the speech while it is spoken, for a person at a terminal."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from types import TracebackType
from typing import Self, TextIO

_WAITING = 100
"""Lines that may wait to be printed; a terminal that is held (Ctrl-S) must not hold up the events."""
_END_S = 1.0


class Narrator:
    """An outlet of event lines. Never waits: lines that the terminal does not take are dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._print, name="narrator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
            self._thread.join(_END_S)

    def take(self, line: str) -> None:
        """Print the event's text if it is one that speaks."""
        event = json.loads(line)
        if event["kind"] == "speak" and event["text"]:
            self.tell(f"says: {event['text']}")

    def tell(self, text: str) -> None:
        """Print a line."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(text)

    def _print(self) -> None:
        # A terminal that has gone ends this thread, nothing else.
        with contextlib.suppress(OSError, ValueError):
            while (line := self._lines.get()) is not None:
                self._stream.write(f"{line}\n")
                self._stream.flush()
