"""What the real daemon says when it begins, hangs and ends, and of a camera that will never work."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest

from capture.v4l2 import list_devices
from daemon.config.start_policy import StartPolicy
from daemon.control.commands import MuteCommand
from tests.capture.servers import MjpegServer, moving_street
from tests.daemon.ear import Ear, listening
from tests.daemon.living import Living

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[3]
FAST = "[health]\nsettle_s = 0.3\nquiet_s = 1\nlate_s = 5\n[describe]\nbackend = 'off'\n"
READY, GOODBYE = "Ready. I am watching.", "No more warnings."


def _watch(
    folder: Path, models: Path, source: str, env: Mapping[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """The daemon from its beginning to its end, and every event of that."""
    living, events = Living(folder, models, source, FAST, env), folder / "events.jsonl"
    command = [
        "run",
        "--once",
        "--config",
        living.config,
        "--source",
        source,
        "--wav",
        living.wav,
        "--events",
        events,
    ]
    result = subprocess.run(
        [sys.executable, "-m", "daemon.cli.main", *map(str, command)],
        cwd=ROOT,
        env=living.env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return result, [json.loads(line) for line in events.read_text().splitlines()]


def _said(events: list[dict[str, Any]]) -> list[str]:
    return [event["text"] for event in events if event["kind"] == "speak"]


def test_a_camera_that_can_never_work_is_told_aloud_and_never_called_ready(
    tmp_path: Path, models: Path
) -> None:
    (tmp_path / "notes.mp4").write_text("this is no video")
    result, events = _watch(tmp_path, models, str(tmp_path / "notes.mp4"))
    assert result.returncode == 1
    assert _said(events)[0] == "The camera cannot be used. I see nothing."
    assert READY not in _said(events)
    assert [e["reason"] for e in events if e.get("component") == "camera"] == ["unusable"]
    assert "Traceback" not in result.stderr
    assert "notes.mp4" in result.stderr.splitlines()[-1]


def test_an_error_nobody_foresaw_in_capture_is_no_end_of_a_file(tmp_path: Path, models: Path) -> None:
    code = (
        "import capture.files\n"
        "def read(self): raise RuntimeError('the decoder broke')\n"
        "capture.files.VideoFile.read = read\n"
    )
    (tmp_path / "sitecustomize.py").write_text(code)
    result, events = _watch(tmp_path, models, "demo", {"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert result.returncode == 1
    assert "capture failed (RuntimeError: the decoder broke)" in result.stderr
    assert "Traceback" in result.stderr
    assert _said(events)[0] == "Something in me broke. I see nothing."


def test_at_the_end_of_a_file_goodbye_comes_last(tmp_path: Path, models: Path, short_street: Path) -> None:
    result, events = _watch(tmp_path, models, str(short_street))
    assert result.returncode == 0
    said = _said(events)
    assert READY in said
    assert said[-1] == GOODBYE
    last = events[-1]
    assert last["kind"] == "summary"
    assert last["frames"] == last["assessed"] + last["skipped"] >= 99
    assert last["alerts"] == sum(event["kind"] == "alert" for event in events) > 0
    assert last["scenes"] == sum(event["kind"] == "scene" for event in events)
    assert last["vlm_calls"] == 0, "nothing describes here"
    assert (tmp_path / "said.wav").stat().st_size > 100_000


def test_auto_without_a_camera_says_that_it_is_a_demonstration_before_it_begins(
    tmp_path: Path, short_store: Path
) -> None:
    if list_devices():
        pytest.skip("a camera is plugged in")
    env = {"INVOCATION_ID": "", "NOTIFY_SOCKET": ""}
    _, events = _watch(tmp_path, short_store, "auto", env)
    assert _said(events)[0].startswith("No camera. This is a demonstration")
    assert events[0]["kind"] == "speak", "nothing is seen before that"


def test_as_a_service_auto_waits_for_a_camera(tmp_path: Path, models: Path) -> None:
    if list_devices():
        pytest.skip("a camera is plugged in")
    with (
        listening() as ear,
        Living(tmp_path, models, "auto", FAST, {"NOTIFY_SOCKET": ear.name}) as living,
    ):
        living.await_event("speak", text="Camera lost. I see nothing.")
        status = living.status()
        assert (status["camera"], status["source"], status["frames"]) == ("lost", "auto", 0)
        assert READY not in _said(living.events)


BROKEN = """
import os, time
import daemon.config.settings
from pipeline.models.starter.model import StarterModel
encode_well, load_well = StarterModel.encode, daemon.config.settings.load

