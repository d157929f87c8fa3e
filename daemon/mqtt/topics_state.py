"""Computes the retained messages at the broker, from events and from the daemon's status. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, get_args

from daemon.core.health import Component
from daemon.mqtt.discovery import (
    EVENTS,
    OFF,
    OFFLINE,
    ON,
    ONLINE,
    DeviceSpec,
    Topics,
    announced,
    announcement,
    slug,
)

OK = "ok"
_ALERT = ("hazard", "severity", "probability", "direction", "escalated", "again")
MOST_REMOVED = 200
"""Removed entities still named in an announcement, at most."""


@dataclass(frozen=True, slots=True)
class TransientMessage:
    """A message that the broker does not retain."""

    topic: str
    payload: bytes


class MqttState:
    """The device's state as retained messages. `wall` times are Unix seconds."""

    def __init__(self, topics: Topics, spec: DeviceSpec) -> None:
        """`spec`: without hazards, components and version, which come with the daemon's status."""
        self._topics = topics
        self._spec = spec
        self._percent: dict[str, float] = {}
        self._status: Mapping[str, Any] | None = None
        self._alerts: dict[str, dict[str, Any]] = {}
        self._active: set[str] = set()
        self._texts: dict[str, dict[str, Any]] = {}

    @property
    def spec(self) -> DeviceSpec:
        return self._spec

    def daemon_lost(self) -> None:
        """Record that the daemon does not answer."""
        self._status = None

    def apply_status(self, status: Mapping[str, Any], hazards: tuple[str, ...], version: str) -> None:
        """Replace the state by the daemon's status and enabled hazards, in case events were missed."""
        self._status = status
        components = tuple(sorted({*get_args(Component), *status.get("components", {})}))
        self._spec = replace(self._spec, hazards=hazards, components=components, version=version)
        # A hazard that was disabled meanwhile has no topic any more.
        self._active = {name for name in status.get("active", ()) if name in hazards}
        self._alerts = {name: alert for name, alert in self._alerts.items() if name in hazards}

    def apply_probabilities(self, probabilities: Mapping[str, float]) -> None:
        """Replace the probabilities (0 to 1, by hazard). They are rounded to whole per cents for display."""
        self._percent = {slug(name): round(100 * value) for name, value in probabilities.items()}

    def apply_picture(self, picture: Mapping[str, Any], wall: float) -> None:
        """Complete alerts that were raised before the subscription with the details of a `picture` reply."""
        odds = picture.get("probabilities", {})
        for alert in picture.get("active", ()):
            name = alert["hazard"]
            if name in self._active and name not in self._alerts:
                self._alerts[name] = {
                    "severity": alert.get("severity"),
                    "direction": alert.get("direction"),
                    "probability": odds.get(name),
                    "alert": alert.get("alert"),
                    "since": _iso(wall - float(alert.get("since_s") or 0.0)),
                }

    def on_event(self, event: Mapping[str, Any], wall: float) -> tuple[TransientMessage, ...]:
        """Update the state by an event of the daemon. Returns the messages to publish without retain."""
        kind, hazard = event.get("kind"), event.get("hazard")
        match kind:
            case "alert":
                self._on_alert(event, wall)
            case "direction" if hazard in self._alerts:
                self._alerts[str(hazard)]["direction"] = event.get("direction")
            case "clear":
                self._active.discard(str(hazard))
            case "speak" if event.get("text"):
                extra = {"priority": event.get("priority")}
                self._set_text("said", event, wall, extra)
            case "describe":
                self._set_text("description", event, wall, {"trigger": event.get("trigger")})
            case "health":
                self._on_health(event)
        if kind not in EVENTS:
            return ()
        known = {name: event[name] for name in _ALERT if name in event}
        return (
            TransientMessage(
                self._topics.state("event"), _line({"event_type": kind, **known, "id": event.get("id")})
            ),
        )

    def retained_messages(self, before: Mapping[str, str]) -> dict[str, bytes]:
        """All retained messages by topic, in publishing order: announcement, states, availability.

        `before`: platforms of entities announced earlier, by key.
        """
        topics = self._topics
        wanted: dict[str, bytes] = {}
        # Not before the hazards are known: an announcement without them would remove their entities.
        if topics.config and self._spec.hazards:
            # Bounded: the list is read back from the broker, where others may have written to it.
            removed = dict(list(before.items())[:MOST_REMOVED])
            wanted[topics.config] = _line(announcement(topics, self._spec, removed))
        for hazard in self._spec.hazards:
            state = {"state": ON if hazard in self._active else OFF}
            wanted[topics.hazard(hazard)] = _line({**state, **self._alerts.get(hazard, {})})
        if self._percent:
            wanted[topics.state("probabilities")] = _line(self._percent)
        if self._spec.texts:
            wanted.update({topics.state(name): _line(text) for name, text in self._texts.items()})
        wanted.update(self._status_messages())
        wanted[topics.daemon] = (OFFLINE if self._status is None else ONLINE).encode()
        wanted[topics.availability] = ONLINE.encode()
        return wanted

    def announced(self) -> dict[str, str]:
        """Platforms of the current announcement's entities, by key."""
        return announced(announcement(self._topics, self._spec, {}))

    def _on_alert(self, event: Mapping[str, Any], wall: float) -> None:
        name = str(event.get("hazard"))
        if name not in self._spec.hazards:
            return  # new since a reload; the next status will bring it
        # A repeated alert of a hazard that is still there keeps its first time.
        since = self._alerts.get(name, {}).get("since") if name in self._active else None
        self._active.add(name)
        self._alerts[name] = {
            "severity": event.get("severity"),
            "direction": event.get("direction"),
            "probability": event.get("probability"),
            "alert": event.get("id"),
            "since": since or _iso(wall),
        }

    def _set_text(self, name: str, event: Mapping[str, Any], wall: float, extra: Mapping[str, Any]) -> None:
        self._texts[name] = {"text": event.get("text", ""), "at": _iso(wall), **extra}

    def _on_health(self, event: Mapping[str, Any]) -> None:
        """Update one component's state without waiting for the next status."""
        if self._status is None:
            return
        name, reason = str(event.get("component")), event.get("reason", OK)
        component = {"reason": reason, "detail": event.get("detail", "")}
        self._status = {**self._status, "components": {**self._status.get("components", {}), name: component}}
        self._spec = replace(self._spec, components=tuple(sorted({*self._spec.components, name})))

    def _status_messages(self) -> dict[str, bytes]:
        topics, status = self._topics, self._status
        if status is None:
            return {topics.state("health"): _line({"state": ON, "reason": "watchword does not answer"})}
        components = status.get("components", {})
        failing = {name: o.get("reason") for name, o in components.items() if o.get("reason", OK) != OK}
        lost = list(status.get("lost", ()))
        unrecognised = list(status.get("unrecognised", ()))
        wanted = {
            topics.state("health"): _line(
                {
                    "state": ON if failing or lost else OFF,
                    "failing": failing,
                    "lost": lost,
                    "unrecognised": unrecognised,
                }
            ),
            topics.state("muted"): _line(_muted(status)),
            # Rounded: each change of a retained message is a write at the broker.
            topics.state("fps"): str(round(float(status.get("fps", 0.0)))).encode(),
        }
        for name, component in components.items():
            wanted[topics.component(name)] = _line(
                {"reason": component.get("reason", OK), "detail": component.get("detail", "")}
            )
        return wanted


def _muted(status: Mapping[str, Any]) -> dict[str, Any]:
    left_s = float(status.get("muted_s", 0.0))
    danger = float(status.get("danger_muted_s", 0.0)) > 0
    return {
        "state": ON if left_s > 0 else OFF,
        # Rounded up: "0 minutes" while muted would contradict the switch.
        "minutes": math.ceil(left_s / 60) if left_s > 0 else 0,
        "danger": ON if danger else OFF,
    }


def changes(held: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> tuple[tuple[str, bytes], ...]:
    """The messages after which a broker that retains `held` retains `wanted`. Removals come first.

    An empty payload removes a retained message (MQTT 3.1.1, 3.3.1.3).
    """
    removed = tuple((topic, b"") for topic in held if topic not in wanted)
    changed = tuple((topic, payload) for topic, payload in wanted.items() if held.get(topic) != payload)
    return removed + changed


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _iso(wall: float) -> str:
    return datetime.fromtimestamp(round(wall), UTC).isoformat()
