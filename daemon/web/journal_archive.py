"""An export of the journal made in the web server, from what the daemon answers."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daemon.control.commands import Command, JournalCommand, SnapshotCommand
from daemon.journal.export import export
from daemon.web.daemon_client import DaemonClient

TIMEOUT_S = 20.0
"""Seconds for each of the daemon's answers."""


class WebJournal:
    """The daemon's journal for a thread beside the event loop. Everything raises CommandError."""

    def __init__(self, daemon: DaemonClient, loop: asyncio.AbstractEventLoop) -> None:
        self._daemon = daemon
        self._loop = loop

    def page(self, wanted: JournalCommand) -> Mapping[str, Any]:
        return self._ask(wanted)

    def picture(self, row: int) -> tuple[bytes, bool]:
        found = self._ask(SnapshotCommand(row=row))
        return base64.b64decode(found["jpeg"]), bool(found["pixelated"])

    def _ask(self, command: Command) -> dict[str, Any]:
        return asyncio.run_coroutine_threadsafe(self._daemon.ask(command, TIMEOUT_S), self._loop).result()


async def make_archive(daemon: DaemonClient, wanted: JournalCommand, most: int) -> bytes:
    """The zip file of the newest `most` events that fit. Raises CommandError."""
    source = WebJournal(daemon, asyncio.get_running_loop())
    # Files and compression would block the loop, and with it every stream.
    return await asyncio.to_thread(_make, source, wanted, most)


def _make(source: WebJournal, wanted: JournalCommand, most: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="watchword-export-") as folder:
        file = Path(folder) / "journal.zip"
        export(source, file, wanted, most)
        return file.read_bytes()
