"""Writes events to files, the control socket and the journal in a thread of its own."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Sequence

from daemon.core.events import Event

log = logging.getLogger(__name__)

QUEUE_LIMIT = 2000
"""Events that may wait to be written; beyond that the newest are dropped and counted."""

Outlet = Callable[[str], None]
"""Takes one JSON line; may raise OSError."""


class EventWriter:
    """`write` never waits; `run` is the thread that passes each line to every outlet."""

    def __init__(self, outlets: Sequence[Outlet], wall: Callable[[], float] = time.time) -> None:
        self._outlets = tuple(outlets)
        self._wall = wall
        self._queue: queue.Queue[str | None] = queue.Queue(QUEUE_LIMIT)
        self.dropped = 0
        self._failing: set[int] = set()

    def write(self, event: Event) -> None:
        """Queue one event with its wall-clock time. Drops and counts it if the queue is full."""
        try:
            # Serialised here, in the caller's thread: the wall-clock time must be that of the event.
            self._queue.put_nowait(event.timed(wall_s=self._wall()).to_json())
        except queue.Full:
            self.dropped += 1

    def run(self) -> None:
        """Write lines until `close`."""
        while (line := self._queue.get()) is not None:
            for number, outlet in enumerate(self._outlets):
                self._write_to(number, outlet, line)

    def close(self) -> None:
        """Let `run` end once everything queued so far is written."""
        try:
            self._queue.put(None, timeout=1.0)
        except queue.Full:
            log.warning("%d events could not be written in time", self._queue.qsize())

    def _write_to(self, number: int, outlet: Outlet, line: str) -> None:
        try:
            outlet(line)
            # Logged again only after a success: a full disk would otherwise log every event.
            self._failing.discard(number)
        except OSError as error:
            if number not in self._failing:
                log.warning("events cannot be written: %s", error)
            self._failing.add(number)
