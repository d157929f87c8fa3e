"""Converts times as people write them, `90m`, `2d`, `2026-11-25 14:30`, to seconds of a clock."""

from __future__ import annotations

import re
from datetime import datetime

from daemon.errors import UsageError

ALWAYS_S = float("inf")
"""A time of the clock that is later than everything."""
UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_AGO = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([smhdw])")


def parse_time(text: str, now_s: float) -> float:
    """Unix seconds; a length is that long ago, a date without offset is local time. Raises UsageError."""
    if ago := _AGO.fullmatch(text):
        return now_s - float(ago[1]) * UNITS_S[ago[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{text}: should be a length such as 90m, 1h or 2d, or a date such as 2026-11-25T14:30"
        ) from None


def to_clock(wall_s: float | None, clock_s: float, now_s: float) -> float:
    """A moment (Unix seconds) as a time of the clock that shows `clock_s` at `now_s`; `ALWAYS_S` for None."""
    # The clock counts monotonic seconds; the two run at the same speed, so a difference converts.
    return ALWAYS_S if wall_s is None else clock_s - (now_s - wall_s)
