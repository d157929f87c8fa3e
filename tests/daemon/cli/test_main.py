"""Exit codes and the one line that goes with them, asked of the installed command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.cli.main import COMMANDS, GROUPS, main


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


def test_the_version_goes_to_standard_output() -> None:
    result = _watchword("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("watchword ")


def test_every_command_has_its_place_in_the_help() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)
    bare = _watchword()
    assert bare.returncode == 2
    assert bare.stdout == _watchword("--help").stdout
    assert [line for line in bare.stdout.splitlines() if line.endswith(":")][:5] == [
        f"{title}:" for title in GROUPS
    ]


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
        ("start", 'did you mean "watchword run"?'),
        ("help", 'did you mean "watchword --help"?'),
        ("stop", "end `watchword run` with Ctrl-C, a service with `systemctl stop watchword`"),
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


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("run", "--onse"), "there is no option --onse; did you mean --once?"),
        (("run", "--sorce=0"), "there is no option --sorce; did you mean --source?"),
        (("config", "shwo"), 'ACTION "shwo" is unknown; did you mean show?'),
        (("models", "fetch", "starter"), 'VERB "fetch" is unknown; did you mean pull?'),
        (("journal", "forget"), 'ACTION "forget" is unknown; did you mean purge?'),
        (("config", "change"), 'ACTION "change" is unknown; did you mean set?'),
        (("run", "0"), '"0" is too many; write --source 0'),
        (("run", "rtsp://me:secret@cam/1"), "write --source rtsp://***@cam/1"),
        (("replay", "a.mp4", "b.mp4"), '"b.mp4" is too many; `watchword replay --help` tells what it takes'),
        (("mute", "ten"), '"ten" should be a number of minutes; 0 ends it'),
        (("mute", "-5"), '"-5" should be a number of minutes'),
        (("mute", "nan"), '"nan" should be a number of minutes'),
        (
            ("config", "show", "--xyzzy"),
            "no option --xyzzy; `watchword config show --help` lists them",
        ),
        (("-o", "volume=1", "run"), "-o volume=1: write KEY=VALUE, such as speech.volume=0.5"),
        (("run", "-o", "speech.volume"), "write KEY=VALUE"),
    ],
)
def test_a_mistyped_option_gets_the_one_that_was_meant(
    args: tuple[str, ...], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(args)
    assert caught.value.code == 2
    assert hint in capsys.readouterr().err


def test_settings_for_one_run(alone: dict[str, str], tmp_path: Path) -> None:
    before = ("-o", "speech.volume=0.5", "-v")
    after = ("-o", "speech.rate_wpm=200", "-o", "capture.source=0", "-q")
    shown = _watchword(*before, "config", "show", *after, env=alone, cwd=tmp_path).stdout
    for line in (
        "speech.volume = 0.5",
        "speech.rate_wpm = 200",
        'capture.source = "0"',
        'log.level = "warning"',
    ):
        assert f"{line}  # command line\n" in shown
    wrong = _watchword("-o", "speech.volum=1", "config", "check", env=alone, cwd=tmp_path)
    assert wrong.returncode == 78
    assert 'command line: speech.volum: no such setting; did you mean "speech.volume"?' in wrong.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(alone: dict[str, str], tmp_path: Path, closed: str) -> None:
    code = f'"{sys.executable}" -m daemon.cli.main config check {closed}; echo $? >code'
    subprocess.run(
        ["/bin/sh", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **alone},
        timeout=60,
        check=True,
    )
    assert (tmp_path / "code").read_text() == "0\n"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["code"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("args", ["config show", "config check"])
def test_a_full_disk_is_told_of(alone: dict[str, str], tmp_path: Path, args: str) -> None:
    result = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m daemon.cli.main {args} >/dev/full'],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **alone},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, result.stderr) == (1, "watchword: standard output: No space left on device\n")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "euc-kr", "utf-8"])
def test_a_terminal_that_lacks_letters_gets_them_escaped(
    alone: dict[str, str], tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "config.toml").write_text('[capture]\nsource = "거리 é \u2603.mp4"\n', encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **alone, "PYTHONIOENCODING": encoding}
    result = subprocess.run(
        [sys.executable, "-m", "daemon.cli.main", "config", "show", "capture.source"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        timeout=60,
    )
    assert (result.returncode, result.stderr) == (0, b"")
    wanted = "거리 é \u2603".encode(encoding, "backslashreplace")
    assert wanted in result.stdout


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


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("calibrate",), "calibrate: name footage without danger, a camera, or --undo"),
        (("teach", "scooter"), "teach scooter: 0 pictures; show 1 to "),
        (("say",), "say either TEXT or --earcons"),
        (("journal", "--since", "soon"), "soon: should be a length such as 90m"),
        (("journal", "purge", "--all"), "--yes forgets without asking"),
        (("replay", "x.blackbox", "--wav", "y.wav"), "a black box is only repeated; name a recording"),
        (("bench", "nothing"), "bench"),
    ],
)
def test_arguments_that_do_not_go_together_are_wrong_usage(
    alone: dict[str, str], tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    result = _watchword(*args, env=alone, cwd=tmp_path)
    assert (result.returncode, said in result.stderr) == (2, True), result.stderr


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
    ("args", "said", "code"),
    [
        (("replay", "v.avi", "--events", "v.avi"), "is the recording as well", 2),
        (("replay", "v.avi", "--wav", "./v.avi"), "is the recording as well", 2),
        (("replay", "v.avi", "--wav", "out", "--events", "out"), "is --events as well", 2),
        (("replay", "a.blackbox", "--wav", "out"), "only repeated", 2),
        (("replay", "v.avi", "--black-box", "v.avi"), "--black-box v.avi: cannot be written: File exists", 1),
        (("replay", "rtsp://bob:s3cret@cam/1"), "`watchword run` watches those", 1),
    ],
)
def test_nothing_is_written_over_and_no_password_shown(
    alone: dict[str, str], tmp_path: Path, args: tuple[str, ...], said: str, code: int
) -> None:
    (tmp_path / "v.avi").write_bytes(b"a recording")
    result = _watchword(*args, env=alone, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (code, "")
    assert said in result.stderr
    assert "s3cret" not in result.stderr
    assert (tmp_path / "v.avi").read_bytes() == b"a recording"
