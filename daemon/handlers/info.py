"""The parts of the running daemon that its handlers read, apart from the live parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from daemon.config.settings import Loaded, Settings
from daemon.control.event_feed import EventFeed
from daemon.keys.reader import KeyReader
from daemon.process.supervisor import Supervisor
from daemon.process.watchdog import Heartbeats
from daemon.runtime.rate import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonInfo:
    """Settings as loaded at the start, and the objects of the main thread."""

    loaded: Loaded
    defaults: Settings
    source: str
    """Without credentials."""
    clock: Callable[[], float]
    started_s: float
    rate: Rate
    """Of assessed frames."""
    feed: EventFeed
    heartbeats: Heartbeats
    supervisor: Supervisor
    keys: KeyReader
