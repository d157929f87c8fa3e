"""Whether the machine runs on its battery (Documentation/ABI/testing/sysfs-class-power in Linux)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SUPPLIES = Path("/sys/class/power_supply")
_OF_DEVICE = "Device"
"""Scope of a battery that supplies something else, such as a wireless mouse."""


@dataclass(frozen=True, slots=True)
class Power:
    """The machine's power supply."""

    has_battery: bool = False
    on_battery: bool = False
    percent: int | None = None
    """Charge of the fullest battery, if it is known."""


def read_power(supplies: Path = SUPPLIES) -> Power:
    """Read the supplies; a machine without any has no battery."""
    batteries, plugged, discharging = list[Path](), list[bool](), list[bool]()
    # The folder may be missing, as in a container: then nothing is found.
    for supply in sorted(supplies.glob("*")):
        kind, scope = _read(supply, "type"), _read(supply, "scope")
        if kind == "Battery" and scope != _OF_DEVICE and _read(supply, "present") != "0":
            batteries.append(supply)
            discharging.append(_read(supply, "status") == "Discharging")
        elif kind in ("Mains", "USB", "Wireless"):
            plugged.append(_read(supply, "online") not in ("", "0"))
    if not batteries:
        return Power()
    # Some batteries report "Unknown"; a plug that is out says the same as "Discharging".
    on_battery = not any(plugged) and (any(discharging) or bool(plugged))
    charges = [int(text) for one in batteries if (text := _read(one, "capacity")).isdecimal()]
    return Power(True, on_battery, max(charges, default=None))


def _read(supply: Path, name: str) -> str:
    """The text of an attribute; empty if the driver does not have it."""
    with suppress(OSError, UnicodeDecodeError):
        return (supply / name).read_text(encoding="ascii").strip()
    return ""
