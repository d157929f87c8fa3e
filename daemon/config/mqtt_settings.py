"""The `[mqtt]` section."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

_TOPIC = r"^[^+#\s/]+(/[^+#\s/]+)*$"
PLAIN_PORT, TLS_PORT = 1883, 8883


class MqttSettings(BaseModel, frozen=True, extra="forbid"):
    """Home automation over MQTT; part of `watchword web`. See docs/home-assistant.md."""

    enabled: bool = Field(False, description="true tells the broker what is seen and said")
    host: str = Field(
        "127.0.0.1", pattern=r"^[^\s@/]+$", description="name or address of the broker, without credentials"
    )
    port: int = Field(0, ge=0, le=65535, description="0 takes 1883, with tls 8883")
    tls: bool = Field(False, description="true encrypts, and checks the broker's certificate")
    ca_file: str = Field("", description="certificate authority to trust; empty takes the system's")
    username: str = Field("", max_length=200, description="name to log in with; empty logs in without")
    password_file: str = Field(
        "", description="file that holds the password; a bare name means a systemd credential"
    )
    topic: str = Field(
        "watchword", pattern=_TOPIC, max_length=100, description="what all our topics begin with"
    )
    discovery: str = Field(
        "homeassistant",
        pattern=rf"^$|{_TOPIC}",
        max_length=100,
        description="Home Assistant's discovery prefix; empty announces nothing",
    )
    name: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]{0,64}$",
        description="name of this device there; empty takes the machine's and, if any, control.instance",
    )
    texts: bool = Field(True, description="false keeps to itself what was said and described")
    picture_every_s: float = Field(
        0.0, ge=0, le=3600, description="seconds between two pictures given to the broker; 0 gives none"
    )
    picture_side: int = Field(480, ge=64, le=1920, description="pixels of such a picture's longer side")
    mute_minutes: float = Field(
        10.0, gt=0, le=1440, description="minutes the switch `Mute` silences all but danger"
    )
    keepalive_s: int = Field(
        30, ge=5, le=600, description="seconds of silence after which broker and web look for each other"
    )
    reconnect_s: float = Field(
        60.0, ge=1, le=3600, description="seconds between two attempts at a broker that is away, at most"
    )

    @property
    def at_port(self) -> int:
        """The port that is meant."""
        return self.port or (TLS_PORT if self.tls else PLAIN_PORT)


Qos = Literal[0, 1]
