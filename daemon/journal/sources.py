"""The journal seen from another process: through the running daemon, or from its files."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from daemon.control.client import ControlClient
from daemon.control.commands import JournalCommand, PurgeCommand, SnapshotCommand
from daemon.journal import offline
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading


class JournalSource(Protocol):
    """A journal; everything raises CommandError."""

    def page(self, wanted: JournalCommand) -> Mapping[str, Any]: ...

    def picture(self, row: int) -> tuple[bytes, bool]: ...

    def purge(self, before_s: float | None) -> Mapping[str, int]: ...


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


def pages(source: JournalSource, wanted: JournalCommand, most: int | None = None) -> Iterator[dict[str, Any]]:
    """Events of all pages, the newest first, `most` at most."""
    left = most
    # The last page may be shorter, so the limit is counted over all of them.
    while left is None or left > 0:
        limit = wanted.limit if left is None else min(wanted.limit, left)
        page = source.page(wanted.model_copy(update={"limit": limit}))
        yield from page["events"]
        if page["next"] is None:
            return
        wanted = wanted.model_copy(update={"before": page["next"]})
        left = None if left is None else left - len(page["events"])
