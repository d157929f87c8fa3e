"""What the real daemon says when it begins, hangs and ends, and of a camera that will never work."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from capture.v4l2 import list_devices
from daemon.config.start_policy import StartPolicy
from daemon.control.commands import MuteCommand
from tests.capture.servers import MjpegServer, moving_street
from tests.daemon.ear import listening
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


def test_auto_without_a_camera_says_that_it_is_a_demonstration_before_it_begins(
    tmp_path: Path, models: Path
) -> None:
    if list_devices():
        pytest.skip("a camera is plugged in")
    env = {"INVOCATION_ID": "", "NOTIFY_SOCKET": ""}
    _, events = _watch(tmp_path, models, "auto", env)
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


def test_asked_to_stop_it_says_goodbye_even_where_it_is_muted(tmp_path: Path, models: Path) -> None:
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST) as living:
        living.await_event("speak", text=READY)
        living.ask(MuteCommand(seconds=60))
        living.ask(MuteCommand(seconds=60))
        since = living.heard
        living.signal(signal.SIGTERM)
        living.await_event("speak", since, text=GOODBYE)
        assert living.ended() == 0
        assert living.await_event("summary", since)["frames"] > 0


def test_asked_to_stop_twice_it_ends_at_once(tmp_path: Path, models: Path) -> None:
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST) as living:
        living.await_event("speak", text=READY)
        since = living.heard
        living.signal(signal.SIGTERM)
        living.await_event("speak", since, text=GOODBYE)
        living.signal(signal.SIGTERM)
        assert living.ended() == 128 + signal.SIGTERM  # 0 if it had waited for the words


def test_a_detector_that_hangs_is_told_aloud_while_it_does(tmp_path: Path, models: Path) -> None:
    code = (
        "import os, time; from pipeline.models.starter.model import StarterModel as M; old = M.encode\n"
        "def encode(self, image):\n"
        "    while os.path.exists(os.environ['HANG']): time.sleep(0.05)\n"
        "    return old(self, image)\n"
        "M.encode = encode\n"
    )
    (tmp_path / "sitecustomize.py").write_text(code)
    hang = tmp_path / "hang"
    env = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "HANG": str(hang)}
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST, env) as living:
        living.await_event("speak", text=READY)
        hang.touch()
        living.await_event("health", component="detector", reason="hung")
        living.await_event("speak", text="There are no warnings. Something in me hangs.")
        since = living.heard
        hang.unlink()
        living.await_event("speak", since, text="Warnings are in time again.")


def test_any_mistake_at_a_hangup_is_told_and_the_old_settings_hold(tmp_path: Path, models: Path) -> None:
    code = (
        "import os, daemon.config.settings; old = daemon.config.settings.load\n"
        "def load(*args, **kwargs):\n"
        "    if os.path.exists(os.environ['SURPRISE']): raise KeyError('surprise')\n"
        "    return old(*args, **kwargs)\n"
        "daemon.config.settings.load = load\n"
    )
    (tmp_path / "sitecustomize.py").write_text(code)
    surprise = tmp_path / "surprise"
    env = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "SURPRISE": str(surprise)}
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST, env) as living:
        living.await_event("speak", text=READY)
        surprise.touch()
        living.signal(signal.SIGHUP)
        living.await_event("speak", text="That did not work. Nothing changed.")
        log = living.log.read_text()
        assert "not reloaded, the old settings hold" in log
        assert "KeyError: 'surprise'" in log
        assert living.process.poll() is None


def test_a_service_says_that_it_runs_with_the_last_good_configuration(tmp_path: Path, models: Path) -> None:
    env = {"INVOCATION_ID": "0123", "SYSTEMD_EXEC_PID": ""}
    with MjpegServer(moving_street) as camera:
        living = Living(tmp_path, models, camera.url, f"{FAST}[speech]\nrate_wpm = 210\n", env)
        StartPolicy(living.config, living.env, {}, service=False).load()
        good = living.config.read_text()
        living.config.write_text(good.replace("quiet_s = 1", "quiet_s = 1,5"))
        with living:
            living.await_event("health", component="configuration", reason="invalid", state="failing")
            living.await_event("speak", text="The settings have a mistake. I use the last good ones.")
            assert living.status()["components"]["configuration"]["reason"] == "invalid"
            assert "write quiet_s = 1.5" in living.log.read_text()
            living.config.write_text(good)
            since = len(living.events)
            living.signal(signal.SIGHUP)
            living.await_event("speak", since, text="The settings are fine again.")
