"""The short bench: its floors, and one run of it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.bench.harness import Figure, at_least
from daemon.bench.pipeline import only_errors
from daemon.bench.short import FLOORS, against_floor

ROOT = Path(__file__).parents[3]


def test_a_floor_replaces_the_target_which_the_note_keeps() -> None:
    figure = against_floor(Figure("pipeline.over_raw", 0.7, "ratio", at_least(0.93), note="quiet"))
    assert figure.met is True
    assert figure.note == "target >= 0.93, quiet"
    assert against_floor(Figure("pipeline.over_raw", 0.5, "ratio", at_least(0.93))).met is False


def test_warnings_come_back_after_the_block(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("tests.only_errors")
    with pytest.raises(ValueError, match="stop"), only_errors(log.name):
        log.warning("left out")
        log.error("kept")
        raise ValueError("stop")
    log.warning("back")
    assert [record.message for record in caplog.records] == ["kept", "back"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_ratio_is_below_its_floor(models: Path, warm_cache: Path, tmp_path: Path) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    folders = {"WATCHWORD_PATHS__MODELS": str(models), "WATCHWORD_PATHS__CACHE": str(warm_cache)}
    # In a process of its own: numpy's threads are limited before it is imported, as in the daemon.
    done = subprocess.run(
        [sys.executable, "-m", "daemon.cli.main", "bench", "--short"],
        cwd=ROOT,
        env={**plain, **folders, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{name} " in done.stdout for name in FLOORS)
    assert f"all {len(FLOORS)} targets met" in done.stdout
