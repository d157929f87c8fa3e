"""The daemon's own sections of the settings. Those of capture, pipeline and speech are in their packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from common.live_settings import Live
from daemon import paths
from daemon.config.key_names import actions, code_of
from daemon.control.commands import KEY_ACTIONS


class ControlSettings(BaseModel, frozen=True, extra="forbid"):
    """Access to the running daemon, and the name by which it is found."""

    instance: str = Field(
        "",
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$",
        examples=["left"],
        description="name of this daemon if several run, one for each camera",
    )
    group: str = Field(
        "", description="group whose members may control it; empty: only its own user and root"
    )
    forward_to: str = Field(
        "",
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$",
        examples=["left"],
        description="instance that owns the loudspeaker and speaks for this one; `watchword` is the one "
        "without a name; empty: this one speaks itself",
    )

    @model_validator(mode="after")
    def _names_another(self) -> Self:
        # Forwarded to itself, a warning would wait for a loudspeaker that nothing opens.
        if self.forward_to == (self.instance or paths.NAME):
            raise ValueError(
                f'forward_to = "{self.forward_to}" is this instance itself; name the one that owns the '
                "loudspeaker, or leave forward_to out"
            )
        return self


def _known_key(name: str) -> str:
    code_of(name)
    return name


def _known_actions(text: str) -> str:
    actions(text)
    return text


KeyName = Annotated[str, AfterValidator(_known_key)]
KeyActions = Annotated[
    str,
    AfterValidator(_known_actions),
    Field(description="what a short, a double and a long press do: hush, long mute"),
]

USUAL: Mapping[str, str] = {
    "playpause": "describe, double repeat, long hush",
    "media": "describe, double repeat, long hush",
    "volumeup": "louder, long faster",
    "volumedown": "softer, long slower",
    "nextsong": "repeat, long read",
    "previoussong": "status, long false_alarm",
    "kp5": "describe, long status",
    "kp0": "hush, long mute",
    "kpdot": "unmute, long earcons",
    "kpenter": "repeat, long false_alarm",
    "kp8": "louder",
    "kp2": "softer",
    "kp6": "faster",
    "kp4": "slower",
    "kp7": "read",
}
"""The default actions of a headset's buttons and of a numeric keypad."""


class KeysSettings(BaseModel, frozen=True, extra="forbid"):
    """Buttons of a headset or a small keypad that trigger commands."""

    device: str = Field(
        "", description="/dev/input/by-id/NAME, or a part of the device's name; empty uses no keys"
    )
    grab: bool = Field(True, description="true hides the device's keys from other programs")
    double_s: float = Field(
        0.35, gt=0, le=2, description="seconds within which a second press counts as double"
    )
    long_s: float = Field(0.8, ge=0.2, le=10, description="seconds from which a press is long")
    mute_minutes: float = Field(10.0, gt=0, le=1440, description="minutes that the action mute lasts")
    retry_max_s: float = Field(
        5.0, gt=0, le=300, description="seconds at most between two attempts to find the device"
    )
    on: dict[KeyName, KeyActions] = Field(
        default_factory=lambda: dict(USUAL),
        description="what a key does when pressed, twice (double) and held (long): "
        f"{', '.join(KEY_ACTIONS[:-1])} or {KEY_ACTIONS[-1]}. A table of yours "
        "replaces all of these. Other keys go by number: key_164",
    )


