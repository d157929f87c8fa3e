from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capture.camera import CameraUnusable
from daemon.errors import AlreadyRunningError, CommandError, ConfigError
from daemon.process.last_words import reason_of, speech_settings
from pipeline.models.starter.errors import StarterUnusableError
from pipeline.store.errors import NotInstalledError
from speech.synthesis.base import SynthesisError

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConfigError("speech.rate: no such setting"), "settings"),
        (NotInstalledError("pull it"), "model"),
        (StarterUnusableError("damaged"), "model"),
        (SynthesisError("no libespeak-ng"), "voice"),
        (CommandError("the socket's path is too long"), "start"),
        (OSError(28, "no room"), "start"),
        (ZeroDivisionError(), "broken"),
        (CameraUnusable("it was said already"), None),
        (AlreadyRunningError("the other one watches"), None),
    ],
)
def test_what_is_said_of_an_error(error: Exception, reason: str | None) -> None:
    assert reason_of(error) == reason


@pytest.mark.parametrize(
    ("text", "language", "device"),
    [
        ('[speech]\nlanguage = "ko"\ndevice = "hw:1"\n[watch]\nlanguage = "xx"\n', "ko", "hw:1"),
        ('[speech]\nlanguage = "ko"\n!!! no TOML', "ko", ""),
        ('[other]\nlanguage = "ko"\n', "en", ""),
        ('[speech]\nlanguage = "xx"\n', "en", ""),
        ("\0\1\2", "en", ""),
    ],
)
def test_language_and_device_of_settings_with_a_mistake(
    tmp_path: Path, text: str, language: str, device: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    assert speech_settings(file, {"HOME": str(tmp_path)}) == {"language": language, "device": device}


def test_a_pipe_in_place_of_the_settings_does_not_hold_it_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.toml")
    assert speech_settings(tmp_path / "config.toml", {"HOME": str(tmp_path)})["language"] == "en"


def test_a_start_that_fails_plays_its_reason(tmp_path: Path) -> None:
    """By whatever player there is: here one that only writes down what it was given."""
    played = tmp_path / "played"
    for name in ("aplay", "pw-play", "paplay"):
        player = tmp_path / "bin" / name
        player.parent.mkdir(exist_ok=True)
        player.write_text(f'#!/bin/sh\necho "$@" >>{played}\n')
        player.chmod(0o755)
    (tmp_path / "config.toml").write_text('[speech]\nlanguage = "ko"\nrate_wpm = 9000\n')
    env = os.environ | {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "ALSA_CONFIG_PATH": "/dev/null",
        "PULSE_SERVER": "/nowhere",
    }
    command = [sys.executable, "-m", "daemon.cli.main", "run", "--config", str(tmp_path / "config.toml")]
    for _ in range(2):  # the second time within seconds it is not said again
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 78
        assert done.stderr.count("rate_wpm") == 1
        assert "Traceback" not in done.stderr
    assert played.read_text().count("settings-ko.wav") == 1
