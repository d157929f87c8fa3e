"""The file of `--events`: one JSON line an event, opened anew if it was moved away by a rotation of logs."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO


class EventFile:
    """Appends lines. Raises OSError, from the constructor and from `write`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, line: str) -> None:
        if not self._is_in_place():
            # Opened before the old one is closed: if that fails, what was opened is still there to write to.
            old, self._file = self._file, self._open()
            old.close()
        self._file.write(f"{line}\n")

    def _open(self) -> TextIO:
        return self._path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)

    def _is_in_place(self) -> bool:
        """True if the path still names the open file. A pipe or a device is not checked."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False
