"""`config show|check|set|reset|schema` over real files."""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path

import pytest

from daemon.cli import config
from daemon.config.settings import Loaded, load
from daemon.errors import CommandError, ConfigError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own for the command, which takes its environment from the process."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "WATCHWORD_CONFIG", "STATE_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(home: Path, *args: str) -> int:
    parser = argparse.ArgumentParser()
    parser.set_defaults(config=None)
    config.configure(parser)

    def loader() -> Loaded:
        return load(None, {"HOME": str(home)}, {})

    return config.execute(parser.parse_args(args), loader)


def _overrides(home: Path) -> Path:
    file = home / ".local/state/watchword/overrides.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def test_show_tells_where_each_value_stands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config.toml").write_text("[speech]\n\nrate_wpm = 200\n")
    assert _run(home, "show", "speech") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "speech.rate_wpm = 200  # config.toml:3" in lines
    assert "speech.pitch = 50  # default" in lines
    assert not any(line.startswith("capture") for line in lines)


def test_show_for_programs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _overrides(home).write_text("[hazards.fire]\nthreshold = 0.4\n")
    assert _run(home, "show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["hazards.fire.threshold"]["value"] == 0.4
    assert shown["hazards.fire.threshold"]["layer"] == "overrides"
    assert shown["hazards.fire.severity"]["layer"] == "default"


def test_show_of_an_unknown_setting_names_the_nearest(home: Path) -> None:
    with pytest.raises(CommandError, match=r"no such setting; did you mean speech\.volume\?"):
        _run(home, "show", "speech.volum")


def test_show_keeps_credentials_to_itself(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config.toml").write_text('[capture]\nsource = "rtsp://me:secret@camera/1"\n')
    _run(home, "show")
    shown = capsys.readouterr().out
    assert "rtsp://***@camera/1" in shown
    assert "secret" not in shown


def test_reset_drops_one_override_and_keeps_the_rest(home: Path) -> None:
    file = _overrides(home)
    file.write_text("[speech]\nrate_wpm = 300\npitch = 3\n[hazards.fire]\nthreshold = 0.4\n")
    assert _run(home, "reset", "speech.rate_wpm") == 0
    assert tomllib.loads(file.read_text()) == {
        "speech": {"pitch": 3},
        "hazards": {"fire": {"threshold": 0.4}},
    }
    assert _run(home, "reset", "hazards") == 0
    assert tomllib.loads(file.read_text()) == {"speech": {"pitch": 3}}
    assert list(file.parent.iterdir()) == [file]


def test_reset_mends_overrides_that_do_not_hold(home: Path) -> None:
    file = _overrides(home)
    file.write_text("[speech]\nspeed = 300\n")
    assert _run(home, "reset", "speech.speed") == 0
    assert _run(home, "check") == 0


def test_reset_of_what_is_not_there_names_what_is(home: Path) -> None:
    with pytest.raises(CommandError, match="overridden there: nothing"):
        _run(home, "reset", "speech.pitch")
    _overrides(home).write_text("[speech]\nrate_wpm = 300\n")
    for key in ("speech.pitch", "speech.rate_wpm.x", "x"):
        with pytest.raises(CommandError, match=r"overridden there: speech\.rate_wpm"):
            _run(home, "reset", key)


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("speech.rate_wpm", "210", 210),
        ("speech.volume", "0.5", 0.5),
        ("speech.language", "ko", "ko"),
        ("capture.mirror", "true", True),
        ("capture.source", "0", "0"),
        ("hazards.fire.prompts", '["fire", "flames"]', ["fire", "flames"]),
        ("hazards.fire.threshold", "0.4", 0.4),
        ("hazards.fire.threshold", "auto", "auto"),
    ],
)
def test_set_keeps_a_value_that_holds(
    home: Path, capsys: pytest.CaptureFixture[str], key: str, written: str, value: object
) -> None:
    assert _run(home, "set", key, written) == 0
    said = capsys.readouterr().out
    assert f"{key} = {json.dumps(value)}, kept in {_overrides(home)}\n" in said
    assert "it holds at the next start" in said
    assert _run(home, "show", "--json", key) == 0
    assert json.loads(capsys.readouterr().out)[key]["value"] == value
    assert _run(home, "reset", key) == 0


@pytest.mark.parametrize(
    ("key", "written", "words"),
    [
        ("speech.volume", "9", "a number from 0 to 1"),
        ("speech.volume", "loud", "a number from 0 to 1"),
        ("speech.rate_wp", "200", r"did you mean speech\.rate_wpm"),
        ("speech", "200", "no such setting"),
        ("paths.state", "/x", "write them into config.toml"),
    ],
)
def test_set_keeps_nothing_that_does_not_hold(home: Path, key: str, written: str, words: str) -> None:
    with pytest.raises((CommandError, ConfigError), match=words):
        _run(home, "set", key, written)
    assert not _overrides(home).exists()


def test_set_tells_what_is_stronger_and_shows_no_password(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(home, "set", "capture.source", "rtsp://me:secret@camera/1") == 0
    assert "secret" not in capsys.readouterr().out

    def stronger() -> Loaded:
        return load(None, {"HOME": str(home), "WATCHWORD_SPEECH__PITCH": "5"}, {})

    parser = argparse.ArgumentParser()
    config.configure(parser)
    assert config.execute(parser.parse_args(["set", "speech.pitch", "3"]), stronger) == 0
    assert "but environment WATCHWORD_SPEECH__PITCH is stronger" in capsys.readouterr().out


def test_the_schema_is_json_with_every_section(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(home, "schema") == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"capture", "speech", "hazards", "log"} <= schema["properties"].keys()
    assert schema["$schema"].startswith("http://json-schema.org/")
