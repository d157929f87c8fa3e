"""`watchword tune` as it is typed: the real starter on this CPU, from the figures to the settings."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from daemon.cli.main import main
from daemon.tune.power import read_power
from tests.daemon.cli.test_commands import Told, home, told

__all__ = ["home", "told"]
ROOT = Path(__file__).parents[3]
PATIENCE_S = 120.0


@pytest.fixture
def machine(home: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with this machine's models; the folder of its state."""
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(models))
    return home / ".local/state/watchword"


@pytest.mark.timeout(300)
def test_a_plan_is_measured_written_and_taken_back(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--json", "--power", "battery"]) == 0
    out = capsys.readouterr()
    report: dict[str, Any] = json.loads(out.out)
    assert "nothing was written" in out.err
    assert not (machine / "overrides.toml").exists()
    planned = [row for row in report["detectors"] if row["planned"]]
    assert [(row["model"], row["refused"]) for row in planned] == [("starter", "")]
    assert planned[0]["ms"] > 0
    assert report["conditions"]["battery"] is True
    assert report["plan"]["pipeline.max_fps"]["value"] <= 12

    assert main(["tune", "--write", "--power", "battery"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("starter") and line.endswith("<- planned") for line in lines)
    assert any(line.startswith("pipeline.max_fps = ") and '(now "auto")' in line for line in lines)
    assert any("no describer was measured" in line for line in lines)
    assert "pipeline" in tomllib.loads((machine / "overrides.toml").read_text())

    assert main(["tune", "--undo"]) == 0
    assert "taken back: " in capsys.readouterr().out
    assert tomllib.loads((machine / "overrides.toml").read_text()) == {}
    assert main(["tune", "--undo"]) == 1


def test_a_setting_of_the_plan_can_be_reset_alone(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--write", "--power", "battery"]) == 0
    assert main(["config", "reset", "pipeline.max_fps"]) == 0
    assert "max_fps" not in (machine / "overrides.toml").read_text()


ASKING = """
import argparse, os
from daemon.cli.korean import text
from daemon.cli.tune import settle
from daemon.config.settings import load
from daemon.tune.plan import Plan
from daemon.tune.proposals import Message, PlannedSetting
plan = Plan(None, None, (PlannedSetting("pipeline.max_fps", 12.0, Message("")),))
args = argparse.Namespace(json=False, write=False)
say = lambda english, **values: text(english, "en", **values)
settle(args, load(None, os.environ, {}), plan, {"pipeline.max_fps": "auto"}, say, asks=True)
"""


@pytest.mark.parametrize(("typed", "writes"), [("y\n", True), ("\n", False)])
def test_on_a_terminal_it_asks_before_it_writes(machine: Path, typed: str, writes: bool) -> None:
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-c", ASKING], stdin=theirs, stdout=theirs, stderr=theirs, env=env
    )
    os.close(theirs)
    try:
        read_until(ours, "Write this plan into the settings? [y/N] ")
        os.write(ours, typed.encode())
        assert child.wait(PATIENCE_S) == 0
    finally:
        child.kill()
        os.close(ours)
    assert (machine / "overrides.toml").exists() == writes


def read_until(terminal: int, end: str) -> str:
    """What the terminal shows until then; fails if it does not come."""
    shown, until_s = "", time.monotonic() + PATIENCE_S
    while end not in shown:
        assert time.monotonic() < until_s, shown
        if select.select([terminal], [], [], 1.0)[0]:
            shown += os.read(terminal, 4096).decode("utf-8", "replace")
    return shown


def test_it_refuses_beside_a_running_daemon(
    told: Told, machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune"]) == 1
    complaint = capsys.readouterr().err
    assert "watchword is running" in complaint and "--anyway" in complaint
    assert main(["tune", "--anyway", "--write"]) == 2


@pytest.mark.parametrize("more", [["--write"], ["--json"], ["--power", "mains"]])
def test_undo_goes_with_nothing_else(home: Path, more: list[str]) -> None:
    assert main(["tune", "--undo", *more]) == 2


def test_a_machine_without_models_has_no_plan(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(tmp_path / "empty"))
    assert main(["tune"]) == 1
    assert "watchword models pull starter" in capsys.readouterr().out


def test_in_korean_by_the_settings(machine: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config.toml").write_text('[speech]\nlanguage = "ko"\n')
    assert main(["tune", "--power", "battery"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("배터리를 아낍니다" in line or "따라가지 못합니다" in line for line in lines)
    assert any("초당 프레임" in line for line in lines)
    assert lines[-1] == "아무것도 쓰지 않았습니다. `watchword tune --write`로 계획을 설정에 씁니다"
    assert read_power().has_battery or "전원 연결됨" in lines
