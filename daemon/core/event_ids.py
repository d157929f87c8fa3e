"""Makes events: their ids, counts, and the frame they rest on. Shared by the parts of the core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from daemon.core.events import Event, Kind
from daemon.core.messages import Record


class EventFactory:
    """Numbers and counts events. Serialisable by `state` and `restore`."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.seq = -1
        self.captured_at_s = 0.0

    def set_frame(self, seq: int, captured_at_s: float) -> None:
        """Set the frame that the following events rest on."""
        self.seq, self.captured_at_s = seq, captured_at_s

    def next_id(self, letter: str, count: str) -> str:
        """Return a new id, counted under `count`."""
        self.counts[count] += 1
        return f"{letter}{self.counts[count]}"

    def record(self, kind: Kind, id: str, now: float, cause: str | None = None, **fields: Any) -> Record:
        """Return the effect that records an event, resting on the present frame."""
        return Record(Event(kind, id, now, cause, self.seq if self.seq >= 0 else None, fields))

    def unspoken(self, now: float, cause: str | None, reason: str, **fields: Any) -> Record:
        """Record a text that was withheld before it became an utterance (a dropped one has an id already)."""
        return self.record("unspoken", self.next_id("w", "withheld"), now, cause, reason=reason, **fields)

    def state(self) -> dict[str, Any]:
        return {"counts": dict(self.counts), "seq": self.seq, "captured_at_s": self.captured_at_s}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.counts = Counter(state["counts"])
        self.seq, self.captured_at_s = state["seq"], state["captured_at_s"]
