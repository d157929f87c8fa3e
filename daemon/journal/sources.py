"""The journal seen from another process: through the running daemon, or from its files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from daemon.control.client import ControlClient
from daemon.control.commands import JournalCommand, PurgeCommand, SnapshotCommand
from daemon.journal import offline
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading


class DaemonJournal:
    """The daemon's."""

    def __init__(self, client: ControlClient) -> None:
        self._client = client

    def page(self, wanted: JournalCommand) -> Mapping[str, Any]:
        return self._client.ask(wanted)

    def picture(self, row: int) -> tuple[bytes, bool]:
        found = self._client.ask(SnapshotCommand(row=row))
        return base64.b64decode(found["jpeg"]), bool(found["pixelated"])

    def purge(self, before_s: float | None) -> Mapping[str, int]:
        return self._client.ask(PurgeCommand(before=before_s))


class OfflineJournal:
    """One whose daemon does not run."""

    def __init__(self, paths: JournalPaths) -> None:
        self._paths = paths

    def page(self, wanted: JournalCommand) -> Mapping[str, Any]:
        with reading(self._paths) as reader:
            return reader.page(wanted)

    def picture(self, row: int) -> tuple[bytes, bool]:
        with reading(self._paths) as reader:
            return reader.picture(row)

    def purge(self, before_s: float | None) -> Mapping[str, int]:
        return offline.purge(self._paths, before_s)
