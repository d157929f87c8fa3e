"""A journal as its readers see it, and all pages of it. Imports nothing heavy: the web interface uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from daemon.control.commands import JournalCommand

if TYPE_CHECKING:
    from daemon.journal.marks import Verdict


class JournalSource(Protocol):
    """Reads a journal; everything raises CommandError."""

    def page(self, wanted: JournalCommand) -> Mapping[str, Any]: ...

    def picture(self, row: int) -> tuple[bytes, bool]: ...


class EditableJournal(JournalSource, Protocol):
    """Reads and changes a journal."""

    def mark(self, row: int, verdict: Verdict) -> str: ...

    def purge(self, before_s: float | None) -> Mapping[str, int]: ...


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
