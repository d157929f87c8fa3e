"""Where the journal is: a folder in the state folder, with a database, pictures and black boxes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daemon.errors import CommandError

FOLDER = "journal"


@dataclass(frozen=True, slots=True)
class Places:
    """The files of a journal."""

    folder: Path

    @classmethod
    def below(cls, state: Path) -> Places:
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
    def aside(self) -> Iterator[Path]:
        """What was moved aside because it could not be read."""
        yield from self.folder.glob(f"{self.database.name}.aside-*")

    def prepare(self) -> None:
        """Make the folders, for nobody else's eyes. Raises OSError."""
        for folder in (self.folder, self.pictures, self.black_boxes):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Nobody else writes meanwhile. Raises CommandError (busy) where somebody does, OSError."""
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandError(
                    f"another watchword writes the journal in {self.folder}; stop it, or ask it", "busy"
                ) from None
            yield


def bytes_free(folder: Path) -> int:
    """Bytes an ordinary user may still write there. Raises OSError."""
    at = os.statvfs(folder)
    return at.f_bavail * at.f_frsize
