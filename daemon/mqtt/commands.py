"""Commands over MQTT, validated; none can silence danger. Pure."""

from __future__ import annotations

import math
from typing import Any

from daemon.control.commands import COMMANDS, Command, MuteCommand
from daemon.control.protocol import checked
from daemon.errors import CommandError
from daemon.mqtt.discovery import OFF, ON

LONGEST = 4096
"""Largest payload of a command, in bytes."""
COMMAND_BURST, COMMANDS_PER_S = 10.0, 1.0
"""Commands accepted at once, and per second."""
PRESS = "PRESS"
"""The payload of a button in Home Assistant."""
MOST_MINUTES = 1440


class CommandRefused(CommandError):
    """A command that is not carried out; the message says why."""


def commands(name: str, payload: bytes, muted_s: float, mute_minutes: float) -> tuple[Command, ...]:
    """Translate a message on a command topic into commands for the daemon. Raises CommandRefused.

    `muted_s`: seconds for which the daemon is still muted. `mute_minutes`: length of the switch's mute.
    """
    text = _text(payload)
    if (kind := COMMANDS.get(name)) is not None and (entity := kind.mqtt) is not None:
        if entity.text_field:
            return (_checked(kind, **{entity.text_field: text}),)
        if text != PRESS:
            raise CommandRefused(f"{name}: only {PRESS} is understood")
        return (kind(),)
    match name:
        case "mute" if text == OFF:
            # `by="home"`: two mutes in a row silence danger only if they come from the wearer's own hand.
            return (MuteCommand(seconds=0, by="home"),)
        case "mute" if text == ON:
            # Not started again: Home Assistant repeats the state it wants.
            return () if muted_s > 0 else (MuteCommand(seconds=mute_minutes * 60, by="home"),)
        case "mute_minutes":
            return _mute_for(_minutes(text), muted_s)
    raise CommandRefused(f"{name}: no such command, or not with {text[:40]!r}")


def _mute_for(minutes: float, muted_s: float) -> tuple[Command, ...]:
    """Unmute first if it is muted: the new length holds, also if it is shorter."""
    end = (MuteCommand(seconds=0, by="home"),) if muted_s > 0 or not minutes else ()
    return (*end, MuteCommand(seconds=minutes * 60, by="home")) if minutes else end


def _text(payload: bytes) -> str:
    if len(payload) > LONGEST:
        raise CommandRefused(f"a command may have {LONGEST} bytes at most")
    try:
        return payload.decode().strip()
    except UnicodeDecodeError:
        raise CommandRefused("a command is text in UTF-8") from None


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    # NaN compares false with everything, so it is refused here too.
    if not 0 <= minutes <= MOST_MINUTES:
        raise CommandRefused(f"mute_minutes: {text[:40]!r} should be a number from 0 to {MOST_MINUTES}")
    return minutes


def _checked(kind: type[Command], **fields: Any) -> Command:
    try:
        return checked(kind, **fields)
    except CommandError as error:
        raise CommandRefused(str(error)) from None
