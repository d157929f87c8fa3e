"""Events, one JSON object a line: the format of `--events`, the journal and the control socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

VERSION = 1

Kind = Literal[
    "alert",
    "direction",
    "clear",
    "scene",
    "describe",
    "speak",
    "unspoken",
    "health",
    "false_alarm",
    "summary",
]
"""`unspoken` names what was not said, or not even described, and the reason; `cause` is the event that led
to it.
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. All but `timing` is the same for the same input, byte for byte."""

    kind: Kind
    id: str
    t: float
    """Stream seconds (replay) or monotonic seconds (live)."""
    cause: str | None = None
    """Id of the event that led to it."""
    frame: int | None = None
    """Number of the frame it rests on."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    """Measured durations in seconds and wall-clock times; differs from run to run."""

    def timed(self, **seconds: float) -> Event:
        """The same event with measured times added."""
        return replace(self, timing={**self.timing, **seconds})

    def untimed(self) -> Event:
        """The same event without measured times."""
        return replace(self, timing={}) if self.timing else self

    def to_json(self) -> str:
        """One line without its end. Times are rounded to the microsecond."""
        head = {"v": VERSION, "id": self.id, "cause": self.cause, "t": round(self.t, 6), "frame": self.frame}
        body = {**head, "kind": self.kind, **self.fields}
        if self.timing:
            body["timing"] = {name: round(value, 6) for name, value in self.timing.items()}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
