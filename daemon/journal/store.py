"""The journal as it is written: one owner, short transactions, files beside rows. Not for several threads."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common import atomic_file
from daemon.core.black_box import SUFFIX
from daemon.journal.database_file import DatabaseFile
from daemon.journal.paths import JournalPaths
from daemon.journal.pictures import KeptPicture
from daemon.journal.rows import JournalRow
from daemon.journal.schema import open_writer, remove

log = logging.getLogger(__name__)

KNOWN = 1000
"""Events of this run that are remembered as causes of later ones."""
VIEWS = 16
"""Frames whose pictures are remembered: an alert and the view described for it rest on the same."""
MAX_ALERTS_OF_RECORDING = 200
"""Alerts of the last minutes that may still get a black box."""


@dataclass(frozen=True, slots=True)
class Known:
    """The fields that later events inherit from their cause."""

    id: str
    row: int
    hazard: str | None
    picture: int | None


class JournalStore:
    """Raises sqlite3.Error and OSError if the disk fails; earlier transactions stay whole."""

    def __init__(self, paths: JournalPaths, run: str, began_s: float, metadata: Mapping[str, Any]) -> None:
        self._paths = paths
        self._run = run
        self._began_s = began_s
        self._metadata = json.dumps(metadata, ensure_ascii=False)
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._pictures: dict[int, int] = {}
        paths.prepare()
        self._database = open_writer(paths.database)
        try:
            self._file = DatabaseFile(paths.database)
        except OSError:
            self._database.close()
            raise
        self.newest_s = self._newest()
        """When the last event of earlier runs was written, Unix seconds; None without any."""
        self._insert_run()
        # After the run is inserted: files are deleted only by a process that can write the database.
        self._delete_orphans()
        self.pictures_bytes = self.query_number("SELECT ifnull(sum(bytes), 0) FROM pictures")
        self.recordings_bytes = self.query_number("SELECT ifnull(sum(bytes), 0) FROM boxes")

    def close(self) -> None:
        try:
            self._database.close()
        finally:
            self._file.close()

    def check_file(self) -> None:
        """Raises JournalLostError if the database was deleted, replaced or overwritten."""
        self._file.check()

    def _newest(self) -> float | None:
        (newest,) = self._database.execute(
            "SELECT wall_s FROM events WHERE run <> ? ORDER BY row DESC LIMIT 1", (self._run,)
        ).fetchone() or (None,)
        return None if newest is None else float(newest)

    @property
    def database(self) -> sqlite3.Connection:
        return self._database

    @property
    def paths(self) -> JournalPaths:
        return self._paths

    @property
    def bytes(self) -> int:
        """Bytes of the journal, without free pages of the database."""
        pages, free, size = (
            self.query_number(f"PRAGMA {n}") for n in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size + self.pictures_bytes + self.recordings_bytes)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        # IMMEDIATE takes the write lock now: a later upgrade could fail in the middle of the work.
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            # SQLite may have rolled back itself, as after a full disk.
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def write(self, rows: Sequence[JournalRow]) -> None:
        """Write all rows, or none after an error; the same rows may then be given again."""
        # What is remembered must match the database again after a rollback.
        before = self.pictures_bytes, self._known.copy(), self._pictures
        written: list[Path] = []
        try:
            with self.transaction():
                for row in rows:
                    self._write(row, written)
        except BaseException:
            self.pictures_bytes, self._known, self._pictures = before
            for file in written:
                file.unlink(missing_ok=True)
            raise
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        self._pictures = dict(list(self._pictures.items())[-VIEWS:])

    def _write(self, row: JournalRow, written: list[Path]) -> None:
        cause = self._known.get(row.cause or "")
        picture = cause.picture if cause else None
        if row.picture is not None:
            picture = self._pictures.get(row.picture.seq) or self._put_picture(row, row.picture, written)
            # The view's picture is stored only when its description comes; the view's own row gets it as
            # well.
            if row.kind == "describe" and cause is not None and cause.picture is None:
                self._known[cause.id] = replace(cause, picture=picture)
                self._database.execute("UPDATE events SET picture = ? WHERE row = ?", (picture, cause.row))
        hazard = row.hazard or (cause.hazard if cause else None)
        number = self._database.execute(
            "INSERT INTO events (wall_s, run, id, cause, kind, hazard, event, evidence, picture) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.wall_s,
                self._run,
                row.id,
                row.cause,
                row.kind,
                hazard,
                json.dumps(row.event, ensure_ascii=False, separators=(",", ":")),
                None if row.evidence is None else json.dumps(row.evidence, separators=(",", ":")),
                picture,
            ),
        ).lastrowid
        self._known[row.id] = Known(row.id, number or 0, hazard, picture)
        # Its first sentences were spoken before its last was there.
        if row.kind == "describe":
            self._database.execute(
                "UPDATE events SET picture = ?, hazard = ? WHERE run = ? AND cause = ? AND picture IS NULL",
                (picture, hazard, self._run, row.id),
            )

    def _put_picture(self, row: JournalRow, picture: KeptPicture, written: list[Path]) -> int:
        """Keep it, once for all events that rest on the same frame."""
        file = self._paths.pictures / f"{self._run}-{row.id}.jpg"
        # Before writing: a file that was cut short is removed after a failure too.
        written.append(file)
        # Before the row: a row must never name a missing file; an orphan file is deleted at the next start.
        atomic_file.write(file, picture.jpeg, mode=0o600)
        size = len(picture.jpeg)
        self.pictures_bytes += size
        values = (file.name, size, picture.pixelated)
        put = "INSERT INTO pictures (file, bytes, pixelated) VALUES (?, ?, ?)"
        number = int(self._database.execute(put, values).lastrowid or 0)
        self._pictures = {**self._pictures, picture.seq: number}
        return number

    def probe(self) -> None:
        """Write something, to find out if writing works again. Raises sqlite3.Error, OSError."""
        trial = self._paths.pictures / ".trial"
        atomic_file.write(trial, b"." * 4096, mode=0o600)
        trial.unlink(missing_ok=True)
        with self.transaction() as database:
            database.execute("UPDATE runs SET about = about WHERE name = ?", (self._run,))

    def new_recording(self) -> Path:
        """The path of the next black box."""
        number = self.query_number("SELECT ifnull(max(id), 0) + 1 FROM boxes")
        return self._paths.black_boxes / f"{self._run}-{number}{SUFFIX}"

    def add_recording(self, file: Path, alerts: Sequence[str]) -> None:
        """A black box has been saved that holds these alerts of this run; without any it is removed."""
        size = file.stat().st_size
        with self.transaction() as database:
            put = "INSERT INTO boxes (file, bytes) VALUES (?, ?)"
            box = database.execute(put, (file.name, size)).lastrowid
            shown = database.executemany(
                "UPDATE events SET box = ? WHERE id = ? AND run = ? AND kind = 'alert' AND box IS NULL",
                [(box, alert, self._run) for alert in alerts[-MAX_ALERTS_OF_RECORDING:]],
            ).rowcount
            # Its alerts have been deleted: nothing would ever delete the box with them.
            if shown < 1:
                database.execute("DELETE FROM boxes WHERE id = ?", (box,))
        if shown < 1:
            file.unlink(missing_ok=True)
        else:
            self.recordings_bytes += size

    def reset(self) -> None:
        """Delete everything; row numbers continue."""
        # Row numbers are shown to people (`#12`): one must not come to mean another event.
        last = self.query_number("SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'")
        # Closed and deleted instead of DELETE: no deleted row can be left in a free page.
        self.close()
        database = self._paths.database
        for file in (database, *(database.with_name(database.name + s) for s in ("-wal", "-shm"))):
            file.unlink(missing_ok=True)
        for file in (*_files(self._paths.pictures), *_files(self._paths.black_boxes)):
            remove(file)
        self._database = open_writer(database)
        self._file = DatabaseFile(database)
        self._database.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", (last,))
        self._insert_run()
        self._known.clear()
        self._pictures = {}
        self.pictures_bytes = self.recordings_bytes = 0

    def _insert_run(self) -> None:
        put = "INSERT OR IGNORE INTO runs (name, began_s, about) VALUES (?, ?, ?)"
        self._database.execute(put, (self._run, self._began_s, self._metadata))

    def _delete_orphans(self) -> None:
        """Remove files that no row knows: the process died between the one and the other."""
        for folder, question in (
            (self._paths.pictures, "SELECT file FROM pictures"),
            (self._paths.black_boxes, "SELECT file FROM boxes"),
        ):
            known = {name for (name,) in self._database.execute(question)}
            for file in _files(folder):
                if file.name not in known:
                    file.unlink(missing_ok=True)

    def query_number(self, question: str) -> int:
        """The number that a query returns."""
        return int(self._database.execute(question).fetchone()[0])


def _files(folder: Path) -> Iterator[Path]:
    yield from (entry for entry in folder.iterdir() if entry.is_file())
