"""A lock between processes: held by one, and released by the kernel however that one ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

POLL_S = 0.1


class LockHeldError(Exception):
    """Another process holds the lock."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"process {holder} holds {path}")
        self.holder = holder
        """Process id of the holder, "unknown" if its file does not say."""


class FileLock:
    """An exclusive lock on a file that names the process holding it. The file stays; only the lock goes."""

    def __init__(
        self,
        path: Path,
        *,
        timeout_s: float = 0.0,
        on_wait: Callable[[], None] = lambda: None,
        mode: int = 0o600,
    ) -> None:
        """Acquire it. `on_wait` is called once if another process holds the lock and `timeout_s` is not 0.

        Raises LockHeldError after `timeout_s` seconds, OSError if the file cannot be opened.
        """
        # No link is followed: the folder of a socket can be one that others write to.
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
        try:
            self._acquire(path, timeout_s, on_wait)
            # Only after the lock is held: a process that waits must not overwrite the holder's number.
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let others have the lock; safe to call twice."""
        handle, self._handle = self._handle, -1
        with suppress(OSError):
            if handle >= 0:
                # Closing releases the lock. The file stays: deleting it would let two processes lock
                # different files.
                os.close(handle)

    def holds(self, path: Path) -> bool:
        """True if the file at this path is still the one that is locked; it may have been removed."""
        try:
            ours, there = os.fstat(self._handle), path.stat(follow_symlinks=False)
        except OSError:
            return False
        # Device and inode, not the name: a new file at the same path is another lock.
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _acquire(self, path: Path, timeout_s: float, on_wait: Callable[[], None]) -> None:
        give_up_s = time.monotonic() + timeout_s
        waiting = False
        # Polled: flock with a timeout would need a signal, which belongs to the main thread alone.
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= give_up_s:
                    raise LockHeldError(path, self._holder()) from None
            else:
                return
            if not waiting:
                waiting = True
                on_wait()
            time.sleep(POLL_S)

    def _holder(self) -> str:
        return os.pread(self._handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
