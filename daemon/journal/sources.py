"""The journal seen from another process: through the running daemon, or from its files."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from typing import Any

from daemon.control.client import ControlClient
from daemon.control.commands import JournalCommand, MarkCommand, PurgeCommand, SnapshotCommand
from daemon.journal import offline
from daemon.journal.marks import Marks, Verdict, with_marks
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading


class DaemonJournal:
    """The journal of the running daemon."""

    def __init__(self, client: ControlClient) -> None:
        self._client = client

    def page(self, wanted: JournalCommand) -> Mapping[str, Any]:
        return self._client.ask(wanted)

    def picture(self, row: int) -> tuple[bytes, bool]:
        found = self._client.ask(SnapshotCommand(row=row))
        return base64.b64decode(found["jpeg"]), bool(found["pixelated"])

    def mark(self, row: int, verdict: Verdict) -> str:
        return str(self._client.ask(MarkCommand(row=row, verdict=verdict))["file"])

    def purge(self, before_s: float | None) -> Mapping[str, int]:
        return self._client.ask(PurgeCommand(before=before_s))


class OfflineJournal:
    """The files of a journal whose daemon does not run."""

    def __init__(self, paths: JournalPaths, hazards: Callable[[], Collection[str]]) -> None:
        """`hazards` returns the names of those that the settings enable, for the labels of marks."""
        self._paths = paths
        self._hazards = hazards

    def page(self, wanted: JournalCommand) -> Mapping[str, Any]:
        with reading(self._paths) as reader:
            found = reader.page(wanted)
        return {**found, "events": with_marks(found["events"], Marks(self._paths.marks))}

    def picture(self, row: int) -> tuple[bytes, bool]:
        with reading(self._paths) as reader:
            return reader.picture(row)

    def mark(self, row: int, verdict: Verdict) -> str:
        return str(offline.mark(self._paths, self._hazards, row, verdict)["file"])

    def purge(self, before_s: float | None) -> Mapping[str, int]:
        return offline.purge(self._paths, before_s)
