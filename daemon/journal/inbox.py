"""The bounded queue of the journal's thread: event lines to write, and jobs between two batches."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from daemon.journal.store import JournalStore


@dataclass(slots=True, eq=False)
class JournalJob:
    """A task for the thread, such as a purge. The sender waits for `done`."""

    do: Callable[[JournalStore], Mapping[str, int]]
    done: threading.Event = field(default_factory=threading.Event)
    """Set once `result` or `error` is there."""
    result: Mapping[str, int] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class InboxBatch:
    """Work for the thread: lines to write, then a job."""

    lines: tuple[str, ...]
    job: JournalJob | None
    ending: bool
    """True if the inbox is closed and empty: the last batch."""


class JournalInbox:
    """Takes `put` and `put_job` from any thread, without waiting. Only the journal's thread calls `get`."""

    def __init__(self, max_lines: int, max_jobs: int = 4) -> None:
        self._max_lines = max_lines
        self._max_jobs = max_jobs
        self._lines: deque[str] = deque()
        self._jobs: deque[JournalJob] = deque()
        self._closed = False
        # Held only while lines are moved: the senders, which include the core's threads, must not wait.
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """The number of waiting lines."""
        return len(self._lines)

    def put(self, line: str) -> bool:
        """Queue a line. False if the queue is full."""
        with self._changed:
            room = len(self._lines) < self._max_lines
            if room:
                self._lines.append(line)
                self._changed.notify()
            return room

    def put_job(self, job: JournalJob) -> bool:
        """Queue a job. False if the queue is full or closed."""
        with self._changed:
            room = len(self._jobs) < self._max_jobs and not self._closed
            if room:
                self._jobs.append(job)
                self._changed.notify()
            return room

    def close(self) -> None:
        """End the queue after the waiting work."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def drain(self) -> tuple[str, ...]:
        """Remove and return all waiting lines."""
        with self._changed:
            lines = tuple(self._lines)
            self._lines.clear()
            return lines

    def get(self, most: int, timeout_s: float) -> InboxBatch:
        """Up to `most` lines, and a job; after the timeout only the lines so far."""

        def is_ready() -> bool:
            # With `most` 0 waiting lines do not count: the writer has no room for them.
            return bool(self._jobs or self._closed or (most and self._lines))

        with self._changed:
            self._changed.wait_for(is_ready, max(0.0, timeout_s))
            lines = tuple(self._lines.popleft() for _ in range(min(most, len(self._lines))))
            job = self._jobs.popleft() if self._jobs else None
            return InboxBatch(lines, job, self._closed and not self._jobs and not (most and self._lines))
