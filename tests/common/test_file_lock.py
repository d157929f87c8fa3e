"""A lock between processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from common.file_lock import FileLock, LockHeldError

HOLD = """
import sys, time
from pathlib import Path
from common.file_lock import FileLock
lock = FileLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_another_process_is_named_and_its_death_frees_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = holder(path)
    try:
        with pytest.raises(LockHeldError, match=f"process {process.pid} holds") as held:
            FileLock(path)
        assert held.value.holder == str(process.pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
    with FileLock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_waiting_is_told_once_and_ends_in_time(tmp_path: Path) -> None:
    waits: list[str] = []
    with FileLock(tmp_path / "lock"), pytest.raises(LockHeldError):
        FileLock(tmp_path / "lock", timeout_s=0.3, on_wait=lambda: waits.append("waiting"))
    assert waits == ["waiting"]
    with FileLock(tmp_path / "lock"), pytest.raises(LockHeldError):
        FileLock(tmp_path / "lock", on_wait=lambda: waits.append("again"))
    assert waits == ["waiting"]


def test_a_lock_is_released_once_and_can_be_had_again(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    lock.release()
    lock.release()
    with FileLock(tmp_path / "lock"):
        pass


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("keep")
    (tmp_path / "lock").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="lock"):
        FileLock(tmp_path / "lock")
    assert (tmp_path / "target").read_text() == "keep"
