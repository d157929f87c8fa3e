"""Distributes events to subscribers. A slow subscriber loses events and gets their number; nothing waits."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from daemon.core.events import VERSION

WAITING_LIMIT = 1000
"""Lines that wait for one reader at most; the oldest are dropped."""


class Subscription:
    """One reader's queue."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._closed = False
        # Held only as long as it takes to move a line.
        self._changed = threading.Condition(threading.Lock())

    def put(self, line: str) -> int:
        """Add a line without waiting for the reader. Return the number of lines dropped for it."""
        with self._changed:
            self._lines.append(line)
            over = len(self._lines) > self._limit
            if over:
                self._lines.popleft()
                self._dropped += 1
            self._changed.notify()
        return int(over)

    def take(self, timeout_s: float) -> tuple[str, ...]:
        """All waiting lines, preceded by a line that counts dropped ones; empty after the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed, timeout_s)
            lines = tuple(self._lines)
            self._lines.clear()
            dropped, self._dropped = self._dropped, 0
        return (_dropped_line(dropped), *lines) if dropped else lines

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    @property
    def closed(self) -> bool:
        return self._closed


class EventFeed:
    """Hands every event to every reader."""

    def __init__(self, limit: int = WAITING_LIMIT) -> None:
        self._limit = limit
        self._readers: tuple[Subscription, ...] = ()
        self._lock = threading.Lock()
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Lines that some reader was too slow for."""
        return self._dropped

    def publish(self, line: str) -> None:
        """Event JSON without its line end. Never waits for a reader."""
        # No lock: `_readers` is a tuple that is replaced as a whole, never changed.
        for reader in self._readers:
            self._dropped += reader.put(line)

    @contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        """Everything published from here on."""
        reader = Subscription(self._limit)
        with self._lock:
            self._readers = (*self._readers, reader)
        try:
            yield reader
        finally:
            with self._lock:
                self._readers = tuple(other for other in self._readers if other is not reader)


def _dropped_line(dropped: int) -> str:
    return json.dumps({"v": VERSION, "kind": "dropped", "count": dropped}, separators=(",", ":"))
