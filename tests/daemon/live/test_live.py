"""The real daemon on real streams, with a real loudspeaker, through everything that goes wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from capture.frame import Image
from daemon.bench.loudspeaker import PrivatePulse, available
from daemon.control.commands import (
    AskCommand,
    HushCommand,
    MuteCommand,
    ReloadCommand,
    RepeatCommand,
    SayCommand,
    UtterCommand,
    WhyCommand,
)
from daemon.errors import CommandError
from tests.capture.servers import MjpegServer, Pusher, RtspServer, free_port, moving_street
from tests.daemon.ear import listening
from tests.daemon.living import Living, street_clip
from tests.faults.soak import grown, soak

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FAST = """
[capture]
open_timeout_s = 3
read_timeout_s = 2
stall_s = 1
retry_max_s = 1
trouble_after_s = 1
trouble_clear_s = 0.5
frozen_s = 2
[health]
settle_s = 0.3
quiet_s = 1
late_s = 5
"""


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePulse]:
    if not available():
        pytest.skip("needs Debian's packages pulseaudio and libasound2-plugins")
    server = PrivatePulse(tmp_path_factory.mktemp("pulse"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def sound(pulse: PrivatePulse) -> dict[str, str]:
    """An environment in which the default loudspeaker is the private server."""
    return {"ALSA_CONFIG_PATH": str(pulse.alsa_config)}


@pytest.fixture
def street(models: Path) -> Callable[[int], Image]:
    return street_clip(models)


def _speaks_of_vehicles(living: Living) -> None:
    alert = living.await_event("alert", hazard="vehicle")
    spoken = living.await_event("speak", cause=alert["id"])
    assert "Vehicle" in spoken["text"]


def test_mjpeg_over_http_to_alerts_and_speech(
    tmp_path: Path, models: Path, street: Callable[[int], Image], pulse: PrivatePulse, sound: dict[str, str]
) -> None:
    ear = pulse.listen()
    with MjpegServer(street) as camera, Living(tmp_path, models, camera.url, FAST, sound) as living:
        _speaks_of_vehicles(living)
        status = living.status()
        assert status["outlet"] == "loudspeaker"
        assert status["latency"]["frame_to_ear"]["count"] >= 1
        assert not set(_modules(living)) & {"torch", "open_clip"}
    assert np.abs(ear.samples()).max() > 1000
    ear.close()


def _modules(living: Living) -> list[str]:
    maps = Path(f"/proc/{living.process.pid}/maps").read_text()
    return [name for name in ("torch", "open_clip") if f"/{name}/" in maps]


def test_rtsp_to_alerts_and_speech(tmp_path: Path, models: Path, street: Callable[[int], Image]) -> None:
    with RtspServer(street) as camera, Living(tmp_path, models, camera.url, FAST) as living:
        _speaks_of_vehicles(living)


def test_a_pushing_rtmp_camera_to_alerts_and_speech(
    tmp_path: Path, models: Path, street: Callable[[int], Image]
) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/street"
    living = Living(tmp_path, models, f"{url}?listen", FAST)
    with living:
        living.until(lambda: living.status()["camera"] != "live", 10, "the camera to be awaited")
        pushers: list[Pusher] = []

        def live() -> bool:
            if not pushers or not pushers[-1].running:
                pushers.append(Pusher("-f", "flv", url, paint=street))
            return bool(living.status()["camera"] == "live")

        try:
            living.until(live, 30, "the camera's pictures")
            _speaks_of_vehicles(living)
        finally:
            for pusher in pushers:
                pusher.close()


def test_a_stream_that_stalls_hangs_up_sends_rubbish_and_dies_is_told_and_comes_back(
    tmp_path: Path, models: Path
) -> None:
    camera = MjpegServer(moving_street)
    port = camera.port
    with Living(tmp_path, models, camera.url, FAST) as living:

        def lost_and_back(break_it: Callable[[], None], mend_it: Callable[[], None]) -> None:
            since = living.heard
            break_it()
            living.await_event("health", since, component="camera", reason="lost")
            living.await_event("speak", since, text="Camera lost. I see nothing.")
            since = living.heard
            mend_it()
            living.await_event("health", since, component="camera", reason="ok")
            living.await_event("speak", since, text="The camera is back.")

        living.until(lambda: living.status()["camera"] == "live", 20, "the first picture")
        lost_and_back(camera.stalled.set, camera.stalled.clear)
        lost_and_back(camera.rubbish.set, camera.rubbish.clear)
        camera.close()
        living.await_event("health", living.heard, component="camera", reason="lost")
        with MjpegServer(lambda i: np.ascontiguousarray(moving_street(i)[::2, ::2]), port=port):
            living.await_event("health", living.heard - 1, component="camera", reason="ok")
            before = living.status()["assessed"]
            living.until(lambda: living.status()["assessed"] > before + 5, 20, "pictures of another size")


def test_a_dark_and_a_frozen_picture_are_told(tmp_path: Path, models: Path) -> None:
    mode = {"dark": False, "frozen": False}

    def paint(index: int) -> Image:
        picture = moving_street(0 if mode["frozen"] else index)
        return picture // 60 if mode["dark"] else picture

    with MjpegServer(paint) as camera, Living(tmp_path, models, camera.url, FAST) as living:
        living.until(lambda: living.status()["camera"] == "live", 20, "the first picture")
        for trouble in mode:
            since = living.heard
            mode[trouble] = True
            living.await_event("health", since, component="picture", reason=trouble)
            since = living.heard
            mode[trouble] = False
            living.await_event("health", since, component="picture", reason="ok")


def test_a_stopped_or_killed_voice_is_replaced_and_danger_goes_on(
    tmp_path: Path, models: Path, street: Callable[[int], Image]
) -> None:
    config = FAST + "[speech]\nsynthesis_timeout_s = 1\n[watch]\nremind_s = 3\ncooldown_s = 1\n"
    with MjpegServer(street) as camera, Living(tmp_path, models, camera.url, config) as living:
        _speaks_of_vehicles(living)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            since = living.heard
            for child in living.children():
                os.kill(child, number)
            living.ask(SayCommand(text="this sentence needs the voice"))
            living.await_event("speak", since, priority="danger")
            living.until(lambda: _says(living, "the voice is back", 3), 30, "the voice to come back")


def _says(living: Living, text: str, patience_s: float = 15) -> bool:
    since = living.heard
    living.ask(SayCommand(text=text))
    try:
        living.await_event("speak", since, timeout_s=patience_s, text=text)
    except AssertionError:
        return False
    return True


def test_a_sound_server_that_crashes_is_told_and_comes_back(
    tmp_path: Path, models: Path, pulse: PrivatePulse, sound: dict[str, str]
) -> None:
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST, sound) as living:
        living.until(lambda: living.status()["outlet"] == "loudspeaker", 20, "the loudspeaker")
        since = living.heard
        pulse.kill()
        living.await_event("health", since, component="loudspeaker", state="failing")
        living.until(lambda: living.status()["loudspeaker_losses"] >= 1, 10, "the loss to be counted")
        since = living.heard
        pulse.start()
        living.await_event("health", since, component="loudspeaker", state="ok")
        living.until(lambda: living.status()["outlet"] == "loudspeaker", 10, "the loudspeaker")
        assert _says(living, "I can be heard again")


def test_commands_through_the_socket(tmp_path: Path, models: Path) -> None:
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST) as living:
        own = 1 if living.status()["outlet"] == "loudspeaker" else 2  # ready, and that sound is failing
        living.until(lambda: living.status()["counts"].get("spoken", 0) >= own, 20, "its own words")
        since = living.heard
        living.ask(SayCommand(text="hello there"))
        living.await_event("speak", since, text="hello there")
        living.ask(HushCommand())
        since = living.heard
        living.ask(RepeatCommand())
        living.await_event("speak", since, text="hello there")
        living.ask(AskCommand(question="what is there?"))
        living.await_event("scene", since, trigger="request")
        living.ask(HushCommand())  # the answer goes first, and the relayed words would be too old after it
        utter = UtterCommand(
            text="from the other camera", language="en", priority="message", key="k", cause="left:a1"
        )
        living.ask(utter)
        living.await_event("speak", since, cause="left:a1")
        living.ask(MuteCommand(seconds=60))
        assert 50 < living.status()["muted_s"] <= 60
        assert living.status()["danger_muted_s"] == 0
        living.ask(MuteCommand(seconds=60))
        assert living.status()["danger_muted_s"] > 50


def test_a_reload_applies_what_it_can_and_keeps_the_old_on_a_mistake(tmp_path: Path, models: Path) -> None:
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST) as living:
        living.until(lambda: living.status()["assessed"] > 0, 20, "the first picture")
        assert "dog reached" in living.ask(WhyCommand(event="dog"))["text"]
        without = "[hazards.dog]\nenabled = false\n"
        living.config.write_text(FAST + "[speech]\nrate_wpm = 300\n[pipeline]\nthreads = 1\n" + without)
        result = living.ask(ReloadCommand())
        changed = ["hazards.dog.enabled", "speech.rate_wpm"]
        result.pop("unrecognised", None)  # there if the settings were applied within two seconds
        assert result == {"changed": changed, "needs_restart": ["pipeline.threads"]}
        living.until(lambda: "the new settings hold" in living.log.read_text(), 60, "new phrases")
        with pytest.raises(CommandError, match="dog: not watched for"):
            living.ask(WhyCommand(event="dog"))
        living.config.write_text(FAST + "[speech]\nrate_wpn = 300\n")
        with pytest.raises(CommandError, match=r"rate_wpn.*rate_wpm"):
            living.ask(ReloadCommand())
        living.signal(signal.SIGHUP)
        living.await_event("speak", text="That did not work. Nothing changed.")
        assert "not reloaded" in living.log.read_text()
        assert _says(living, "still here")


def test_asked_to_stop_under_load_it_says_goodbye_and_ends_soon(
    tmp_path: Path, models: Path, street: Callable[[int], Image]
) -> None:
    with MjpegServer(street) as camera, Living(tmp_path, models, camera.url, FAST) as living:
        _speaks_of_vehicles(living)
        began = time.monotonic()
        living.signal(signal.SIGTERM)
        assert living.ended() == 0
        # Two seconds by `watchword bench start`; the bound is loose, for a machine with other things to do.
        assert time.monotonic() - began < 8
        assert not living.socket.exists()
        assert "did not stop" not in living.log.read_text()


def test_a_file_is_watched_to_its_end(tmp_path: Path, models: Path) -> None:
    with Living(tmp_path, models, str(models / "demo" / "bikes.mp4"), FAST) as living:
        living.await_event("alert", hazard="vehicle")
        summary = living.await_event("summary", timeout_s=60)
        assert summary["frames"] >= 249
        assert living.ended() == 0
    assert living.wav.stat().st_size > 100_000


def test_a_source_that_can_never_work_ends_it_with_one_line(tmp_path: Path, models: Path) -> None:
    (tmp_path / "notes.mp4").write_text("this is no video")
    living = Living(tmp_path, models, str(tmp_path / "notes.mp4"), FAST)
    with living:
        assert living.ended(60) == 1
    log = living.log.read_text()
    assert "Traceback" not in log
    assert "notes.mp4" in log.splitlines()[-1]


def test_a_camera_that_is_not_there_is_told_and_awaited(tmp_path: Path, models: Path) -> None:
    with Living(tmp_path, models, "/dev/video97", FAST) as living:
        living.await_event("health", component="camera", reason="lost")
        living.await_event("speak", text="Camera lost. I see nothing.")
        assert living.process.poll() is None


def test_systemd_hears_the_whole_story(tmp_path: Path, models: Path) -> None:
    with listening() as ear, MjpegServer(moving_street) as camera:
        env = {"NOTIFY_SOCKET": ear.name, "WATCHDOG_USEC": "3000000"}
        with Living(tmp_path, models, camera.url, FAST, env) as living:
            story: list[str] = []

            def hear_until(word: str) -> None:
                for _ in range(200):
                    story.extend(ear.hear())
                    if any(line.startswith(word) for line in story):
                        return
                raise AssertionError(f"no {word} in {story}")

            hear_until("READY=1")
            assert story[0].startswith("EXTEND_TIMEOUT_USEC=")
            hear_until("WATCHDOG=1")
            hear_until("STATUS=")
            story.clear()
            living.signal(signal.SIGHUP)
            hear_until("RELOADING=1")
            assert any(line.startswith("MONOTONIC_USEC=") for line in story)
            hear_until("READY=1")
            story.clear()
            living.signal(signal.SIGTERM)
            hear_until("STOPPING=1")
            assert living.ended() == 0


def test_a_vital_thread_that_fails_takes_the_process_down_with_its_traceback(
    tmp_path: Path, models: Path
) -> None:
    """The frames are fine, the model is not: its file of weights is replaced while it is being used."""
    code = (
        "import sys; from pipeline.models.starter.model import StarterModel as M; n = [0]; old = M.encode\n"
        "def encode(self, image):\n"
        "    n[0] += 1\n"
        "    if n[0] > 20: raise RuntimeError('the encoder broke')\n"
        "    return old(self, image)\n"
        "M.encode = encode\n"
    )
    (tmp_path / "sitecustomize.py").write_text(code)
    env = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[3]}"}
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST, env) as living:
        assert living.ended(30) == 1
    log = living.log.read_text()
    assert "RuntimeError: the encoder broke" in log
    assert "Traceback" in log


def test_nothing_grows_in_twenty_seconds_of_street(tmp_path: Path, models: Path) -> None:
    """The short version of script/soak."""
    assert grown(soak(tmp_path, models, seconds=20, every_s=1.0)) == []
