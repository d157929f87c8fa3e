"""The work that a benchmark puts beside the danger lane."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.bench.load import LoadUnavailable, arithmetic_load, language_load


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def test_the_busy_work_runs_only_while_it_is_let() -> None:
    with arithmetic_load(1) as load:
        (pid,) = load.pids
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
        assert os.getsid(pid) == pid
        assert state(pid) == "T"
        with load.working():
            assert state(pid) != "T"
        assert state(pid) == "T"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_language_model_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="ascii")
    with pytest.raises(LoadUnavailable):
        language_load(blocked / "models")
