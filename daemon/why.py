"""Why did it speak? Told in words from the events and settings that the black box remembers. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from daemon.blackbox import Recording
from daemon.core_types import CoreSpec
from daemon.errors import CommandError

Fields = Mapping[str, Any]


def why(recording: Recording, event_id: str | None) -> str:
    """The story behind an event, or behind the last thing said. Raises CommandError where it is unknown."""
    events = {(e["kind"], e["id"]): e for e in map(json.loads, recording.events)}
    by_id: dict[str, Fields] = {id: event for (_, id), event in events.items()}
    if event_id is None:
        spoken = [event for (kind, _), event in events.items() if kind == "speak" and event["text"]]
        if not spoken:
            raise CommandError("nothing has been said in the last minute")
        event_id = spoken[-1]["id"]
    if event_id not in by_id:
        raise CommandError(f"{event_id}: not in the last minute; `watchword events` shows the ids")
    return "\n".join(_story(recording.spec, by_id, event_id))


def _story(spec: CoreSpec, by_id: Mapping[str, Fields], event_id: str | None) -> Iterator[str]:
    """From the event to what led to it, one line each; the chain of causes has no loops."""
    while event_id is not None and (event := by_id.get(event_id)):
        yield f"{event['id']}, at {event['t']:.2f} s: {_line(spec, event)}"
        event_id = event["cause"]


def _line(spec: CoreSpec, event: Fields) -> str:
    match event["kind"]:
        case "speak":
            return f'said "{event["text"]}" ({event["priority"]})'
        case "alert":
            return _alert(spec, event)
        case "direction":
            return f"{event['hazard']} stood out on one side: {event['direction']}"
        case "scene":
            return _scene(spec, event)
        case "describe":
            return f"{event['model']} described the view: {event['text']}"
        case "health":
            return f"{event['organ']} is {event['reason']} {event['detail']}".rstrip()
    return f"{event['kind']} {event.get('hazard', '')}".rstrip()


def _alert(spec: CoreSpec, event: Fields) -> str:
    threshold = next(h.threshold for h in spec.hazards if h.name == event["hazard"])
    reason = "again" if event["again"] else "nearer than before" if event["escalated"] else "new"
    return (
        f"{event['hazard']} ({reason}, {event['severity']}): probability {event['probability']:.2f}, "
        f"its threshold is {threshold:.2f}, and it was over that for {spec.watch.vote_s:g} s "
        f"of the last {spec.watch.vote_window_s:g} s"
    )


def _scene(spec: CoreSpec, event: Fields) -> str:
    if event["trigger"] == "danger":
        return f"details of {event['hazard']} were wanted"
    if event["trigger"] == "request":
        return "somebody asked about the view"
    return f"the view had changed by more than {spec.scene.distance:g} and settled"
