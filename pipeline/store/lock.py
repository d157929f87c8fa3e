"""One pull of a model at a time, across processes."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.store.errors import BusyError

POLL_S = 0.1


@contextmanager
def exclusive(path: Path, timeout_s: float, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file; the kernel releases it however this process ends.

    `on_wait` is called once if another process holds it. Raises BusyError after `timeout_s`.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(handle, path, timeout_s, on_wait)
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, timeout_s: float, on_wait: Callable[[], None]) -> None:
    give_up_s = time.monotonic() + timeout_s
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                told = True
                on_wait()
        else:
            return
        if time.monotonic() >= give_up_s:
            raise BusyError(
                f"process {_holder(path)} is busy with this model for over {timeout_s:.0f} s; wait or end it"
            )
        time.sleep(POLL_S)


def _holder(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace").strip() or "?"
