"""Two daemons never share a state folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.errors import AlreadyRunningError
from daemon.process.state_lock import lock_state


def test_a_second_one_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    lock = lock_state(state)
    assert lock is not None
    with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}.*paths.state"):
        lock_state(state)
    lock.release()
    again = lock_state(state)
    assert again is not None
    again.release()


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    assert lock_state(tmp_path / "file" / "state") is None
    assert "cannot be locked" in caplog.text
