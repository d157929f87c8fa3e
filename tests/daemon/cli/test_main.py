"""Exit codes and the one line that goes with them, asked of the installed command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.cli.main import COMMANDS, main


def _watchword(
    *args: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "daemon.cli.main", *args],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **(env or {})},
    )


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """An environment without the settings of whoever runs the tests."""
    return {
        "HOME": str(tmp_path),
        **dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "WATCHWORD_CONFIG"), ""),
    }


def test_help_names_every_command() -> None:
    result = _watchword("--help")
    assert result.returncode == 0
    assert all(f"    {name} " in result.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    result = _watchword(name, "--help")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"usage: watchword {name}")


def test_help_waits_for_no_heavy_library() -> None:
    heavy = "{'numpy', 'cv2', 'openvino', 'pydantic'}"
    code = f"import sys, daemon.cli.main; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "args", [(), ("dance",), ("config",), ("config", "show", "--loud"), ("run", "--loud")]
)
def test_wrong_usage_is_2(args: tuple[str, ...]) -> None:
    result = _watchword(*args)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("repaly", 'did you mean "watchword replay"?'),
        ("desk", 'did you mean "watchword web"?'),
        ("xyzzy", "`watchword --help` lists them"),
    ],
)
def test_an_unknown_command_gets_the_one_that_was_meant(
    name: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--loud"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == f'watchword: there is no command "{name}"; {hint}\n'


@pytest.mark.parametrize("args", [("config", "check"), ("replay", "demo"), ("run",), ("check",)])
def test_a_bad_configuration_is_78(alone: dict[str, str], tmp_path: Path, args: tuple[str, ...]) -> None:
    (tmp_path / "bad.toml").write_text("[speech]\nrate = 1\n")
    result = _watchword("--config", str(tmp_path / "bad.toml"), *args, env=alone, cwd=tmp_path)
    assert result.returncode == 78
    assert 'speech.rate: no such setting; did you mean "speech.rate_wpm"?' in result.stderr + result.stdout
    assert "Traceback" not in result.stderr


def test_what_was_asked_for_and_cannot_be_is_1(alone: dict[str, str], tmp_path: Path) -> None:
    result = _watchword("config", "show", "speech.speed", env=alone, cwd=tmp_path)
    assert result.returncode == 1
    assert (
        result.stderr == "watchword: speech.speed: no such setting; `watchword config show` lists them all\n"
    )


def test_common_options_stand_before_or_after_the_command(alone: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[speech]\npitch = 3\n")
    for args in (("--config", str(file), "config", "check"), ("config", "--config", str(file), "check")):
        assert str(file) in _watchword(*args, env=alone, cwd=tmp_path).stdout


def test_a_reader_that_leaves_early_is_no_disaster(alone: dict[str, str], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        result = subprocess.run(
            [sys.executable, "-m", "daemon.cli.main", "config", "show"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **alone},
        )
    assert (result.returncode, result.stderr) == (1, "")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("replay", "v.avi", "--events", "v.avi"), "is the recording as well"),
        (("replay", "v.avi", "--wav", "./v.avi"), "is the recording as well"),
        (("replay", "v.avi", "--wav", "out", "--events", "out"), "is --events as well"),
        (("replay", "a.blackbox", "--wav", "out"), "only repeated"),
        (("replay", "v.avi", "--black-box", "v.avi"), "--black-box v.avi: cannot be written: File exists"),
        (("replay", "rtsp://bob:s3cret@cam/1"), "`watchword run` watches those"),
    ],
)
def test_nothing_is_written_over_and_no_password_shown(
    alone: dict[str, str], tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    (tmp_path / "v.avi").write_bytes(b"a recording")
    result = _watchword(*args, env=alone, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert said in result.stderr
    assert "s3cret" not in result.stderr
    assert (tmp_path / "v.avi").read_bytes() == b"a recording"
