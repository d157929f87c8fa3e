"""Measures how long a call waited, without the time in which it worked or was ready to work."""

from __future__ import annotations

import time
from pathlib import Path

_SCHEDSTAT = Path("/proc/thread-self/schedstat")


class WaitMeter:
    """Seconds of the calling thread that were neither computing nor waiting for a processor.

    On a busy machine a call that takes long may have had to wait for a processor only; the kernel counts
    that apart (`/proc/thread-self/schedstat`: nanoseconds on a processor, and runnable without one).
    """

    def __init__(self) -> None:
        self._begun: tuple[float, float] = (0.0, 0.0)

    def begin(self) -> None:
        self._begun = time.monotonic(), _busy_s()

    def waited_s(self) -> float:
        """Since `begin`, in the same thread."""
        wall_s, busy_s = self._begun
        return max(0.0, time.monotonic() - wall_s - (_busy_s() - busy_s))


def _busy_s() -> float:
    try:
        running, runnable, _ = _SCHEDSTAT.read_text().split()
    except (OSError, ValueError):
        return time.thread_time()  # a kernel without these figures
    return (int(running) + int(runnable)) / 1e9
