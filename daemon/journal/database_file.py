"""Detects that the journal's database was deleted, replaced or overwritten while it is open.

SQLite itself goes on writing into a file that has no name any more, and finds damage only where it reads.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MAGIC = b"SQLite format 3\0"
"""The first bytes of every database (sqlite.org/fileformat.html)."""


class JournalLostError(OSError):
    """The database is gone; the message says how."""

    reason = "lost"
    """Of the component `disk`."""

    def __init__(self, how: str) -> None:
        super().__init__(errno.ENOENT, how)


class JournalSetAsideError(JournalLostError):
    """This version cannot read the database, which was moved to a folder; the message says where."""

    reason = "set_aside"


class DatabaseFile:
    """The file of an open database.

    It keeps a handle of its own: closing any handle of a file drops the locks that SQLite holds on it, so it
    must be closed after the database.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def check(self) -> None:
        """Raises JournalLostError if the path is not this database any more."""
        try:
            # lstat: a link in its place would lead to another file.
            there = self._path.lstat()
        except OSError:
            raise JournalLostError("the journal's database was deleted") from None
        if not stat.S_ISREG(there.st_mode):
            raise JournalLostError("something else is in place of the journal's database")
        ours = os.fstat(self._handle)
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            raise JournalLostError("the journal's database was replaced by another")
        # The same inode can be written over, as `cp` does.
        if os.pread(self._handle, len(MAGIC), 0) != MAGIC:
            raise JournalLostError("the journal's database was overwritten")

    def close(self) -> None:
        """Safe to call twice."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)
