"""The journal's database: its tables, its versions, and how it is opened or begun anew. SQLite, WAL.

`synchronous = NORMAL`: when the process dies nothing that was committed is lost; when the power fails the
last seconds may be, and the database is whole all the same.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from daemon.errors import CommandError
from daemon.journal.database_file import JournalLostError, JournalSetAsideError
from daemon.journal.paths import JournalPaths
from daemon.journal.set_aside import cure, set_aside

log = logging.getLogger(__name__)

APPLICATION = 0x57574A31
"""`PRAGMA application_id`: this file is ours (WWJ1)."""

TABLES = """
CREATE TABLE runs (
  name TEXT PRIMARY KEY,
  began_s REAL NOT NULL,
  about TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE pictures (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  file TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  pixelated INTEGER NOT NULL
);
CREATE TABLE boxes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  file TEXT NOT NULL,
  bytes INTEGER NOT NULL
);
CREATE TABLE events (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  wall_s REAL NOT NULL,
  run TEXT NOT NULL,
  id TEXT NOT NULL,
  cause TEXT,
  kind TEXT NOT NULL,
  hazard TEXT,
  event TEXT NOT NULL,
  evidence TEXT,
  picture INTEGER,
  box INTEGER
);
CREATE INDEX events_wall ON events (wall_s);
CREATE INDEX events_id ON events (id);
CREATE INDEX events_cause ON events (run, cause);
CREATE INDEX events_kind ON events (kind);
CREATE INDEX events_hazard ON events (hazard, kind);
CREATE INDEX events_hazard_only ON events (hazard);
CREATE INDEX events_picture ON events (picture) WHERE picture IS NOT NULL;
CREATE INDEX events_box ON events (box) WHERE box IS NOT NULL;
"""

STEPS: Sequence[str] = (TABLES,)
"""From an empty file to version 1, from version 1 to 2, and so on; the version is `PRAGMA user_version`."""

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})


class Unreadable(CommandError):
    """The database is damaged."""


class UnknownDatabase(CommandError):
    """The database is whole, but of another program or of a later version."""

    def __init__(self, message: str, origin: str) -> None:
        super().__init__(message)
        self.origin = origin
        """A name for its folder: `version-2`, `unknown`."""


def damaged(error: sqlite3.Error) -> bool:
    """True if the file itself is damaged, and not the disk full or the database busy."""
    # The low byte is the primary code; extended codes add the place where it happened.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


def open_writer(path: Path, steps: Sequence[str] = STEPS) -> sqlite3.Connection:
    """Open the database, made or brought up to date.

    One of a later version, or of another program, is set aside with its files, and JournalSetAsideError is
    raised. A damaged one is deleted, and JournalLostError is raised. The next call begins a new one. Raises
    sqlite3.Error and OSError if the disk fails.
    """
    if path.is_dir():
        why = "it is a folder"
    else:
        try:
            return _opened(path, steps)
        except UnknownDatabase as error:
            raise _keep(path, error) from None
        except Unreadable as error:
            why = str(error)
        except sqlite3.DatabaseError as error:
            if not damaged(error):
                raise
            why = f"damaged ({error})"
    discard(path, why)
    raise JournalLostError(f"the journal could not be read: {why}")


def _keep(path: Path, error: UnknownDatabase) -> JournalSetAsideError:
    folder = set_aside(JournalPaths(path.parent), error.origin)
    log.error("the journal cannot be read: %s; %s", error, cure(folder))
    return JournalSetAsideError(f"{error}; it is kept in {folder}")


def open_reader(path: Path, steps: Sequence[str] = STEPS) -> sqlite3.Connection:
    """Open for reading only; works while another process writes. Raises CommandError."""
    if not path.is_file():
        raise CommandError(f"there is no journal in {path.parent}", "unavailable")
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
    except sqlite3.Error as error:
        raise CommandError(f"the journal {path} cannot be read: {error}", "unavailable") from None
    try:
        _known(database, path, steps)
    except (sqlite3.Error, Unreadable, UnknownDatabase) as error:
        database.close()
        raise CommandError(f"the journal {path} cannot be read: {error}", "unavailable") from None
    return database


def _opened(path: Path, steps: Sequence[str]) -> sqlite3.Connection:
    # Transactions are begun by hand; the module would begin one of its own before each change.
    database = sqlite3.connect(path, isolation_level=None, timeout=2.0)
    try:
        version = _known(database, path, steps)
        if not version:
            # Only possible before the first table exists.
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _ruled(database)
        if version:
            _whole(database)
        _brought_up(database, version, steps)
    # Also on KeyboardInterrupt: an open connection keeps its lock on the file.
    except BaseException:
        database.close()
        raise
    return database


def _ruled(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA wal_autocheckpoint = 250")  # pages: the file beside it stays near a megabyte
    database.execute("PRAGMA journal_size_limit = 1048576")
    database.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten


def _known(database: sqlite3.Connection, path: Path, steps: Sequence[str]) -> int:
    """The version of the schema; 0 for a new file. Raises UnknownDatabase."""
    # A new file has neither a version nor a schema.
    application, version = _pragma(database, "application_id"), _pragma(database, "user_version")
    if application == 0 and version == 0 and not _pragma(database, "schema_version"):
        return 0
    if application != APPLICATION:
        raise UnknownDatabase(f"{path} is not a journal of ours", "unknown")
    if version > len(steps):
        message = f"it is of version {version}; this watchword reads up to {len(steps)}"
        raise UnknownDatabase(message, f"version-{version}")
    return version


def _whole(database: sqlite3.Connection) -> None:
    # The first fault is enough: the database is discarded anyway.
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise Unreadable(f"damaged ({verdict})")


def _brought_up(database: sqlite3.Connection, version: int, steps: Sequence[str]) -> None:
    for number, step in enumerate(steps[version:], start=version + 1):
        if version:
            log.info("the journal is brought from version %d to %d", number - 1, number)
        # One transaction: a crash leaves the old version or the new one, nothing between.
        database.executescript(
            f"BEGIN IMMEDIATE; {step}; PRAGMA application_id = {APPLICATION}; "
            f"PRAGMA user_version = {number}; COMMIT"
        )


def _pragma(database: sqlite3.Connection, name: str) -> int:
    with closing(database.execute(f"PRAGMA {name}")) as rows:
        return int(rows.fetchone()[0])


def discard(path: Path, why: str) -> None:
    """Delete a database that cannot be read, so that a new one can be begun. Raises OSError."""
    # The database last: after a crash in between, SQLite must not find its write-ahead log beside a new one.
    for suffix in ("-wal", "-shm", ""):
        remove(path.with_name(path.name + suffix))
    log.error("the journal cannot be read: %s; it is deleted, a new one is begun", why)


def remove(path: Path) -> None:
    """Delete a file, or a folder that was put in its place. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