def there(fault):
    return os.path.exists(os.path.join(os.environ["FAULTS"], fault))

def encode(self, image):
    while there("hang"):
        time.sleep(0.05)
    if there("break"):
        raise RuntimeError("the encoder broke")
    return encode_well(self, image)

def load(*args, **kwargs):
    if there("surprise"):
        raise KeyError("surprise")
    return load_well(*args, **kwargs)

StarterModel.encode, daemon.config.settings.load = encode, load
"""
"""A `sitecustomize`: the parts named by files fail."""


def test_a_detector_that_hangs_a_reload_that_fails_and_a_detector_that_breaks(
    tmp_path: Path, models: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    env = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "FAULTS": str(tmp_path)}
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST, env) as living:
        living.await_event("speak", text=READY)
        since = living.heard
        (tmp_path / "hang").touch()
        living.await_event("health", since, component="detector", reason="hung")
        living.await_event("speak", since, text="There are no warnings. Something in me hangs.")
        since = living.heard
        (tmp_path / "hang").unlink()
        living.await_event("speak", since, text="Warnings are in time again.")

        since = living.heard
        (tmp_path / "surprise").touch()
        living.signal(signal.SIGHUP)
        living.await_event("speak", since, text="That did not work. Nothing changed.")
        log = living.log.read_text()
        assert "not reloaded, the old settings hold" in log
        assert "KeyError: 'surprise'" in log
        assert living.process.poll() is None

        # A vital thread that fails takes the process down, which systemd then starts anew.
        (tmp_path / "break").touch()
        assert living.ended(30) == 1
        log = living.log.read_text()[len(log) :]
        assert "RuntimeError: the encoder broke" in log
        assert "Traceback" in log


def test_a_service_with_the_last_good_configuration_tells_systemd_and_says_goodbye_even_if_muted(
    tmp_path: Path, models: Path
) -> None:
    with listening() as ear, MjpegServer(moving_street) as camera:
        env = {
            "INVOCATION_ID": "0123",
            "SYSTEMD_EXEC_PID": "",
            "NOTIFY_SOCKET": ear.name,
            "WATCHDOG_USEC": "3000000",
        }
        living = Living(tmp_path, models, camera.url, f"{FAST}[speech]\nrate_wpm = 210\n", env)
        StartPolicy(living.config, living.env, {}, service=False).load()
        good = living.config.read_text()
        living.config.write_text(good.replace("quiet_s = 1", "quiet_s = 1,5"))
        with Told(ear) as told, living:
            told.until("READY=1")
            assert told.story[0].startswith("EXTEND_TIMEOUT_USEC=")
            told.until("WATCHDOG=1")
            told.until("STATUS=")
            living.await_event("health", component="configuration", reason="invalid", state="failing")
            living.await_event("speak", text="The settings have a mistake. I use the last good ones.")
            assert living.status()["components"]["configuration"]["reason"] == "invalid"
            assert "write quiet_s = 1.5" in living.log.read_text()
            living.await_event("speak", text=READY)

            living.config.write_text(good)
            since, before = living.heard, len(told.story)
            living.signal(signal.SIGHUP)
            reloading = told.until("RELOADING=1", before)
            told.until("MONOTONIC_USEC=", reloading)
            told.until("READY=1", reloading)
            living.await_event("speak", since, text="The settings are fine again.")

            living.ask(MuteCommand(seconds=600))
            living.ask(MuteCommand(seconds=600))
            since, before = living.heard, len(told.story)
            living.signal(signal.SIGTERM)
            told.until("STOPPING=1", before)
            living.await_event("speak", since, text=GOODBYE)
            assert living.ended() == 0
            assert living.await_event("summary", since)["frames"] > 0


class Told:
    """All that systemd has been told, taken as it comes: its socket holds only ten messages."""

    _END = "X_END=1"

    def __init__(self, ear: Ear) -> None:
        self.story: list[str] = []
        self._ear = ear
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._take, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.sendto(self._END.encode(), f"\0{self._ear.name[1:]}")
        self._thread.join(10)

    def _take(self) -> None:
        while self._END not in self.story:
            with suppress(TimeoutError):
                lines = self._ear.hear()
                with self._changed:
                    self.story += lines
                    self._changed.notify_all()

    def until(self, begin: str, after: int = 0) -> int:
        """Wait for a line that begins so, from number `after` on; its number."""

        def found() -> int | None:
            lines = enumerate(self.story[after:], after)
            return next((number for number, line in lines if line.startswith(begin)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() is not None, 30)
            number = found()
        assert number is not None, f"no {begin} in {self.story[after:]}"
        return number
