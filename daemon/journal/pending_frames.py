"""Holds the frame and scores of an event until its line arrives."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from capture.frame import Frame
from daemon.journal.rows import Evidence

MAX_FRAMES = 8
"""Views whose pictures are held; a few megabytes each."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameEvidence:
    """The evidence that an event's line does not carry."""

    frame: Frame | None = None
    evidence: Evidence | None = None


class PendingFrames:
    """`put` in the core's thread, `pop` in the journal's; neither waits."""

    def __init__(self) -> None:
        self._evidence: OrderedDict[str, FrameEvidence] = OrderedDict()
        # Held only to move a reference: the core's step must not wait.
        self._lock = threading.Lock()
        self.missed = 0
        """Alerts whose frame was dropped before their event line arrived."""

    def put(self, id: str, evidence: FrameEvidence) -> None:
        """Hold the evidence of an event; the oldest is dropped if there are too many."""
        with self._lock:
            self._evidence[id] = evidence
            if len(self._evidence) > MAX_FRAMES:
                _, dropped = self._evidence.popitem(last=False)
                # A view without evidence is no loss: it may never be described.
                self.missed += dropped.evidence is not None

    def clear(self) -> None:
        """Give up all of them."""
        with self._lock:
            self._evidence.clear()

    def pop(self, id: str | None) -> FrameEvidence:
        """Remove and return the evidence of an event; an empty one if there is none."""
        if id is None:
            return FrameEvidence()
        with self._lock:
            return self._evidence.pop(id, FrameEvidence())
