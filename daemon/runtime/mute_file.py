"""Keeps a mute over a restart: a crash must not let descriptions loose in the middle of a meeting."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from common import atomic_file
from daemon.core.messages import Mute

log = logging.getLogger(__name__)

NAME = "mute.json"
LEAST_S = 1.0
"""Seconds of a mute that are still worth restoring."""


@dataclass(frozen=True, slots=True)
class _Kept:
    written_s: float
    """Unix time."""
    muted_s: float
    danger_muted_s: float


class MuteFile:
    """Written after each request, read once at the start."""

    def __init__(self, state: Path, wall: Callable[[], float] = time.time) -> None:
        self._file = state / NAME
        self._wall = wall

    def keep(self, muted_s: float, danger_muted_s: float) -> None:
        """Note the seconds of muting that are left; a failure is logged, the mute itself stands."""
        try:
            if muted_s > 0:
                kept = _Kept(self._wall(), muted_s, danger_muted_s)
                atomic_file.write(self._file, json.dumps(asdict(kept)), mode=0o600)
            else:
                self._file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the mute will not outlast a restart: %s", error)

    def inputs(self) -> Iterator[Mute]:
        """The requests that silence again for what is left of the time; none if it is over or unreadable."""
        try:
            kept = _Kept(**json.loads(self._file.read_text(encoding="utf-8")))
            # Never longer than it was requested for, even if the clock has jumped meanwhile.
            since_s = max(self._wall() - kept.written_s, 0.0)
            muted_s, danger_s = kept.muted_s - since_s, kept.danger_muted_s - since_s
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, RecursionError) as error:
            log.warning("the mute before the restart is forgotten: %s: %s", self._file, error)
            return
        if danger_s > LEAST_S:
            # Danger is silent after two requests by the wearer's hand, and only then.
            yield from (Mute(danger_s, "keys"),) * 2
        elif muted_s > LEAST_S:
            yield Mute(muted_s, "home")  # does not count as the first of two
