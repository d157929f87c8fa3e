"""Topics, and the announcement by which Home Assistant builds one device with all its entities.

The announcement is a "device discovery payload" (Home Assistant 2024.11 or newer):
https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload; what stands in each component is on
the pages of the platforms, https://www.home-assistant.io/integrations/binary_sensor.mqtt/ and its like. A
component that is no more is told by its platform alone, as that page wants it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from daemon.control.commands import COMMANDS
from pipeline.hazards import builtin_hazards

ON, OFF, ONLINE, OFFLINE = "ON", "OFF", "online", "offline"
LONGEST_STATE = 255
"""Characters a state may have in Home Assistant; the whole text is among the attributes."""

_ENTITIES = {name: kind.mqtt for name, kind in COMMANDS.items() if kind.mqtt is not None}
BUTTONS = {name: name.replace("_", " ").capitalize() for name, one in _ENTITIES.items() if not one.text_field}
"""Labels of the buttons, by the name of the command."""
WORDS = {name: name.capitalize() for name, one in _ENTITIES.items() if one.text_field}
"""Labels of the text fields, by the name of the command."""
EVENTS = ("alert", "clear", "false_alarm")

Component = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Topics:
    """Where everything of one device is; below `base` nothing is anybody else's."""

    prefix: str
    node: str
    discovery: str

    @property
    def base(self) -> str:
        return f"{self.prefix}/{self.node}"

    @property
    def availability(self) -> str:
        """Of the connection; its last will says `offline`."""
        return f"{self.base}/availability"

    @property
    def daemon(self) -> str:
        """Whether the daemon answers."""
        return f"{self.base}/daemon"

    @property
    def barrier(self) -> str:
        """What is said here comes back after everything that was kept before."""
        return f"{self.base}/barrier"

    @property
    def orders(self) -> str:
        return f"{self.base}/set/+"

    @property
    def config(self) -> str:
        """The announcement; empty where none is wanted."""
        return f"{self.discovery}/device/{self.device}/config" if self.discovery else ""

    @property
    def birth(self) -> str:
        """Home Assistant tells here that it has come up."""
        return f"{self.discovery}/status" if self.discovery else ""

    @property
    def device(self) -> str:
        return f"watchword_{self.node}"

    def order(self, name: str) -> str:
        return f"{self.base}/set/{name}"

    def state(self, name: str) -> str:
        return f"{self.base}/{name}"

    def hazard(self, name: str) -> str:
        return f"{self.base}/hazard/{slug(name)}"

    def component(self, name: str) -> str:
        return f"{self.base}/component/{slug(name)}"


def slug(name: str) -> str:
    """A name as it may stand in a topic and an id; different for different names."""
    return re.sub(r"[^A-Za-z0-9_]", lambda found: f"-{ord(found[0]):x}-", name)


