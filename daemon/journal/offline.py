"""Changes the journal if no daemon runs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from daemon.errors import CommandError
from daemon.journal import retention
from daemon.journal.database_file import JournalLostError, JournalSetAsideError
from daemon.journal.marks import Marks, Verdict, mark_alert
from daemon.journal.paths import JournalPaths
from daemon.journal.store import JournalStore


def purge(paths: JournalPaths, before_s: float | None) -> Mapping[str, int]:
    """Delete all rows, or those older than a time (Unix seconds). Raises CommandError."""
    try:
        # Nothing to lock or open: a purge must not create an empty journal.
        if not paths.folder.is_dir():
            return {"events": 0, "pictures": 0, "black_boxes": retention.delete_false_alarms(paths, before_s)}
        with paths.lock():
            try:
                store = _opened(paths)
            except JournalSetAsideError as error:
                # Its events cannot be chosen by their age.
                if before_s is not None:
                    raise CommandError(f"the journal cannot be read: {error}") from None
                store = _opened(paths)
            except JournalLostError:
                # A damaged journal has been deleted; a new one is as empty as the purge was to make it.
                store = _opened(paths)
            try:
                return retention.purge_store(store, before_s)
            finally:
                store.close()
    except (OSError, sqlite3.Error) as error:
        raise CommandError(f"the journal in {paths.folder} cannot be changed: {error}") from None


def mark(
    paths: JournalPaths, hazards: Callable[[], Collection[str]], row: int, verdict: Verdict
) -> Mapping[str, Any]:
    """Keep a verdict on an alert, as `mark_alert` does.

    Raises CommandError, also if another process writes the journal.
    """
    try:
        # A lock needs the folder, and must not create it.
        if not paths.folder.is_dir():
            raise CommandError(f"{paths.folder}: there is no journal", "unavailable")
        with paths.lock():
            return mark_alert(paths, Marks(paths.marks), hazards, row, verdict)
    except OSError as error:
        raise CommandError(f"the journal in {paths.folder} cannot be changed: {error}") from None


def _opened(paths: JournalPaths) -> JournalStore:
    return JournalStore(paths, "offline", time.time(), {})
