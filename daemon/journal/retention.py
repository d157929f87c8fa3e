"""Deletes old rows by age and size, in small steps so that writing is never held up for long."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from daemon.config.sections import JournalSettings
from daemon.journal.age_limit import DAY_S, AgeLimit
from daemon.journal.marks import Marks
from daemon.journal.paths import JournalPaths
from daemon.journal.set_aside import delete_kept_journals
from daemon.journal.store import JournalStore

BATCH = 400
"""Events forgotten at once at most."""
MB = 1_000_000
PAGES = 1_000
"""Pages of the database given back to the disk at once at most, 4 MB."""
FREE_PAGES = 500
"""Free pages it may keep for what comes next, 2 MB."""


def step(store: JournalStore, settings: JournalSettings, age: AgeLimit, now: float, wall_s: float) -> bool:
    """Delete some rows that are too old or too many; True if there are more to delete.

    `now` is monotonic, `wall_s` Unix seconds.
    """
    # Black boxes first: they are the largest, and their events can stay.
    if store.recordings_bytes > settings.black_box_mb * MB:
        return delete_oldest_recording(store)
    before_s = age.before_s(settings.keep_days, now, wall_s)
    if before_s is not None:
        # By age only as many as the clock can be trusted for; the size limit below knows no age.
        most = min(BATCH, age.allowed(store.query_number("SELECT count(*) FROM events"), BATCH, now))
        if most > 0 and (count := delete_events(store, before_s=before_s, until_s=wall_s + DAY_S, most=most)):
            age.spend(count)
            return True
    if store.bytes > settings.keep_mb * MB and delete_events(store):
        return True
    return _shrink_database(store)


def delete_events(
    store: JournalStore, *, before_s: float | None = None, until_s: float | None = None, most: int = BATCH
) -> int:
    """Delete the oldest events, and their pictures and black boxes unless another event needs them. Returns
    the count.

    With `until_s` (the present and a little more) the order of writing counts too: an event written after one
    that is not too old is not too old either, even if the clock was wrong then.
    """
    found = _oldest(store.database, before_s, until_s, most)
    if not found:
        return 0
    with store.transaction() as database:
        database.executemany("DELETE FROM events WHERE row = ?", [(row,) for row, _, _ in found])
        pictures = _orphans(database, "picture", (picture for _, picture, _ in found))
        boxes = _orphans(database, "box", (box for _, _, box in found))
        database.execute(
            "DELETE FROM runs WHERE began_s < (SELECT max(began_s) FROM runs) "
            "AND NOT EXISTS (SELECT 1 FROM events WHERE events.run = runs.name)"
        )
    # Files after the transaction: a crash between the two leaves an orphan file, which the next start
    # deletes.
    store.pictures_bytes -= _remove(store.paths.pictures, pictures)
    store.recordings_bytes -= _remove(store.paths.black_boxes, boxes)
    return len(found)


def purge_store(store: JournalStore, before_s: float | None) -> Mapping[str, int]:
    """Delete all, or everything older (Unix seconds), from the files too. Returns the counts."""
    had = count_all(store)
    marked = delete_false_alarms(store.paths, before_s)
    marks = Marks(store.paths.marks).forget(before_s)
    if before_s is None:
        delete_kept_journals(store.paths)
        store.reset()
    else:
        # In batches: one transaction over everything would block readers for seconds.
        while delete_events(store, before_s=before_s, most=10 * BATCH):
            pass
        # What was purged must leave the disk now, the write-ahead log included.
        store.database.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
    has = count_all(store)
    # By differences of counts: pictures and boxes go with their last event, wherever that happens.
    gone = {what: count - has[what] for what, count in had.items()}
    return {**gone, "pictures": gone["pictures"] + marks, "black_boxes": gone["black_boxes"] + marked}


def delete_false_alarms(paths: JournalPaths, before_s: float | None) -> int:
    """Delete the black boxes of alerts marked as wrong, which hold a minute each. Return their number."""
    gone = [
        file for file in paths.false_alarm_recordings if before_s is None or file.stat().st_mtime < before_s
    ]
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


def count_all(store: JournalStore) -> Mapping[str, int]:
    """The amount of everything stored."""
    return {
        "events": store.query_number("SELECT count(*) FROM events"),
        "pictures": store.query_number("SELECT count(*) FROM pictures"),
        "black_boxes": store.query_number("SELECT count(*) FROM boxes"),
    }


def delete_oldest_recording(store: JournalStore) -> bool:
    """Forget the oldest black box, though not its alerts. False if there is none."""
    found = store.database.execute("SELECT id, file, bytes FROM boxes ORDER BY id LIMIT 1").fetchone()
    if found is None:
        # The running sum was wrong, since there is none: it is put right here.
        store.recordings_bytes = 0
        return False
    id, file, size = found
    with store.transaction() as database:
        database.execute("UPDATE events SET box = NULL WHERE box = ?", (id,))
        database.execute("DELETE FROM boxes WHERE id = ?", (id,))
    store.recordings_bytes -= _remove(store.paths.black_boxes, [(file, size)])
    return True


def _oldest(
    database: sqlite3.Connection, before_s: float | None, until_s: float | None, most: int
) -> Sequence[tuple[int, int | None, int | None]]:
    if before_s is None:
        question = "SELECT row, picture, box FROM events ORDER BY row LIMIT ?"
        return database.execute(question, (most,)).fetchall()
    if until_s is not None:
        # Rows before the first one that is young enough, even if their own time is later.
        question = (
            "SELECT row, picture, box FROM events WHERE wall_s < ?1 AND row < ifnull("
            "(SELECT min(row) FROM events WHERE wall_s BETWEEN ?1 AND ?2), 1 << 62) ORDER BY row LIMIT ?3"
        )
        return database.execute(question, (before_s, until_s, most)).fetchall()
    question = "SELECT row, picture, box FROM events WHERE wall_s < ? ORDER BY wall_s LIMIT ?"
    return database.execute(question, (before_s, most)).fetchall()


DELETE_ORPHAN = {
    "picture": "DELETE FROM pictures WHERE id = ?1 AND NOT EXISTS "
    "(SELECT 1 FROM events WHERE picture = ?1) RETURNING file, bytes",
    "box": "DELETE FROM boxes WHERE id = ?1 AND NOT EXISTS "
    "(SELECT 1 FROM events WHERE box = ?1) RETURNING file, bytes",
}


def _orphans(database: sqlite3.Connection, column: str, ids: Iterable[int | None]) -> list[tuple[str, int]]:
    """Take out of their table those that no event shows any more; their files and sizes."""
    gone = []
    # A set: several events of one batch can share a picture.
    for id in {id for id in ids if id is not None}:
        gone += database.execute(DELETE_ORPHAN[column], (id,)).fetchall()
    return gone


def _remove(folder: Path, files: Sequence[tuple[str, int]]) -> int:
    for name, _ in files:
        (folder / name).unlink(missing_ok=True)
    return sum(size for _, size in files)


def _shrink_database(store: JournalStore) -> bool:
    """Shorten the file; True if there is more of that to do."""
    free = int(store.database.execute("PRAGMA freelist_count").fetchone()[0])
    if free > FREE_PAGES:
        # As a script: it gives a row without columns for every page, which a cursor would not fetch.
        store.database.executescript(f"PRAGMA incremental_vacuum({PAGES})")
    return free - PAGES > FREE_PAGES