class WebSettings(BaseModel, frozen=True, extra="forbid"):
    """The web page and the HTTP interface of `watchword web`. See docs/api.md."""

    address: str = Field(
        "127.0.0.1",
        pattern=r"^[0-9A-Fa-f.:]*$",
        examples=["192.168.0.5"],
        description="address to listen at; others than this machine's own need token_file, empty for none",
    )
    port: int = Field(8780, ge=0, le=65535, description="port to listen at; 0 takes a free one")
    socket: str = Field(
        "auto", description="auto | unix socket to listen at, protected by its permissions; empty for none"
    )
    token_file: str = Field(
        "",
        description="file that holds the token callers have to show, of 16 characters or more; a bare "
        "name means a systemd credential",
    )
    certificate_file: str = Field("", description="certificate chain, for TLS; empty speaks plain HTTP")
    key_file: str = Field(
        "", description="the certificate's private key; a bare name means a systemd credential"
    )
    hosts: tuple[str, ...] = Field(
        (), max_length=32, description="names by which browsers may call this machine, such as box.local"
    )
    url_hosts: tuple[str, ...] = Field(
        (),
        max_length=32,
        description="hosts whose pictures `/process` may fetch, as HOST or HOST:PORT; empty fetches none",
    )
    url_private_hosts: tuple[str, ...] = Field(
        (),
        max_length=32,
        description="hosts of url_hosts whose address may be private or of this machine",
    )
    largest_body_mb: float = Field(
        12.0, gt=0, le=100, description="megabytes a request may have, a picture in it included"
    )
    largest_picture_mpx: float = Field(50.0, gt=0, le=200, description="million pixels a picture may have")
    requests_per_s: float = Field(
        30.0,
        gt=0,
        le=1000,
        description="requests a second of one client, over a while; three times as many at once",
    )
    requests_at_once: int = Field(32, ge=1, le=500, description="requests answered at the same time, of all")
    request_timeout_s: float = Field(
        90.0, ge=5, le=600, description="seconds an answer may take, reading the request included"
    )
    listeners: int = Field(16, ge=1, le=200, description="listeners to `/events` at the same time")
    viewers: int = Field(8, ge=1, le=100, description="viewers of `/live` at the same time")
    live_side: int = Field(960, ge=64, le=1920, description="pixels of the live picture's longer side")
    live_fps: float = Field(8.0, gt=0, le=10, description="live pictures a second, at most")


_TOPIC = r"^[^+#\s/]+(/[^+#\s/]+)*$"
PLAIN_PORT, TLS_PORT = 1883, 8883
Qos = Literal[0, 1]


class MqttSettings(BaseModel, frozen=True, extra="forbid"):
    """Home automation over MQTT; part of `watchword web`. See docs/home-assistant.md."""

    enabled: bool = Field(False, description="true publishes alerts and speech at the broker")
    host: str = Field(
        "127.0.0.1",
        pattern=r"^[^\s@/]+$",
        examples=["homeassistant.local"],
        description="name or address of the broker, without credentials",
    )
    port: int = Field(0, ge=0, le=65535, description="0 takes 1883, with tls 8883")
    tls: bool = Field(False, description="true encrypts, and checks the broker's certificate")
    ca_file: str = Field("", description="certificate authority to trust; empty takes the system's")
    username: str = Field("", max_length=200, description="name to log in with; empty logs in without")
    password_file: str = Field(
        "", description="file that holds the password; a bare name means a systemd credential"
    )
    topic: str = Field(
        "watchword",
        pattern=_TOPIC,
        max_length=100,
        examples=["home/watchword"],
        description="prefix of all topics",
    )
    discovery: str = Field(
        "homeassistant",
        pattern=rf"^$|{_TOPIC}",
        examples=["homeassistant"],
        max_length=100,
        description="Home Assistant's discovery prefix; empty announces nothing",
    )
    name: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]{0,64}$",
        examples=["hall_camera"],
        description="name of this device there; empty takes the machine's and, if any, control.instance",
    )
    texts: bool = Field(True, description="false publishes no text that was said or described")
    picture_every_s: float = Field(
        0.0, ge=0, le=3600, description="seconds between two pictures given to the broker; 0 gives none"
    )
    picture_side: int = Field(480, ge=64, le=1920, description="pixels of such a picture's longer side")
    mute_minutes: float = Field(
        10.0, gt=0, le=1440, description="minutes the switch `Mute` silences all but danger"
    )
    keepalive_s: int = Field(
        30, ge=5, le=600, description="seconds without traffic after which broker and client check each other"
    )
    reconnect_s: float = Field(
        60.0, ge=1, le=3600, description="seconds between two attempts at a broker that is away, at most"
    )

    @property
    def at_port(self) -> int:
        """The port to connect to, with 0 replaced by the usual one."""
        return self.port or (TLS_PORT if self.tls else PLAIN_PORT)


