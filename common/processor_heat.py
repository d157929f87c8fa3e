"""Reads the temperature of the processor from Linux (Documentation/driver-api/thermal/sysfs-api.rst)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

ZONES = Path("/sys/class/thermal")
PROCESSOR = frozenset({"x86_pkg_temp", "TCPU", "cpu-thermal", "acpitz"})
"""Types of zones at the processor: a battery or radio may be hot by design."""
HOT_C = 95.0
"""Degrees Celsius near which a processor slows itself down."""


def hottest_c(zones: Path = ZONES) -> float | None:
    """The highest temperature at the processor, in degrees Celsius; None if nothing measures it."""
    found: list[float] = []
    for zone in zones.glob("thermal_zone*"):
        with suppress(OSError, ValueError):
            if (zone / "type").read_text().strip() in PROCESSOR:
                found.append(int((zone / "temp").read_text()) / 1000)
    return max(found, default=None)