def node_name(wanted: str, host: str, instance: str) -> str:
    """The device's name at the broker: as wanted, else unlike any other machine's and instance's."""
    return wanted or "_".join(slug(part).strip("-") for part in (host.partition(".")[0], instance) if part)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the device consists of."""

    hazards: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    texts: bool = True
    picture: bool = False
    version: str = ""


def announcement(topics: Topics, shape: Shape, gone: Mapping[str, str]) -> dict[str, Any]:
    """The device discovery payload. `gone`: platforms of components announced before that are no more."""
    components = {key: _named(topics, key, body) for key, body in _components(topics, shape)}
    removed = {key: {"platform": platform} for key, platform in gone.items() if key not in components}
    return {
        "device": {
            "identifiers": [topics.device],
            "name": f"Watchword {topics.node}",
            "manufacturer": "Watchword",
            "model": "Danger watch",
            **({"sw_version": shape.version} if shape.version else {}),
        },
        "origin": {"name": "watchword", **({"sw_version": shape.version} if shape.version else {})},
        "availability": [{"topic": topics.availability}, {"topic": topics.daemon}],
        "availability_mode": "all",
        "qos": 1,
        "components": {**components, **removed},
    }


def announced(payload: Mapping[str, Any]) -> dict[str, str]:
    """Platform by key of each component of an announcement, as far as it is understood."""
    components = payload.get("components")
    if not isinstance(components, dict):
        return {}
    return {
        key: body["platform"]
        for key, body in components.items()
        if isinstance(body, dict) and isinstance(body.get("platform"), str)
    }


def _named(topics: Topics, key: str, body: Component) -> Component:
    return {**body, "unique_id": f"{topics.device}_{key}"}


def _components(topics: Topics, shape: Shape) -> Iterator[tuple[str, Component]]:
    for hazard in shape.hazards:
        yield f"hazard_{slug(hazard)}", _hazard(topics, hazard)
    yield from _health(topics, shape.components)
    if shape.texts:
        yield from _texts(topics)
    yield from _controls(topics)
    yield (
        "warning",
        {
            "platform": "event",
            "name": "Warning",
            "state_topic": topics.state("event"),
            "event_types": list(EVENTS),
        },
    )
    if shape.picture:
        yield "camera", {"platform": "camera", "name": "Picture", "topic": topics.state("picture")}


def _hazard(topics: Topics, hazard: str) -> Component:
    known = builtin_hazards().get(hazard)
    kind = known.device_class if known else "safety"  # on means unsafe
    return {
        "platform": "binary_sensor",
        "name": known.label["en"] if known else _words(hazard),
        **({"device_class": kind} if kind else {}),
        **_json(topics.hazard(hazard), "state"),
    }


def _health(topics: Topics, components: Iterable[str]) -> Iterator[tuple[str, Component]]:
    alone = {"availability": [{"topic": topics.availability}]}  # it tells too that the daemon is away
    yield (
        "health",
        {
            "platform": "binary_sensor",
            "name": "Health",
            "device_class": "problem",
            **alone,
            **_json(topics.state("health"), "state"),
        },
    )
    for component in components:
        yield (
            f"component_{slug(component)}",
            {
                "platform": "sensor",
                "name": _words(component),
                "entity_category": "diagnostic",
                **_json(topics.component(component), "reason"),
            },
        )
    yield (
        "fps",
        {
            "platform": "sensor",
            "name": "Pictures a second",
            "entity_category": "diagnostic",
            "state_class": "measurement",
            "unit_of_measurement": "1/s",
            "state_topic": topics.state("fps"),
        },
    )


def _texts(topics: Topics) -> Iterator[tuple[str, Component]]:
    for key, name in (("said", "Last said"), ("description", "Last description")):
        yield (
            key,
            {
                "platform": "sensor",
                "name": name,
                **_json(topics.state(key), f"text[:{LONGEST_STATE}]"),
            },
        )


def _controls(topics: Topics) -> Iterator[tuple[str, Component]]:
    muted = topics.state("muted")
    yield (
        "mute",
        {
            "platform": "switch",
            "name": "Mute",
            "command_topic": topics.order("mute"),
            **_json(muted, "state"),
        },
    )
    yield (
        "mute_minutes",
        {
            "platform": "number",
            "name": "Minutes of quiet",
            "command_topic": topics.order("mute_minutes"),
            "state_topic": muted,
            "value_template": "{{ value_json.minutes }}",
            "min": 0,
            "max": 1440,
            "mode": "box",
            "unit_of_measurement": "min",
        },
    )
    yield (
        "danger_muted",
        {
            "platform": "binary_sensor",
            "name": "Danger muted",
            "device_class": "problem",
            "state_topic": muted,
            "value_template": "{{ value_json.danger }}",
        },
    )
    for key, name in BUTTONS.items():
        yield key, {"platform": "button", "name": name, "command_topic": topics.order(key)}
    for key, name in WORDS.items():
        yield (
            key,
            {
                "platform": "text",
                "name": name,
                "command_topic": topics.order(key),
                "min": 1,
                "max": LONGEST_STATE,
            },
        )


def _json(topic: str, value: str) -> Component:
    """One message carries the state and its attributes, so that they never disagree."""
    return {
        "state_topic": topic,
        "value_template": f"{{{{ value_json.{value} }}}}",
        "json_attributes_topic": topic,
    }


def _words(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
