"""One pull of a model at a time, across processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from common.file_lock import FileLock, LockHeldError
from pipeline.store.errors import BusyError


def exclusive(path: Path, timeout_s: float, on_wait: Callable[[], None]) -> FileLock:
    """Acquire a model's lock. `on_wait` is called once if another process holds it.

    Raises BusyError after `timeout_s`.
    """
    try:
        # Readable by all: another user's pull into a shared store names the process it waits for.
        return FileLock(path, timeout_s=timeout_s, on_wait=on_wait, mode=0o644)
    except LockHeldError as error:
        raise BusyError(
            f"process {error.holder} is busy with this model for over {timeout_s:.0f} s; wait or end it"
        ) from None
