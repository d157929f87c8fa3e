"""The commands that talk to a running daemon: the real command line and a real socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.bench.loudspeaker import PrivatePulse, available
from daemon.cli.main import main
from daemon.cli.remote.status import readable
from daemon.control import commands
from daemon.control import protocol as wire
from daemon.control.event_feed import EventFeed
from daemon.control.paths import client_sockets, server_socket
from daemon.control.server import ControlServer
from daemon.errors import CommandError
from speech.sound.earcons import EARCONS

ROOT = Path(__file__).parents[3]
PATIENCE_S = 20.0
STATUS: dict[str, Any] = {
    "version": "0.1.0",
    "uptime_s": 3725.0,
    "fps": 24.96,
    "components": {
        "camera": {"reason": "ok", "since_s": 3000.0, "detail": ""},
        "loudspeaker": {"reason": "lost", "since_s": 75.0, "detail": "no device"},
    },
    "active": ["dog", "vehicle"],
    "dangers": [
        {"hazard": "vehicle", "severity": "critical", "direction": "left", "alert": "a2"},
        {"hazard": "dog", "severity": "warning", "direction": None, "alert": "a1"},
    ],
    "latency": {"frame_age": {"p50_ms": 44.4, "p95_ms": 105.1, "p99_ms": 156.5, "count": 718}},
    "speaking": None,
    "muted_s": 0.0,
    "temperature_c": 61,
}


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """One whose path leaves room for a socket's name, wherever pytest keeps its own."""
    with tempfile.TemporaryDirectory(prefix="ww") as folder:
        yield Path(folder)


