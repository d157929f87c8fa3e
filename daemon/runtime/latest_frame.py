"""The latest assessed frame, and the scores of the last minutes, for readers in other threads.

The detection thread updates it after each frame and shares no lock with readers, so it never waits for one.
"""

from __future__ import annotations

import _thread
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame
from pipeline.alerting.alert_policy import ActiveAlert

HISTORY_S = 120.0
ROW_S = 0.2
"""Seconds between two rows of probabilities at least."""
MAX_CELLS = 9000
"""Probabilities kept; with more hazards the rows lie further apart."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameSnapshot:
    """A frame and the alert policy's state after its assessment."""

    frame: Frame
    smoothed: NDArray[np.float64]
    """Smoothed probability of each hazard, shape (H,)."""
    names: tuple[str, ...]
    """The hazards, in the order of the probabilities."""
    active: Mapping[str, ActiveAlert]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The largest smoothed probability of each hazard, shape (H,), since the row before."""

    at_s: float
    names: tuple[str, ...]
    probabilities: NDArray[np.float64]


class LatestFrame:
    """`update` from the detection thread only; everything else from any thread."""

    def __init__(self) -> None:
        self._newest: FrameSnapshot | None = None
        self._waiters: deque[_thread.LockType] = deque()
        self._rows: deque[Row] = deque()
        self._peak: NDArray[np.float64] | None = None

    @property
    def newest(self) -> FrameSnapshot | None:
        """The latest snapshot; None before the first frame has been assessed."""
        return self._newest

    def update(self, snapshot: FrameSnapshot) -> None:
        """Never waits; takes microseconds."""
        self._newest = snapshot
        while self._waiters:
            self._waiters.popleft().release()
        self._add_row(snapshot.frame.captured_at_s, snapshot.names, snapshot.smoothed)

    def wait_newer(self, seq: int, wait_s: float) -> FrameSnapshot | None:
        """Wait for a frame with another number than `seq`; None after `wait_s`."""
        waiter = threading.Lock()
        # A lock held twice is the cheapest one-shot signal: releasing it costs the detection thread no
        # waiting.
        waiter.acquire()
        self._waiters.append(waiter)
        # Checked only after the waiter is registered: a frame that comes from here on releases it.
        if (found := self._newest_unless(seq)) is None and waiter.acquire(timeout=wait_s):
            return self._newest_unless(seq)
        with suppress(ValueError):  # `update` has released it since the timeout
            self._waiters.remove(waiter)
        return found

    def rows(self, since_s: float | None) -> tuple[Row, ...]:
        """Oldest first; of pictures captured after `since_s`."""
        while True:
            with suppress(RuntimeError):  # the deque changed while it was copied: copy again
                rows = tuple(self._rows)
                return rows if since_s is None else tuple(row for row in rows if row.at_s > since_s)

    def _newest_unless(self, seq: int) -> FrameSnapshot | None:
        newest = self._newest
        return newest if newest is not None and newest.frame.seq != seq else None

    def _add_row(self, at_s: float, names: tuple[str, ...], smoothed: NDArray[np.float64]) -> None:
        rows = self._rows
        if rows and (at_s < rows[-1].at_s or names != rows[-1].names):
            rows.clear()  # the source started again, or the hazards changed
            self._peak = None
        self._peak = smoothed if self._peak is None else np.maximum(self._peak, smoothed)
        apart_s = max(ROW_S, HISTORY_S * len(smoothed) / MAX_CELLS)
        if rows and at_s - rows[-1].at_s < apart_s - 1e-6:
            return
        rows.append(Row(at_s, names, self._peak))
        self._peak = None
        while at_s - rows[0].at_s > HISTORY_S:
            rows.popleft()
