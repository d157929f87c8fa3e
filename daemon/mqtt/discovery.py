"""Topics, and the announcement by which Home Assistant builds one device with all its entities.

The announcement is a "device discovery payload" (Home Assistant 2024.11 or newer):
https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload; the fields of
each entity are on the pages of the platforms, such as
https://www.home-assistant.io/integrations/binary_sensor.mqtt/. An entity is removed by announcing its
platform alone. Home Assistant calls the entities of a payload "components".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from daemon.control.commands import COMMANDS
from pipeline.hazards import builtin_hazards

LONGEST_NAME = 200
"""Characters of an entity's key or platform that is read back from the broker."""
_NAME = re.compile(r"[A-Za-z0-9_-]+")
ON, OFF, ONLINE, OFFLINE = "ON", "OFF", "online", "offline"
LONGEST_STATE = 255
"""Longest state in Home Assistant, in characters; the whole text is an attribute."""

_ENTITIES = {name: kind.mqtt for name, kind in COMMANDS.items() if kind.mqtt is not None}
BUTTONS = {name: name.replace("_", " ").capitalize() for name, one in _ENTITIES.items() if not one.text_field}
"""Labels of the buttons, by the name of the command."""
WORDS = {name: name.capitalize() for name, one in _ENTITIES.items() if one.text_field}
"""Labels of the text fields, by the name of the command."""
EVENTS = ("alert", "clear", "false_alarm")

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one device. Everything below `base` belongs to it."""

    prefix: str
    node: str
    discovery: str

    @property
    def base(self) -> str:
        return f"{self.prefix}/{self.node}"

    @property
    def availability(self) -> str:
        """`online` while the bridge is connected; the last will says `offline`."""
        return f"{self.base}/availability"

    @property
    def daemon(self) -> str:
        """`online` while the daemon answers."""
        return f"{self.base}/daemon"

    @property
    def barrier(self) -> str:
        """A message published here returns after all retained messages, and so marks their end."""
        return f"{self.base}/barrier"

    @property
    def command_filter(self) -> str:
        return f"{self.base}/set/+"

    @property
    def config(self) -> str:
        """Topic of the announcement; empty if discovery is off."""
        return f"{self.discovery}/device/{self.device}/config" if self.discovery else ""

    @property
    def birth(self) -> str:
        """Home Assistant's birth topic; empty if discovery is off."""
        return f"{self.discovery}/status" if self.discovery else ""

    @property
    def device(self) -> str:
        return f"watchword_{self.node}"

    def command(self, name: str) -> str:
        return f"{self.base}/set/{name}"

    def state(self, name: str) -> str:
        return f"{self.base}/{name}"

    def hazard(self, name: str) -> str:
        return f"{self.base}/hazard/{slug(name)}"

    def component(self, name: str) -> str:
        return f"{self.base}/component/{slug(name)}"


def slug(name: str) -> str:
    """A name made safe for a topic and an id; injective."""
    return re.sub(r"[^A-Za-z0-9_]", lambda found: f"-{ord(found[0]):x}-", name)


def node_name(wanted: str, host: str, instance: str) -> str:
    """The device's name at the broker: `wanted`, else made of host and instance."""
    return wanted or "_".join(slug(part).strip("-") for part in (host.partition(".")[0], instance) if part)


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """The inputs of the device's entities."""

    hazards: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    texts: bool = True
    picture: bool = False
    version: str = ""


def announcement(topics: Topics, spec: DeviceSpec, former: Mapping[str, str]) -> dict[str, Any]:
    """The device discovery payload. `former`: platforms of entities announced earlier, by key."""
    components = {key: _with_id(topics, key, body) for key, body in _entities(topics, spec)}
    removed = {key: {"platform": platform} for key, platform in former.items() if key not in components}
    return {
        "device": {
            "identifiers": [topics.device],
            "name": f"Watchword {topics.node}",
            "manufacturer": "Watchword",
            "model": "Danger watch",
            **({"sw_version": spec.version} if spec.version else {}),
        },
        "origin": {"name": "watchword", **({"sw_version": spec.version} if spec.version else {})},
        "availability": [{"topic": topics.availability}, {"topic": topics.daemon}],
        "availability_mode": "all",
        "qos": 1,
        "components": {**components, **removed},
    }


def announced(payload: Mapping[str, Any]) -> dict[str, str]:
    """Platforms of an announcement's entities, by key; entries that are not understood are left out."""
    components = payload.get("components")
    if not isinstance(components, dict):
        return {}
    return {
        key: body["platform"]
        for key, body in components.items()
        if isinstance(body, dict) and _is_name(key) and _is_name(body.get("platform"))
    }


def _is_name(text: object) -> bool:
    """True for names we announce ourselves; not for half a surrogate pair, which could not be sent again."""
    return isinstance(text, str) and len(text) <= LONGEST_NAME and bool(_NAME.fullmatch(text))


def _with_id(topics: Topics, key: str, body: Entity) -> Entity:
    return {**body, "unique_id": f"{topics.device}_{key}"}


def _entities(topics: Topics, spec: DeviceSpec) -> Iterator[tuple[str, Entity]]:
    for hazard in spec.hazards:
        yield f"hazard_{slug(hazard)}", _hazard(topics, hazard)
    yield from _health(topics, spec.components)
    if spec.texts:
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
    if spec.picture:
        yield "camera", {"platform": "camera", "name": "Picture", "topic": topics.state("picture")}


def _hazard(topics: Topics, hazard: str) -> Entity:
    known = builtin_hazards().get(hazard)
    kind = known.device_class if known else "safety"  # on means unsafe
    return {
        "platform": "binary_sensor",
        "name": known.label["en"] if known else _title(hazard),
        **({"device_class": kind} if kind else {}),
        **_json(topics.hazard(hazard), "state"),
    }


def _health(topics: Topics, components: Iterable[str]) -> Iterator[tuple[str, Entity]]:
    alone = {
        "availability": [{"topic": topics.availability}]
    }  # it stays available to say that the daemon does not answer
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
                "name": _title(component),
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


def _texts(topics: Topics) -> Iterator[tuple[str, Entity]]:
    for key, name in (("said", "Last said"), ("description", "Last description")):
        yield (
            key,
            {
                "platform": "sensor",
                "name": name,
                **_json(topics.state(key), f"text[:{LONGEST_STATE}]"),
            },
        )


def _controls(topics: Topics) -> Iterator[tuple[str, Entity]]:
    muted = topics.state("muted")
    yield (
        "mute",
        {
            "platform": "switch",
            "name": "Mute",
            "command_topic": topics.command("mute"),
            **_json(muted, "state"),
        },
    )
    yield (
        "mute_minutes",
        {
            "platform": "number",
            "name": "Minutes of quiet",
            "command_topic": topics.command("mute_minutes"),
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
        yield key, {"platform": "button", "name": name, "command_topic": topics.command(key)}
    for key, name in WORDS.items():
        yield (
            key,
            {
                "platform": "text",
                "name": name,
                "command_topic": topics.command(key),
                "min": 1,
                "max": LONGEST_STATE,
            },
        )


def _json(topic: str, value: str) -> Entity:
    """Fields of an entity whose state and attributes come in one message, so that they never disagree."""
    return {
        "state_topic": topic,
        "value_template": f"{{{{ value_json.{value} }}}}",
        "json_attributes_topic": topic,
    }


def _title(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