class Told:
    """A daemon that notes what it is told."""

    def __init__(self, folder: Path, instance: str = "") -> None:
        self.commands: list[commands.Command] = []
        self.feed = EventFeed()
        path = server_socket({"XDG_RUNTIME_DIR": str(folder)}, folder, instance)
        self.server = ControlServer(path, self._handle, self.feed)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def _handle(self, request: wire.Request) -> dict[str, Any]:
        self.commands.append(request.command)
        match request.command:
            case commands.StatusCommand():
                return STATUS
            case commands.ReloadCommand():
                return {
                    "changed": ["speech.rate_wpm"],
                    "needs_restart": ["capture.source"],
                    "unrecognised": ["scooter"],
                }
            case commands.SofterCommand():
                return {"volume": 0.4, "rate_wpm": 180}
            case commands.FasterCommand():
                return {"volume": 1.0, "rate_wpm": 200}
            case commands.WhyCommand(event="a99"):
                raise CommandError("a99: no such event in the last minute")
            case commands.WhyCommand():
                return {"text": "vehicle 0.93 over 0.61 for 0.4 s"}
        return {}

    def close(self) -> None:
        self.server.close()
        self.thread.join(PATIENCE_S)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's settings and nobody's daemon."""
    for name in (
        "WATCHWORD_CONFIG",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "RUNTIME_DIRECTORY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def told(home: Path) -> Iterator[Told]:
    daemon = Told(home / "run")
    yield daemon
    daemon.close()


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["say", "mind", "the step"], commands.SayCommand(text="mind the step")),
        (["say", "--language", "ko", "안녕"], commands.SayCommand(text="안녕", language="ko")),
        (["ask"], commands.AskCommand()),
        (["ask", "is", "the", "light", "red?"], commands.AskCommand(question="is the light red?")),
        (["hush"], commands.HushCommand()),
        (["repeat"], commands.RepeatCommand()),
        (["mute", "2.5"], commands.MuteCommand(seconds=150)),
        (["mute", "0"], commands.MuteCommand(seconds=0)),
        (["describe"], commands.DescribeCommand()),
        (["read"], commands.ReadCommand()),
        (["louder"], commands.LouderCommand()),
        (["softer"], commands.SofterCommand()),
        (["faster"], commands.FasterCommand()),
        (["slower"], commands.SlowerCommand()),
        (["false-alarm"], commands.FalseAlarmCommand()),
        (["say", "--earcons"], commands.EarconsCommand()),
        (["why"], commands.WhyCommand()),
        (["why", "a12"], commands.WhyCommand(event="a12")),
        (["reload"], commands.ReloadCommand()),
    ],
)
def test_what_is_typed_is_what_the_daemon_is_told(
    told: Told, argv: list[str], command: commands.Command
) -> None:
    assert main(argv) == 0
    assert told.commands == [command]


def test_status_is_readable_and_says_by_its_code_that_something_is_wrong(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "something has failed",
        "components: camera ok, loudspeaker lost for 1 min 15 s (no device)",
        "dangers: vehicle (critical, left), dog (warning)",
        "fps: 25.0",
        "uptime: 1 h 2 min",
        "latency: frame age 44/105/156 ms (p50/p95/p99)",
        "version: 0.1.0",
        "temperature c: 61",
    ]
    assert main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == STATUS


def test_status_is_fine_when_all_is_well() -> None:
    assert list(readable({"components": {"camera": {"reason": "ok"}}, "muted_s": 90.0, "lost": []})) == [
        "all is well",
        "components: camera ok",
        "muted: for 1 min 30 s",
    ]


def test_status_can_be_said_too(told: Told) -> None:
    main(["status", "--aloud"])
    assert told.commands == [commands.StatusCommand(aloud=True)]


def test_a_step_tells_where_it_led(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["softer"]) == 0
    assert capsys.readouterr().out == "volume 40%\n"
    assert main(["faster"]) == 0
    assert capsys.readouterr().out == "200 words a minute\n"


@pytest.mark.parametrize("argv", [["say"], ["say", "hello", "--earcons"]])
def test_say_wants_either_words_or_earcons(
    told: Told, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    assert capsys.readouterr().err == "watchword: say either TEXT or --earcons\n"


def test_reload_and_why_tell_what_came_of_it(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reload"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "changed: speech.rate_wpm",
        "needs a restart: capture.source",
        "hazards.scooter: the model cannot recognise it by its words; "
        "teach it with pictures: `watchword teach scooter FOLDER`",
    ]
    assert main(["why"]) == 0
    assert capsys.readouterr().out == "vehicle 0.93 over 0.61 for 0.4 s\n"
    assert main(["why", "a99"]) == 1
    assert capsys.readouterr().err == "watchword: a99: no such event in the last minute\n"


def test_out_of_bounds_is_refused_before_anybody_is_bothered(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mute", "99999"]) == 1
    assert capsys.readouterr().err.startswith("watchword: mute: seconds: Input should be less than")
    assert told.commands == []


@pytest.mark.parametrize("argv", [["status"], ["hush"], ["ask"], ["reload"], ["events"], ["mute", "1"]])
def test_without_a_daemon_one_line_says_what_to_do(
    home: Path, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"watchword: no watchword is running (socket {home}/run/watchword/watchword.sock, ")
    assert err.endswith("; start it with `watchword run` or `systemctl start watchword`\n")


def test_each_instance_is_found_by_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = Told(home / "run", "left")
    try:
        assert main(["hush", "--instance", "left"]) == 0
        monkeypatch.setenv("WATCHWORD_CONTROL__INSTANCE", "left")
        assert main(["repeat"]) == 0
        monkeypatch.delenv("WATCHWORD_CONTROL__INSTANCE")
        assert main(["hush"]) == 1
        assert "there are left: --instance NAME" in capsys.readouterr().err
        (home / "config.toml").write_text('[control]\ninstance = "left"\n')
        assert main(["ask"]) == 0
        assert left.commands == [commands.HushCommand(), commands.RepeatCommand(), commands.AskCommand()]
    finally:
        left.close()


def test_a_mistake_in_the_settings_keeps_nobody_from_silencing_it(told: Told, home: Path) -> None:
    (home / "config.toml").write_text("[speech]\nrate = 1\n")
    assert main(["hush"]) == 0
    assert told.commands == [commands.HushCommand()]


def test_without_a_runtime_folder_the_state_folder_serves(
    home: Path, monkeypatch: pytest.MonkeyPatch, short_folder: Path
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(short_folder))
    state = short_folder / "watchword"
    path = server_socket(os.environ, state)
    assert path == state / "watchword.sock"
    server = ControlServer(path, lambda _: {}, EventFeed())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert main(["hush"]) == 0
    finally:
        server.close()
        thread.join(PATIENCE_S)


def test_where_sockets_are() -> None:
    env = {"RUNTIME_DIRECTORY": "/run/watchword:/run/other", "XDG_RUNTIME_DIR": "/run/user/1000"}
    assert server_socket(env, Path("/state")) == Path("/run/watchword/watchword.sock")
    assert list(client_sockets(env, "left")) == [
        Path("/run/watchword/left.sock"),
        Path("/run/user/1000/watchword/left.sock"),
    ]
    assert list(client_sockets({"XDG_RUNTIME_DIR": "relative"})) == [Path("/run/watchword/watchword.sock")]


def test_events_are_printed_as_they_come_until_the_daemon_ends(told: Told) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "daemon.cli.main", "events", "alert"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    stop = threading.Event()
    publisher = threading.Thread(target=_publish, args=(told.feed, stop))
    publisher.start()
    try:
        assert json.loads(child.stdout.readline())["kind"] == "alert"
    finally:
        stop.set()
        publisher.join(PATIENCE_S)
    told.server.close()
    _, err = child.communicate(timeout=PATIENCE_S)
    assert (child.returncode, err) == (1, "watchword: watchword has stopped\n")


def _publish(feed: EventFeed, stop: threading.Event) -> None:
    while not stop.wait(0.01):
        feed.publish('{"v":1,"kind":"scene"}')
        feed.publish('{"v":1,"kind":"alert"}')


@pytest.mark.slow
def test_say_speaks_by_itself_into_a_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "mind the step", "--wav", "out.wav"]) == 0
    with wave.open("out.wav", "rb") as file:
        seconds = file.getnframes() / file.getframerate()
        loud = any(file.readframes(file.getnframes()))
    assert capsys.readouterr().out == f"{seconds:.2f} s in out.wav\n"
    assert loud and 0.4 < seconds < 4


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ko"])
def test_earcons_are_taught_into_a_file(home: Path, language: str) -> None:
    (home / "config.toml").write_text(f'[speech]\nlanguage = "{language}"\n')
    assert main(["say", "--earcons", "--wav", "out.wav"]) == 0
    with wave.open("out.wav", "rb") as file:
        assert file.getnframes() / file.getframerate() > len(EARCONS)


def test_a_file_that_cannot_be_written_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "hello", "--wav", "nowhere/out.wav"]) == 1
    assert (
        capsys.readouterr().err
        == "watchword: cannot write sound to nowhere/out.wav: No such file or directory\n"
    )


def _say_aloud(home: Path, alsa_config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "daemon.cli.main", "say", "mind the step"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "ALSA_CONFIG_PATH": str(alsa_config)},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=home,
    )


@pytest.mark.slow
@pytest.mark.skipif(not available(), reason="needs Debian's packages pulseaudio and libasound2-plugins")
def test_say_speaks_by_itself_through_the_loudspeaker(home: Path) -> None:
    (home / "pulse").mkdir()
    pulse = PrivatePulse(home / "pulse")
    pulse.start()
    ear = pulse.listen()
    try:
        assert ear.wait(1, PATIENCE_S)
        result = _say_aloud(home, pulse.alsa_config)
        assert (result.returncode, result.stderr) == (0, "")
        assert ear.wait(ear.frames() + pulse.rate, PATIENCE_S)
        assert abs(ear.samples()).max() > 1000
    finally:
        ear.close()
        pulse.kill()


@pytest.mark.slow
def test_say_without_a_loudspeaker_is_one_line(home: Path) -> None:
    (home / "alsa.conf").write_text(
        "</usr/share/alsa/alsa.conf>\n"
        "pcm.!default { type hw card 31 }\n"  # there is none of that number
        "ctl.!default { type hw card 31 }\n"
    )
    result = _say_aloud(home, home / "alsa.conf")
    assert result.returncode == 1
    assert result.stderr.startswith("watchword: no loudspeaker (")
    assert result.stderr.endswith("; --wav FILE writes what would be said\n")
    assert result.stderr.count("\n") == 1
