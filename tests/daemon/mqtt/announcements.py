"""What Home Assistant takes in a device discovery payload, written down from its documentation.

https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload, and the option tables of the pages
binary_sensor.mqtt, sensor.mqtt, switch.mqtt, number.mqtt, button.mqtt, text.mqtt, event.mqtt and camera.mqtt.
Anything that stands in none of them is refused here.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, model_validator

PublishTopic = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^+#\x00]+$")]
Url = Annotated[str, Field(pattern=r"^(https?|homeassistant)://[^/]+")]
Icon = Annotated[str, Field(pattern=r"^mdi:[a-z0-9-]+$")]
Template = Annotated[str, Field(pattern=r"^\{\{ .+ \}\}$")]
TOPIC = re.compile(r"[a-z]+/device/[A-Za-z0-9_-]+/config")
"""`<discovery_prefix>/device/<object_id>/config`; an id may have these characters only."""

SafetyClass = Literal[
    "battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas",
    "heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug", "power",
    "presence", "problem", "running", "safety", "smoke", "sound", "tamper", "update", "vibration", "window",
]  # fmt: skip
"""https://www.home-assistant.io/integrations/binary_sensor/#device-class"""


class _Options(BaseModel, extra="forbid", strict=True):
    pass


class Availability(_Options):
    topic: PublishTopic
    payload_available: str = "online"
    payload_not_available: str = "offline"
    value_template: Template | None = None


class _Entity(_Options):
    unique_id: str = Field(min_length=1)
    name: str
    availability: list[Availability] | None = None
    availability_mode: Literal["all", "any", "latest"] = "latest"
    entity_category: Literal["diagnostic", "config"] | None = None
    enabled_by_default: bool = True
    icon: Icon | None = None
    qos: Literal[0, 1, 2] = 0


class _WithAttributes(_Entity):
    json_attributes_topic: PublishTopic | None = None
    json_attributes_template: Template | None = None


class BinarySensor(_WithAttributes):
    platform: Literal["binary_sensor"]
    state_topic: PublishTopic
    value_template: Template | None = None
    payload_on: str = "ON"
    payload_off: str = "OFF"
    device_class: SafetyClass | None = None


class Sensor(_WithAttributes):
    platform: Literal["sensor"]
    state_topic: PublishTopic
    value_template: Template | None = None
    state_class: Literal["measurement", "total", "total_increasing"] | None = None
    unit_of_measurement: str | None = None
    suggested_display_precision: int | None = Field(None, ge=0)
    device_class: str | None = None


class Switch(_WithAttributes):
    platform: Literal["switch"]
    command_topic: PublishTopic
    state_topic: PublishTopic | None = None
    value_template: Template | None = None


class Number(_WithAttributes):
    platform: Literal["number"]
    command_topic: PublishTopic
    state_topic: PublishTopic | None = None
    value_template: Template | None = None
    min: float = 1
    max: float = 100
    step: float = Field(1, ge=0.001)
    mode: Literal["auto", "box", "slider"] = "auto"
    unit_of_measurement: str | None = None


class Button(_WithAttributes):
    platform: Literal["button"]
    command_topic: PublishTopic
    payload_press: str = "PRESS"


class Text(_WithAttributes):
    platform: Literal["text"]
    command_topic: PublishTopic
    state_topic: PublishTopic | None = None
    min: int = Field(0, ge=0, le=255)
    max: int = Field(255, ge=0, le=255)
    mode: Literal["text", "password"] = "text"
    pattern: str | None = None


class Event(_WithAttributes):
    platform: Literal["event"]
    state_topic: PublishTopic
    event_types: list[str] = Field(min_length=1)


class Camera(_Entity):
    platform: Literal["camera"]
    topic: PublishTopic
    image_encoding: Literal["b64"] | None = None


class Removed(_Options):
    """A component that is no more: its platform, and nothing else."""

    platform: Literal["binary_sensor", "sensor", "switch", "number", "button", "text", "event", "camera"]


Component = BinarySensor | Sensor | Switch | Number | Button | Text | Event | Camera | Removed


class Device(_Options):
    identifiers: list[str] = Field(min_length=1)
    name: str
    manufacturer: str | None = None
    model: str | None = None
    sw_version: str | None = None
    configuration_url: Url | None = None


class Origin(_Options):
    name: str
    sw_version: str | None = None
    support_url: Url | None = None


class DeviceDiscovery(_Options):
    device: Device
    origin: Origin
    components: dict[str, Component]
    availability: list[Availability] | None = None
    availability_mode: Literal["all", "any", "latest"] = "latest"
    state_topic: PublishTopic | None = None
    command_topic: PublishTopic | None = None
    qos: Literal[0, 1, 2] = 0
    encoding: str = "utf-8"

    @model_validator(mode="after")
    def ids_differ(self) -> DeviceDiscovery:
        ids = [part.unique_id for part in self.components.values() if not isinstance(part, Removed)]
        if len(set(ids)) < len(ids):
            raise ValueError("two entities have the same unique_id")
        return self


def understood(topic: str, payload: bytes | dict[str, Any]) -> DeviceDiscovery:
    """As Home Assistant understands it. Raises ValueError."""
    if not TOPIC.fullmatch(topic):
        raise ValueError(f"{topic} is no discovery topic")
    adapter = TypeAdapter(DeviceDiscovery)
    return adapter.validate_json(payload) if isinstance(payload, bytes) else adapter.validate_python(payload)
