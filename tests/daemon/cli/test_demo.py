"""From pixels to sound over the real street clip, with the real model and the real voice; and from bad input
to one line that says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from daemon.cli.main import main
from tests.daemon.living import own_cache

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CUTS_S = (1.2, 3.04, 5.48, 7.48)
"""Where the clip is cut, by eye."""


def watchword(models: Path, *args: object) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it, with settings of nobody's."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("WATCHWORD_")}
    return subprocess.run(
        [sys.executable, "-m", "daemon.cli.main", *map(str, args)],
        cwd=Path(__file__).parents[3],
        env=own | environment(models),
        capture_output=True,
        text=True,
        timeout=200,
    )


Here = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(models: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Here:
    """Runs the command in this process, which costs no start: its exit code, output and errors."""

    def run(*args: object, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        for name in [name for name in os.environ if name.startswith("WATCHWORD_")]:
            monkeypatch.delenv(name)
        for name, value in {**environment(models), **dict(env or {})}.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        code = main([*map(str, args)])
        return (code, *capfd.readouterr())

    return run


def environment(models: Path) -> dict[str, str]:
    """Settings of nobody's."""
    return {
        "HOME": "/nonexistent",
        "XDG_CACHE_HOME": str(own_cache()),
        "WATCHWORD_PATHS__MODELS": str(models),
    }


@pytest.fixture(scope="module")
def replays(models: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The demo, replayed twice."""
    folders = [tmp_path_factory.mktemp("replay") for _ in range(2)]

    def replay(folder: Path) -> subprocess.CompletedProcess[str]:
        return watchword(
            models,
            *("replay", "demo", "--events", folder / "events.jsonl", "--wav", folder / "said.wav"),
            *("--black-box", folder),
        )

    with ThreadPoolExecutor() as both:  # beside each other: sooner done, and no two run under the same load
        results = list(both.map(replay, folders))
    assert [result.returncode for result in results] == [0, 0], results
    return folders


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_every_frame_is_assessed_and_the_right_hazards_are_named(replays: list[Path]) -> None:
    story = events(replays[0])
    assert story[-1]["kind"] == "summary"
    assert story[-1]["frames"] == story[-1]["assessed"] == 250
    assert story[-1]["skipped"] == 0
    alerts = {e["hazard"] for e in story if e["kind"] == "alert"}
    assert {"vehicle", "two_wheeler"} <= alerts
    assert not alerts & {"fire", "knife", "person_with_weapon", "dangerous_animal"}


def test_views_are_described_after_the_real_cuts(replays: list[Path]) -> None:
    times = [e["t"] for e in events(replays[0]) if e["kind"] == "scene"]
    assert sum(any(0 <= t - cut <= 1.2 for t in times) for cut in CUTS_S) >= 3
    assert len(times) <= 8


def test_twice_the_same_bytes(replays: list[Path]) -> None:
    def timeless(folder: Path) -> list[dict[str, Any]]:
        return [{k: v for k, v in event.items() if k != "timing"} for event in events(folder)]

    assert timeless(replays[0]) == timeless(replays[1])
    first, second = ((folder / "said.wav").read_bytes() for folder in replays)
    assert first == second


def test_speech_is_in_the_sound_at_its_stream_time(replays: list[Path]) -> None:
    with wave.open(str(replays[0] / "said.wav")) as sound:
        rate = sound.getframerate()
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).reshape(-1, 2)
    spoken = [e["t"] for e in events(replays[0]) if e["kind"] == "speak"]
    assert spoken
    assert not samples[: int(spoken[0] * rate)].any(), "sound before anything was said"
    for t in spoken:
        begin = samples[int(t * rate) : int((t + 0.3) * rate)]
        assert np.abs(begin.astype(np.int32)).max() > 500, f"nothing is heard at {t}"


def test_a_decision_is_repeated_exactly_from_its_black_box(replays: list[Path], here: Here) -> None:
    boxes = sorted(replays[0].glob("*.blackbox"))
    assert boxes
    for box in boxes:
        code, told, _ = here("replay", box)
        assert code == 0, told
        assert "repeated exactly" in told


def bad_inputs(folder: Path) -> dict[str, Path]:
    """Files that no replay can make sense of."""
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video at all\n" * 50)
    (folder / "empty.jpg").touch()
    (folder / "folder").mkdir()
    (folder / "header.mp4").write_bytes(b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41" + bytes(2000))
    (folder / "box.blackbox").write_bytes(b"PK\x03\x04 cut off")
    names = ("empty.mp4", "text.mp4", "empty.jpg", "folder", "header.mp4", "box.blackbox", "missing.mp4")
    return {name: folder / name for name in names}


@pytest.mark.parametrize(
    "name", ["empty.mp4", "text.mp4", "empty.jpg", "folder", "header.mp4", "box.blackbox", "missing.mp4"]
)
def test_bad_input_ends_with_one_clear_line(tmp_path: Path, here: Here, name: str) -> None:
    code, _, errors = here("replay", bad_inputs(tmp_path)[name])
    assert code == 1
    lines = errors.splitlines()
    assert lines
    assert lines[-1].startswith("watchword: ")
    assert name in lines[-1]
    assert "Traceback" not in errors


def test_a_single_picture_and_an_8k_picture_are_replayed(tmp_path: Path, here: Here) -> None:
    pattern = np.random.default_rng(0).integers(0, 255, (54, 96, 3), dtype=np.uint8)
    for name, factor in (("single.png", 4), ("huge.jpg", 80)):
        cv2.imwrite(str(tmp_path / name), cv2.resize(pattern, None, fx=factor, fy=factor))
        code, told, errors = here("replay", tmp_path / name)
        assert code == 0, errors
        assert told.splitlines()[-1].startswith("1 frames, 1 assessed, 0 skipped")


@pytest.mark.parametrize(
    ("env", "code", "says"),
    [
        ({"WATCHWORD_PATHS__MODELS": "/proc/nowhere"}, 1, "models pull starter"),
        ({"WATCHWORD_SPEECH__RATE_WPM": "fast"}, 78, "rate_wpm"),
        ({"WATCHWORD_SPEECH__RATE_WPN": "200"}, 78, "RATE_WPM"),
        ({"WATCHWORD_SPEECH__VOICE": "zorblax"}, 1, "speech.voice"),
        ({"WATCHWORD_PIPELINE__MODEL": "gpt-9"}, 1, "models list"),
        ({"WATCHWORD_CAPTURE__ROTATE": "45"}, 78, "90"),
    ],
)
def test_bad_settings_end_with_one_clear_line(
    tmp_path: Path, here: Here, env: dict[str, str], code: int, says: str
) -> None:
    cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((64, 64, 3), np.uint8))
    ended, _, errors = here("replay", tmp_path / "picture.png", env=env)
    assert "Traceback" not in errors
    assert ended == code, errors
    assert says in errors.splitlines()[-1]


def test_an_output_that_cannot_be_written_ends_with_one_clear_line(tmp_path: Path, here: Here) -> None:
    cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((64, 64, 3), np.uint8))
    for option in ("--events", "--wav"):
        path = tmp_path / "no" / "such" / "folder.out"
        code, _, errors = here("replay", tmp_path / "picture.png", option, path)
        assert code == 1
        assert "folder.out" in errors.splitlines()[-1]
        assert "Traceback" not in errors
