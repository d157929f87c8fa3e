"""An event of the journal in a few English words, for lists of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def event_words(event: Mapping[str, Any]) -> str:
    """What happened, besides the event's kind: `fire (critical, 0.88)`.

    An event may lack any field, since another version may have written it.
    """
    field = event.get
    match event["kind"]:
        case "alert":
            again = ", again" if field("again") else ", nearer" if field("escalated") else ""
            return f"{field('hazard')} ({field('severity')}, {field('probability') or 0:.2f}{again})"
        case "speak":
            return str(field("text") or f"[{field('earcon')}]")
        case "unspoken":
            return f"{field('reason')}: {field('text') or field('cause')}"
        case "health":
            return f"{field('component')}: {field('reason')} {field('detail') or ''}".rstrip()
        case "direction":
            return f"{field('hazard')}: {field('direction')}"
        case "scene":
            return str(field("trigger"))
        case "describe":
            return str(field("text"))
        case _:
            return str(field("hazard") or "")
