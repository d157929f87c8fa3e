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
from daemon.journal.paths import JournalPaths
from daemon.journal.pictures import KeptPicture
from daemon.journal.rows import JournalRow
from daemon.journal.schema import open_writer

log = logging.getLogger(__name__)

KNOWN = 1000
"""Events of this run that are remembered as causes of later ones."""
VIEWS = 16
"""Frames whose pictures are remembered: an alert and the view described for it rest on the same."""
BOXED = 200
"""Alerts of the last minutes that may still get a black box."""


@dataclass(frozen=True, slots=True)
class Known:
    """What later events inherit from their cause."""

    id: str
    row: int
    hazard: str | None
    picture: int | None


class JournalStore:
    """Raises sqlite3.Error and OSError where the disk does not let us; what was written then is whole."""

    def __init__(self, places: JournalPaths, run: str, began_s: float, about: Mapping[str, Any]) -> None:
        self._places = places
        self._run = run
        self._began_s = began_s
        self._about = json.dumps(about, ensure_ascii=False)
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._pictures: dict[int, int] = {}
        places.prepare()
        self._database = open_writer(places.database)
        self._note_run()
        self._sweep()
        self.aside_bytes = self.places.aside_bytes
        self.pictures_bytes = self.one("SELECT ifnull(sum(bytes), 0) FROM pictures")
        self.boxes_bytes = self.one("SELECT ifnull(sum(bytes), 0) FROM boxes")

    def close(self) -> None:
        self._database.close()

    @property
    def database(self) -> sqlite3.Connection:
        return self._database

    @property
    def places(self) -> JournalPaths:
        return self._places

    @property
    def bytes(self) -> int:
        """What all of it takes, the part of the database that is free again left out."""
        pages, free, size = (self.one(f"PRAGMA {n}") for n in ("page_count", "freelist_count", "page_size"))
        return int((pages - free) * size + self.pictures_bytes + self.boxes_bytes + self.aside_bytes)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def write(self, notes: Sequence[JournalRow]) -> None:
        """All of them, or none: then the same notes may be given again."""
        before = self.pictures_bytes, self._known.copy(), self._pictures
        written: list[Path] = []
        try:
            with self.transaction():
                for note in notes:
                    self._write(note, written)
        except BaseException:
            self.pictures_bytes, self._known, self._pictures = before
            for file in written:
                file.unlink(missing_ok=True)
            raise
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        self._pictures = dict(list(self._pictures.items())[-VIEWS:])

    def _write(self, note: JournalRow, written: list[Path]) -> None:
        cause = self._known.get(note.cause or "")
        picture = cause.picture if cause else None
        if note.picture is not None:
            picture = self._pictures.get(note.picture.seq) or self._put_picture(note, note.picture, written)
            if note.kind == "describe" and cause is not None and cause.picture is None:
                self._known[cause.id] = replace(cause, picture=picture)
                self._database.execute("UPDATE events SET picture = ? WHERE row = ?", (picture, cause.row))
        hazard = note.hazard or (cause.hazard if cause else None)
        row = self._database.execute(
            "INSERT INTO events (wall_s, run, id, cause, kind, hazard, event, evidence, picture) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                note.wall_s,
                self._run,
                note.id,
                note.cause,
                note.kind,
                hazard,
                json.dumps(note.event, ensure_ascii=False, separators=(",", ":")),
                None if note.evidence is None else json.dumps(note.evidence, separators=(",", ":")),
                picture,
            ),
        ).lastrowid
        self._known[note.id] = Known(note.id, row or 0, hazard, picture)
        if note.kind == "describe":  # its first sentences were spoken before its last was there
            self._database.execute(
                "UPDATE events SET picture = ?, hazard = ? WHERE run = ? AND cause = ? AND picture IS NULL",
                (picture, hazard, self._run, note.id),
            )

    def _put_picture(self, note: JournalRow, picture: KeptPicture, written: list[Path]) -> int:
        """Keep it, once for all events that rest on the same frame."""
        file = self._places.pictures / f"{self._run}-{note.id}.jpg"
        written.append(file)
        atomic_file.write(file, picture.jpeg, mode=0o600)
        size = len(picture.jpeg)
        self.pictures_bytes += size
        values = (file.name, size, picture.pixelated)
        put = "INSERT INTO pictures (file, bytes, pixelated) VALUES (?, ?, ?)"
        number = int(self._database.execute(put, values).lastrowid or 0)
        self._pictures = {**self._pictures, picture.seq: number}
        return number

    def try_out(self) -> None:
        """Write something, to see whether it works again."""
        trial = self._places.pictures / ".trial"
        atomic_file.write(trial, b"." * 4096, mode=0o600)
        trial.unlink(missing_ok=True)
        with self.transaction() as database:
            database.execute("UPDATE runs SET about = about WHERE name = ?", (self._run,))

    def new_box(self) -> Path:
        """Where the next black box is to be saved."""
        number = self.one("SELECT ifnull(max(id), 0) + 1 FROM boxes")
        return self._places.black_boxes / f"{self._run}-{number}{SUFFIX}"

    def add_box(self, file: Path, alerts: Sequence[str]) -> None:
        """A black box has been saved that holds these alerts of this run; without any it is removed."""
        size = file.stat().st_size
        with self.transaction() as database:
            put = "INSERT INTO boxes (file, bytes) VALUES (?, ?)"
            box = database.execute(put, (file.name, size)).lastrowid
            shown = database.executemany(
                "UPDATE events SET box = ? WHERE id = ? AND run = ? AND kind = 'alert' AND box IS NULL",
                [(box, alert, self._run) for alert in alerts[-BOXED:]],
            ).rowcount
            if shown < 1:  # its alerts have been forgotten: nothing would ever take it away with them
                database.execute("DELETE FROM boxes WHERE id = ?", (box,))
        if shown < 1:
            file.unlink(missing_ok=True)
        else:
            self.boxes_bytes += size

    def begin_anew(self) -> None:
        """Forget everything, also what cannot be read any more; row numbers go on."""
        last = self.one("SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'")
        self._database.close()
        database = self._places.database
        for file in (database, *(database.with_name(database.name + s) for s in ("-wal", "-shm"))):
            file.unlink(missing_ok=True)
        for file in (*self._places.aside, *_files(self._places.pictures), *_files(self._places.black_boxes)):
            file.unlink(missing_ok=True)
        self._database = open_writer(database)
        self._database.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", (last,))
        self._note_run()
        self._known.clear()
        self._pictures = {}
        self.pictures_bytes = self.boxes_bytes = self.aside_bytes = 0

    def forget_aside(self, before_s: float | None = None) -> int:
        """Remove what was moved aside and last written before that (Unix seconds), or the oldest."""
        found = self._places.aside_ends
        gone = found[:1] if before_s is None else [(name, end_s) for name, end_s in found if end_s < before_s]
        for name, _ in gone:
            for suffix in ("", "-wal", "-shm"):
                self._places.folder.joinpath(name + suffix).unlink(missing_ok=True)
        self.aside_bytes = self._places.aside_bytes
        return len(gone)

    def _note_run(self) -> None:
        put = "INSERT OR IGNORE INTO runs (name, began_s, about) VALUES (?, ?, ?)"
        self._database.execute(put, (self._run, self._began_s, self._about))

    def _sweep(self) -> None:
        """Remove files that no row knows: the process died between the one and the other."""
        for folder, question in (
            (self._places.pictures, "SELECT file FROM pictures"),
            (self._places.black_boxes, "SELECT file FROM boxes"),
        ):
            known = {name for (name,) in self._database.execute(question)}
            for file in _files(folder):
                if file.name not in known:
                    file.unlink(missing_ok=True)

    def one(self, question: str) -> int:
        """The one number that answers it."""
        return int(self._database.execute(question).fetchone()[0])


def _files(folder: Path) -> Iterator[Path]:
    yield from (entry for entry in folder.iterdir() if entry.is_file())
