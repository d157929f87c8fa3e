"""Turns errors of the journal's writes into the health of the component `disk`. Pure but for its log."""

from __future__ import annotations

import errno
import logging
import sqlite3
from dataclasses import replace

from common.backoff import Backoff
from daemon.core.health import OK, Report
from daemon.journal.database_file import JournalLostError

log = logging.getLogger(__name__)

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FIRST_RETRY_S, MAX_RETRY_S = 1.0, 30.0
LOSS_S = 2.0
"""Seconds without a journal after its loss."""


class NoRoom(OSError):
    """Less is free than is to be left to others."""

    def __init__(self, free_mb: float, leave_mb: int) -> None:
        super().__init__(errno.ENOSPC, f"{free_mb:.0f} MB free, {leave_mb} are left to others")


def report(error: sqlite3.Error | OSError) -> Report:
    """The health report for an error of a write."""
    # The low byte is the primary code (sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    full = code == sqlite3.SQLITE_FULL or (isinstance(error, OSError) and error.errno in FULL)
    detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Report("disk", "full" if full else "failed", detail)


class DiskHealth:
    """Remembers whether writing works, and how long to wait before it is tried again."""

    def __init__(self) -> None:
        self.reason = ""
        """Empty while it works, or before it was tried."""
        self.failures = 0
        """The number of failures so far."""
        self.wait_s = 0.0
        self._backoff = Backoff(FIRST_RETRY_S, MAX_RETRY_S)

    def on_failure(self, error: sqlite3.Error | OSError) -> Report:
        """Record a failed write; try again after `wait_s`. Returns the report."""
        return self._failed(report(error))

    def _failed(self, health: Report) -> Report:
        # Once for each reason: the attempts are repeated every few seconds.
        if health.reason != self.reason:
            log.error("the journal cannot be written (%s): %s", health.reason, health.detail)
        if not self.reason:
            self.failures += 1
        self.reason = health.reason
        self.wait_s = self._backoff.next_s()
        return health

    def on_loss(self, error: sqlite3.Error | OSError) -> Report:
        """The journal was lost or set aside. A new one is begun after `wait_s`, so that this is announced
        first.
        """
        # Whatever else the error is: the events are not where they were.
        reason = error.reason if isinstance(error, JournalLostError) else "lost"
        health = self._failed(replace(report(error), reason=reason))
        self.wait_s = LOSS_S
        return health

    def on_success(self) -> Report | None:
        """Record a successful write; returns a report if the one before had failed, else None."""
        if not self.reason:
            return None
        log.info("the journal is written again")
        self.reason, self.wait_s = "", 0.0
        self._backoff.reset()
        return Report("disk", OK)
