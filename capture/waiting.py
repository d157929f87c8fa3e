"""Measures how long a call was blocked, without the time in which it ran or waited for a processor."""

from __future__ import annotations

import time
from pathlib import Path

_SCHEDSTAT = Path("/proc/thread-self/schedstat")


class WaitMeter:
    """Measures the seconds in which the calling thread neither ran nor waited for a processor.

    On a busy machine, a call can take long only because its thread waits for a processor. The kernel counts
    that time separately (`/proc/thread-self/schedstat`: nanoseconds on a processor, and runnable without
    one).
    """

    def __init__(self) -> None:
        self._begun: tuple[float, float] = (0.0, 0.0)

    def begin(self) -> None:
        self._begun = time.monotonic(), _busy_s()

    def waited_s(self) -> float:
        """Seconds blocked since `begin`. Call it in the same thread."""
        wall_s, busy_s = self._begun
        return max(0.0, time.monotonic() - wall_s - (_busy_s() - busy_s))


def _busy_s() -> float:
    try:
        running, runnable, _ = _SCHEDSTAT.read_text().split()
    except (OSError, ValueError):
        return time.thread_time()  # a kernel without schedstat
    return (int(running) + int(runnable)) / 1e9
