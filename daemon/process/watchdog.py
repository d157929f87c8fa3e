"""Heartbeats of the vital parts, and systemd's watchdog, which is fed from them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from daemon.process.systemd import Notifier

log = logging.getLogger(__name__)

LONGEST_INTERVAL_S = 1.0

HUNG_S = 2.0
"""Seconds a frame may take before the detector counts as hung: a later warning is useless."""
FIRST_FRAME_S = 10.0
"""The same for the first frame of all."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A part whose last heartbeat is too old."""

    name: str
    age_s: float
    max_age_s: float

    def __str__(self) -> str:
        return f"{self.name} silent for {self.age_s:.1f} s (at most {self.max_age_s:g})"


class Heartbeats:
    """The last heartbeat of each part. All count as alive at the beginning."""

    def __init__(self, max_age_s: Mapping[str, float], now: float) -> None:
        self._max_age_s = dict(max_age_s)
        self._last_s = dict.fromkeys(self._max_age_s, now)

    def beat(self, name: str, now: float) -> None:
        """From any thread, without a lock: one assignment to a key that exists. KeyError for others."""
        # Raises for a misspelt name, which would otherwise never be watched.
        self._max_age_s[name]
        self._last_s[name] = now

    def stale(self, now: float) -> tuple[Stale, ...]:
        """The parts that have been silent for too long."""
        return tuple(
            Stale(name, age, self._max_age_s[name])
            for name, age in self.ages(now).items()
            if age > self._max_age_s[name]
        )

    def ages(self, now: float) -> dict[str, float]:
        """Seconds since each part's last sign of life."""
        return {name: max(0.0, now - last) for name, last in self._last_s.items()}


def is_hung(silent_s: float, *, seeing: bool, begun: bool) -> bool:
    """Whether the detector hangs in a frame, `silent_s` after its last sign of life.

    Not while there are no frames (it is the camera's fault then), and later at the first: it takes longest.
    """
    return seeing and silent_s > (HUNG_S if begun else FIRST_FRAME_S)


class WatchdogFeeder:
    """Feeds the watchdog only while every part is alive, so that systemd ends a process that is not."""

    def __init__(self, notifier: Notifier, beats: Heartbeats) -> None:
        self._notifier = notifier
        self._beats = beats
        self._silent: frozenset[str] = frozenset()
        watchdog = notifier.watchdog_s
        # A third: two calls may be late before systemd ends the process.
        self.interval_s = min(LONGEST_INTERVAL_S, watchdog / 3) if watchdog else LONGEST_INTERVAL_S
        """Seconds between two calls of `feed`."""

    def feed(self, now: float) -> tuple[Stale, ...]:
        """Feed the watchdog, or log once which part is silent."""
        stale = self._beats.stale(now)
        if not stale:
            self._notifier.watchdog()
        self._tell({s.name: s for s in stale})
        return stale

    def _tell(self, stale: Mapping[str, Stale]) -> None:
        for name in stale.keys() - self._silent:
            log.error("%s", stale[name])
        for name in self._silent - stale.keys():
            log.warning("%s gives signs of life again", name)
        self._silent = frozenset(stale)
