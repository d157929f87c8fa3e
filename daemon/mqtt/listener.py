"""The bridge's client of the daemon: commands in the caller's thread, events in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from daemon.control.client import ControlClient, connect_any
from daemon.control.commands import Command
from daemon.errors import CommandError, ConfigError

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
RETRY_S = 2.0
MISSED = '{"kind":"dropped","count":0}'
"""Delivered after each reconnection, since events may have been missed."""


class DaemonListener:
    """Sends commands and subscribes to events. `sockets`: paths to try, the likeliest first."""

    def __init__(self, sockets: Callable[[], Iterable[Path]], timeout_s: float = TIMEOUT_S) -> None:
        self._sockets = sockets
        self._timeout_s = timeout_s
        self._subscriptions: list[_Subscription] = []

    def ask(self, command: Command) -> Mapping[str, Any]:
        """Send a command and return its result. Raises CommandError, within `timeout_s`."""
        # A connection for each command: the bridge asks seldom, and a daemon's restart needs no care.
        with self._connect() as client:
            return client.ask(command)

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener` with each event, across restarts of the daemon. Returns a function that ends it."""
        subscription = _Subscription(self._connect, listener)
        self._subscriptions.append(subscription)
        return subscription.close

    @property
    def is_alive(self) -> bool:
        """False if the thread of any subscription has ended."""
        return all(each.is_alive for each in self._subscriptions)

    def _connect(self) -> ControlClient:
        try:
            return connect_any(self._sockets(), self._timeout_s)
        except (ConfigError, OSError) as error:  # the path may come from settings that are being edited
            raise CommandError(f"the daemon's socket cannot be determined: {error}", "unavailable") from error


class _Subscription:
    def __init__(self, connect: Callable[[], ControlClient], listener: Callable[[str], None]) -> None:
        self._connect = connect
        self._listener = listener
        self._closing = threading.Event()
        self._client: ControlClient | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt events", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Ends within about a second."""
        self._closing.set()
        client = self._client
        # Closing the socket ends a blocked read in the other thread.
        if client is not None:
            client.close()
        self._thread.join(2 * TIMEOUT_S)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with self._connect() as self._client:
                    self._forward(self._client)
            except (CommandError, OSError) as error:
                log.debug("home automation: no events: %s", error)
            # Also after a normal end: a daemon that refuses streams must not be asked in a tight loop.
            self._closing.wait(RETRY_S)

    def _forward(self, client: ControlClient) -> None:
        lines = client.events()
        # Before the first event: the status is read again, which holds what was missed.
        self._listener(MISSED)
        for line in lines:
            if self._closing.is_set():
                return
            self._listener(line)
