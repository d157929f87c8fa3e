"""The short bench: its floors, and one run of it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from daemon.bench.harness import Figure, at_least
from daemon.bench.pipeline import only_errors
from daemon.bench.short import FLOORS, against_floor
from daemon.cli.main import main


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
def test_no_ratio_is_below_its_floor(
    models: Path,
    warm_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(models))
    monkeypatch.setenv("WATCHWORD_PATHS__CACHE", str(warm_cache))
    assert main(["bench", "--short"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{name} " in printed for name in FLOORS)
    assert f"all {len(FLOORS)} targets met" in printed
