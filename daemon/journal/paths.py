"""The paths of the journal: a folder in the state folder, with a database, pictures and black boxes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.file_lock import FileLock, LockHeldError
from daemon.core.black_box import SUFFIX
from daemon.errors import CommandError
from daemon.journal.false_alarms import FOLDER as FALSE_ALARMS

FOLDER = "journal"


@dataclass(frozen=True, slots=True)
class JournalPaths:
    """The files of a journal."""

    folder: Path

    @classmethod
    def in_state(cls, state: Path) -> JournalPaths:
        """Those of the daemon with this state folder."""
        return cls(state / FOLDER)

    @property
    def database(self) -> Path:
        return self.folder / "journal.db"

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"

    @property
    def black_boxes(self) -> Path:
        return self.folder / "black_boxes"

    @property
    def marks(self) -> Path:
        """The folder of alerts that the user called right or wrong."""
        return self.folder / "marks"

    @property
    def false_alarm_recordings(self) -> Iterator[Path]:
        """Black boxes of alerts marked as wrong, outside the journal's folder."""
        yield from (self.folder.parent / FALSE_ALARMS).glob(f"*{SUFFIX}")

    def prepare(self) -> None:
        """Make the folders, readable for their owner only. Raises OSError."""
        for folder in (self.folder, self.pictures, self.black_boxes):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the journal for writing. Raises CommandError (busy) if another process writes, OSError."""
        try:
            lock = FileLock(self.folder / "lock")
        except LockHeldError as error:
            raise CommandError(
                f"another watchword (process {error.holder}) writes the journal in {self.folder}; "
                "stop it, or ask it",
                "busy",
            ) from None
        with lock:
            yield


def bytes_free(folder: Path) -> int:
    """Bytes an ordinary user may still write there. Raises OSError."""
    at = os.statvfs(folder)
    # f_bavail and not f_bfree: blocks kept for root are of no use (statvfs(3)).
    return at.f_bavail * at.f_frsize
