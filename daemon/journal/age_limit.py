"""Decides whether the clock can be trusted to judge the age of rows. Pure.

A machine whose clock has no battery, or a mistake in it, may start a month ahead: everything would be too old
at once, and be forgotten within seconds.
"""

from __future__ import annotations

DAY_S = 86_400.0
JUMP_S = 3_600.0
"""Seconds by which the wall clock may be set while the program runs; by more, it was or is wrong."""
TRUSTED_S = DAY_S
"""Seconds that a clock must run evenly after a jump before it is trusted."""
SHARE = 10
"""One part in so many of all events is forgotten for their age within `SHARE_S`."""
SHARE_S = 600.0


class AgeLimit:
    """Decides which rows may be deleted for their age, and how many at once."""

    def __init__(self, newest_s: float | None) -> None:
        """`newest_s`: when the last event of earlier runs was written, Unix seconds; None without any."""
        self._newest_s = newest_s
        self._offset_s: float | None = None
        self._doubted_since_s: float | None = None
        self._share_since_s = float("-inf")
        self._left = 0

    def before_s(self, keep_days: float, now: float, wall_s: float) -> float | None:
        """Unix time before which events are too old; None while the clock is in doubt. `now` is monotonic."""
        self._look_at_clock(now, wall_s)
        if self._doubted_since_s is not None:
            if now - self._doubted_since_s < TRUSTED_S:
                return None
            self._doubted_since_s = None
        return wall_s - keep_days * DAY_S

    def allowed(self, events: int, least: int, now: float) -> int:
        """How many of `events` may be deleted for their age now; `least` is always allowed."""
        if now - self._share_since_s >= SHARE_S:
            # In shares: should the clock be wrong after all, most of the journal survives the first hours.
            self._share_since_s, self._left = now, max(least, events // SHARE)
        return self._left

    def spend(self, count: int) -> None:
        """Count deleted events against the allowance."""
        self._left -= count

    def _look_at_clock(self, now: float, wall_s: float) -> None:
        # Wall clock less monotonic clock: constant unless the wall clock is set.
        offset_s, before_s = wall_s - now, self._offset_s
        self._offset_s = offset_s
        if before_s is None:
            leapt = self._newest_s is not None and wall_s - self._newest_s > DAY_S
        else:
            # At a start only the newest row tells: a day without the daemon is possible, so this only delays.
            leapt = abs(offset_s - before_s) > JUMP_S
        if leapt:
            self._doubted_since_s = now
