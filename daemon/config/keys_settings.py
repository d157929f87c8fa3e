"""The `[keys]` section: buttons that do what the commands do."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, cast, get_args

from pydantic import AfterValidator, BaseModel, Field

from daemon.config.key_names import code_of
from daemon.control.commands import KEY_ACTIONS
from daemon.keys.presses import Kind

KINDS: tuple[str, ...] = get_args(Kind)


def actions(text: str) -> Mapping[Kind, str]:
    """`"describe, double repeat, long hush"` in parts. Raises ValueError that says what is wrong."""
    found: dict[Kind, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, _, name = part.rpartition(" ")
        kind = kind.strip() or "short"
        if kind not in KINDS:
            raise ValueError(f"{part!r}: a press is short, double or long")
        if name not in KEY_ACTIONS:
            near = difflib.get_close_matches(name, KEY_ACTIONS, n=1)
            raise ValueError(f"{name!r} is no action; {_hint(near)}")
        if kind in found:
            raise ValueError(f"{text!r}: two actions for one {kind} press")
        found[cast(Kind, kind)] = name
    return found


def _hint(near: list[str]) -> str:
    return f"did you mean {near[0]}?" if near else f"one of {', '.join(KEY_ACTIONS)}"


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
    "nextsong": "repeat, long status",
    "previoussong": "status, long false_alarm",
    "kp5": "describe, long status",
    "kp0": "hush, long mute",
    "kpdot": "unmute, long earcons",
    "kpenter": "repeat, long false_alarm",
    "kp8": "louder",
    "kp2": "softer",
    "kp6": "faster",
    "kp4": "slower",
}
"""A headset's buttons, and a numeric keypad."""


class KeysSettings(BaseModel, frozen=True, extra="forbid"):
    """Buttons of a headset or a small keypad that do what the commands do."""

    device: str = Field(
        "", description="/dev/input/by-id/NAME, or a part of the device's name; empty uses no keys"
    )
    grab: bool = Field(True, description="true keeps the device's keys from everybody else")
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
