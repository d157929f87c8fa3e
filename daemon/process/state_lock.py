"""The lock on the state folder: two daemons with one state would both speak, and write one journal."""

from __future__ import annotations

import logging
from pathlib import Path

from common.file_lock import FileLock, LockHeldError
from daemon.errors import AlreadyRunningError

log = logging.getLogger(__name__)


def lock_state(state: Path) -> FileLock | None:
    """Lock the state folder; None if it cannot be written, which the parts that write into it report.

    Raises AlreadyRunningError.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileLock(state / "daemon.lock")
    except LockHeldError as error:
        raise AlreadyRunningError(
            f"watchword is running already (process {error.holder}) with the state folder {state}; "
            "stop it first, or give this one a folder of its own in paths.state"
        ) from None
    except OSError as error:
        log.warning("the state folder %s cannot be locked: %s", state, error.strerror)
        return None
