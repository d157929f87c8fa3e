"""Keeps a journal that this version cannot read: it is moved into a folder of its own, whole.

So a downgrade loses nothing. The next start of the version that wrote it, or of a later one, can be given the
files back.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

from daemon.journal.paths import JournalPaths

PREFIX = "kept-"


def set_aside(paths: JournalPaths, name: str) -> Path:
    """Move the database, its pictures and black boxes to `kept-NAME` in the journal's folder. Raises OSError.

    Marks stay: they do not depend on the database. The database must be closed.
    """
    there = _unused(paths, name)
    there.folder.mkdir(mode=0o700, exist_ok=True)
    for old, new in ((paths.pictures, there.pictures), (paths.black_boxes, there.black_boxes)):
        new.mkdir(mode=0o700, exist_ok=True)
        # File by file: after a crash in between, the rest follows into the same folder.
        for file in old.iterdir() if old.is_dir() else ():
            file.rename(new / file.name)
    # The database last: until then the next start finds an unreadable one and goes on here.
    for suffix in ("-wal", "-shm", ""):
        file = paths.database.with_name(paths.database.name + suffix)
        if file.exists():
            file.rename(there.folder / file.name)
    return there.folder


def _unused(paths: JournalPaths, name: str) -> JournalPaths:
    """The first folder of this name without a database."""
    for number in itertools.count(1):
        folder = paths.folder / (f"{PREFIX}{name}" + (f"-{number}" if number > 1 else ""))
        if not (there := JournalPaths(folder)).database.exists():
            return there
    raise AssertionError  # unreachable: the count has no end


def kept_journals(paths: JournalPaths) -> Iterator[Path]:
    """The folders of journals that were set aside, sorted. Raises OSError."""
    if paths.folder.is_dir():
        yield from sorted(folder for folder in paths.folder.glob(f"{PREFIX}*") if folder.is_dir())


def delete_kept_journals(paths: JournalPaths) -> None:
    """Delete all journals that were set aside. Raises OSError."""
    for folder in kept_journals(paths):
        shutil.rmtree(folder)


def cure(folder: Path) -> str:
    """What to do with a journal that was set aside."""
    return (
        f"it is kept in {folder}; to read it, install the version of watchword that wrote it, stop the "
        f"daemon, and put what is in there in place of the files and folders of the same names in "
        f"{folder.parent}; `watchword journal purge --all` deletes it"
    )
