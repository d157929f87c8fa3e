"""A hazard taught, and forgotten, while the real daemon watches: a reload is all it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.cli.main import main
from daemon.control.commands import ReloadCommand, ScoresCommand
from tests.capture.servers import MjpegServer, moving_street
from tests.daemon.living import Living, own_cache
from tests.daemon.tools.test_teach_calibrate import draw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def _watched(living: Living) -> list[str]:
    """The hazards of which there are probabilities."""
    answer = living.ask(ScoresCommand())
    return answer["hazards"] if answer["rows"] else []


def test_what_is_taught_is_watched_for_after_a_reload_and_what_is_forgotten_is_not(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(models))
    monkeypatch.setenv("WATCHWORD_PATHS__CACHE", str(own_cache()))
    state = tmp_path / ".local/state/watchword"
    monkeypatch.setenv("WATCHWORD_PATHS__STATE", str(state))
    stripes, other = draw(tmp_path / "stripes", "stripes", 4), draw(tmp_path / "other", "disc", 10)
    env = {"WATCHWORD_PATHS__STATE": str(state)}
    with (
        MjpegServer(moving_street) as camera,
        Living(tmp_path, models, camera.url, "[health]\nlate_s = 5\n", env) as living,
    ):
        living.until(lambda: bool(_watched(living)), 30, "the first picture")
        before = _watched(living)
        assert main(["teach", "barrier_tape", str(stripes), "--unlike", str(other)]) == 0
        answer = living.ask(ReloadCommand())
        assert "hazards.barrier_tape.say_en" in answer["changed"]
        assert answer["needs_restart"] == []
        living.until(lambda: _watched(living) == [*before, "barrier_tape"], 60, "the new hazard")
        assert main(["teach", "barrier_tape", "--remove"]) == 0
        assert living.ask(ReloadCommand())["needs_restart"] == []
        living.until(lambda: _watched(living) == before, 60, "its end")
        seen = living.status()["assessed"]
        living.until(lambda: living.status()["assessed"] > seen + 5, 20, "more pictures")
        assert living.status()["lost"] == []
        assert "old ones hold" not in living.log.read_text()
