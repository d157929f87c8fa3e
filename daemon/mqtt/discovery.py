"""Topics, and the announcement by which Home Assistant builds one device with all its entities.

The announcement is a "device discovery payload" (Home Assistant 2024.11 or newer):
https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload; the fields of
each entity are on the pages of the platforms, such as
https://www.home-assistant.io/integrations/binary_sensor.mqtt/. An entity is removed by announcing its
platform alone. Home Assistant calls the entities of a payload "components".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from daemon.control.commands import COMMANDS
from daemon.mqtt.labels import ENTITIES, Label, component_label, hazard_label, probability_name
from pipeline.hazards import builtin_hazards

LONGEST_NAME = 200
"""Characters of an entity's key or platform that is read back from the broker."""
_NAME = re.compile(r"[A-Za-z0-9_-]+")
ON, OFF, ONLINE, OFFLINE = "ON", "OFF", "online", "offline"
LONGEST_STATE = 255
"""Longest state in Home Assistant, in characters; the whole text is an attribute."""

_ENTITIES = {name: kind.mqtt for name, kind in COMMANDS.items() if kind.mqtt is not None}
BUTTONS = tuple(name for name, one in _ENTITIES.items() if not one.text_field)
"""Commands that are buttons."""
WORDS = tuple(name for name, one in _ENTITIES.items() if one.text_field)
"""Commands that are text fields."""
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
    # By code point: two names that differ only in special characters must not share a topic.
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
    language: str = "en"
    page: str = ""
    """Address of the web page as other machines reach it; empty if they do not."""
    support: str = ""
    """Address at which people find help; empty if there is none."""


def announcement(topics: Topics, spec: DeviceSpec, former: Mapping[str, str]) -> dict[str, Any]:
    """The device discovery payload. `former`: platforms of entities announced earlier, by key."""
    components = {key: _with_id(topics, key, body) for key, body in _entities(topics, spec)}
    # An entity of an earlier announcement stays in Home Assistant until it is announced as removed.
    removed = {key: {"platform": platform} for key, platform in former.items() if key not in components}
    return {
        "device": {
            "identifiers": [topics.device],
            "name": f"Watchword {topics.node}",
            "manufacturer": "Watchword",
            "model": "Danger watch",
            **_known(sw_version=spec.version, configuration_url=spec.page),
        },
        "origin": {"name": "watchword", **_known(sw_version=spec.version, support_url=spec.support)},
        "availability": [{"topic": topics.availability}, {"topic": topics.daemon}],
        "availability_mode": "all",
        # At least once: a state that is lost would stay wrong until the next change.
        "qos": 1,
        "components": {**components, **removed},
    }


def _known(**fields: str) -> dict[str, str]:
    """Without those that are empty, which Home Assistant would refuse."""
    return {name: value for name, value in fields.items() if value}


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
        yield f"hazard_{slug(hazard)}", _hazard(topics, hazard, spec.language)
        yield f"probability_{slug(hazard)}", _probability(topics, hazard, spec.language)
    yield from _component_states(topics, spec)
    plain = [*_health(topics), *_controls(topics)]
    if spec.texts:
        plain += _texts(topics)
    if spec.picture:
        plain.append(("camera", {"platform": "camera", "topic": topics.state("picture")}))
    event = {"platform": "event", "state_topic": topics.state("event"), "event_types": list(EVENTS)}
    for key, body in [*plain, ("warning", event)]:
        yield key, _labelled(body, ENTITIES[key], spec.language)


def _labelled(body: Entity, label: Label, language: str) -> Entity:
    return {"name": label.name(language), "icon": label.icon, **body}


def _hazard(topics: Topics, hazard: str, language: str) -> Entity:
    known = builtin_hazards().get(hazard)
    kind = known.device_class if known else "safety"  # on means unsafe
    body = {
        "platform": "binary_sensor",
        **({"device_class": kind} if kind else {}),
        **_json(topics.hazard(hazard), "state"),
    }
    return _labelled(body, hazard_label(hazard), language)


def _probability(topics: Topics, hazard: str, language: str) -> Entity:
    """Disabled until its owner enables it: it changes all the time, and fills Home Assistant's database."""
    return {
        "platform": "sensor",
        "name": probability_name(hazard, language),
        "icon": hazard_label(hazard).icon,
        "enabled_by_default": False,
        "entity_category": "diagnostic",
        "state_class": "measurement",
        "unit_of_measurement": "%",
        "suggested_display_precision": 0,
        "state_topic": topics.state("probabilities"),
        "value_template": f"{{{{ value_json['{slug(hazard)}'] }}}}",
    }


def _component_states(topics: Topics, spec: DeviceSpec) -> Iterator[tuple[str, Entity]]:
    for component in spec.components:
        body = {
            "platform": "sensor",
            "entity_category": "diagnostic",
            **_json(topics.component(component), "reason"),
        }
        yield (
            f"component_{slug(component)}",
            _labelled(body, component_label(component), spec.language),
        )


def _health(topics: Topics) -> Iterator[tuple[str, Entity]]:
    # It stays available, to report that the daemon does not answer.
    alone = {"availability": [{"topic": topics.availability}]}
    yield (
        "health",
        {
            "platform": "binary_sensor",
            "device_class": "problem",
            **alone,
            **_json(topics.state("health"), "state"),
        },
    )
    yield (
        "fps",
        {
            "platform": "sensor",
            "entity_category": "diagnostic",
            "state_class": "measurement",
            "unit_of_measurement": "1/s",
            "state_topic": topics.state("fps"),
        },
    )


def _texts(topics: Topics) -> Iterator[tuple[str, Entity]]:
    for key in ("said", "description"):
        yield key, {"platform": "sensor", **_json(topics.state(key), f"text[:{LONGEST_STATE}]")}


def _controls(topics: Topics) -> Iterator[tuple[str, Entity]]:
    muted = topics.state("muted")
    yield (
        "mute",
        {"platform": "switch", "command_topic": topics.command("mute"), **_json(muted, "state")},
    )
    yield (
        "mute_minutes",
        {
            "platform": "number",
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
            "device_class": "problem",
            "state_topic": muted,
            "value_template": "{{ value_json.danger }}",
        },
    )
    for key in BUTTONS:
        yield key, {"platform": "button", "command_topic": topics.command(key)}
    for key in WORDS:
        yield (
            key,
            {"platform": "text", "command_topic": topics.command(key), "min": 1, "max": LONGEST_STATE},
        )


def _json(topic: str, value: str) -> Entity:
    """Fields of an entity whose state and attributes come in one message, so that they never disagree."""
    return {
        "state_topic": topic,
        "value_template": f"{{{{ value_json.{value} }}}}",
        "json_attributes_topic": topic,
    }