class JournalSettings(BaseModel, frozen=True, extra="forbid"):
    """The journal of events in the state folder, and its limits. It never leaves the machine."""

    enabled: bool = Field(
        True, description="false stores nothing from now on; `watchword journal purge` deletes what is stored"
    )
    keep_days: float = Field(
        14.0, gt=0, le=3650, description="days after which events, pictures and black boxes are deleted"
    )
    keep_mb: int = Field(
        500, ge=2, le=1_000_000, description="megabytes the journal may take; the oldest is deleted first"
    )
    leave_free_mb: int = Field(
        100, ge=0, le=1_000_000, description="megabytes of the disk to leave free; below, nothing is stored"
    )
    pictures: Literal["off", "pixelated", "full"] = Field(
        "full",
        description="off | pixelated | full; of alerts and of views described; pixelated cannot be undone",
    )
    picture_side: int = Field(640, ge=64, le=1920, description="pixels of a picture's longer side at most")
    picture_quality: int = Field(75, ge=10, le=95, description="JPEG quality of pictures")
    pixel_blocks: int = Field(
        32, ge=4, le=64, description="blocks along the longer side of a pixelated picture; fewer hide more"
    )
    black_boxes: bool = Field(
        True, description="keep the minute around an alert as numbers, so that its decision can be repeated"
    )
    black_box_after_s: float = Field(
        5.0, ge=0, le=30, description="seconds after the alert that its black box covers too"
    )
    black_box_every_s: float = Field(
        60.0,
        ge=1,
        le=3600,
        description="seconds between two black boxes, at least; each covers the minute before",
    )
    black_box_mb: int = Field(
        100, ge=1, le=1_000_000, description="megabytes of keep_mb that black boxes may take"
    )


class WorkerSettings(BaseModel, frozen=True, extra="forbid"):
    """Pictures of clients (POST /process) and thresholds to try out: one at a time, at low priority."""

    enabled: bool = Field(True, description="false refuses such requests")
    deadline_s: float = Field(30.0, gt=0, le=300, description="seconds that an external request may take")
    describe_s: float = Field(
        10.0,
        gt=0,
        le=120,
        description="of these, seconds the describer may take; the wearer's views go first",
    )
    memory_mb: int = Field(
        2048, ge=256, le=65536, description="megabytes that process may use; it takes no more than is free"
    )
    idle_s: float = Field(
        300.0, ge=1, le=86400, description="seconds without a request until the process ends"
    )
    keep_loaded: bool = Field(
        True,
        description="load its model soon after the start and keep it while 2 GB more are free; "
        "false loads it with the first request",
    )
    most_pixels: int = Field(50_000_000, ge=10_000, le=120_000_000, description="pixels a picture may have")


class PathsSettings(BaseModel, frozen=True, extra="forbid"):
    """Folders; `auto` takes those of the systemd unit, else the XDG base directories."""

    models: Path = Field(Path(paths.AUTO), description="auto | folder of the model store")
    state: Path = Field(Path(paths.AUTO), description="auto | folder of overrides, calibrations and journals")
    cache: Path = Field(Path(paths.AUTO), description="auto | folder of the cache, which can be deleted")


class LogSettings(BaseModel, frozen=True, extra="forbid"):
    """The log of the process."""

    level: Live[Literal["debug", "info", "warning", "error"]] = Field(
        "info", description="least severe messages that are written"
    )
    format: Literal["auto", "terminal", "journal"] = Field(
        "auto", description="auto notices whether systemd's journal is listening"
    )
