"""The real daemon on real streams, with a real loudspeaker, through everything that goes wrong."""

from __future__ import annotations

import os
import signal
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
def street(models: Path) -> Callable[[int], Image]:
    return street_clip(models)


def _speaks_of_vehicles(living: Living) -> None:
    alert = living.await_event("alert", hazard="vehicle")
    spoken = living.await_event("speak", cause=alert["id"])
    assert "Vehicle" in spoken["text"]


def test_mjpeg_over_http_is_spoken_aloud_through_a_crash_of_the_sound_server_until_it_is_stopped(
    tmp_path: Path, models: Path, street: Callable[[int], Image], pulse: PrivatePulse
) -> None:
    sound = {"ALSA_CONFIG_PATH": str(pulse.alsa_config)}  # its default is the private server
    ear = pulse.listen()
    with MjpegServer(street) as camera, Living(tmp_path, models, camera.url, FAST, sound) as living:
        _speaks_of_vehicles(living)
        living.until(lambda: "frame_to_ear" in living.status()["latency"], 20, "the latency of the alert")
        status = living.status()
        assert status["outlet"] == "loudspeaker"
        assert status["latency"]["frame_to_ear"]["count"] >= 1
        assert not set(_modules(living)) & {"torch", "open_clip"}
        living.until(lambda: bool(np.abs(ear.samples()).max(initial=0) > 1000), 20, "sound")
        ear.close()

        since = living.heard
        pulse.kill()
        living.await_event("health", since, component="loudspeaker", state="failing")
        living.until(lambda: living.status()["loudspeaker_losses"] >= 1, 20, "the loss to be counted")
        since = living.heard
        pulse.start()
        living.await_event("health", since, component="loudspeaker", state="ok")
        living.until(lambda: living.status()["outlet"] == "loudspeaker", 20, "the loudspeaker")
        living.until(lambda: _says(living, "I can be heard again"), 60, "words")

        # How soon, on a quiet machine, is measured by `watchword bench start`.
        living.signal(signal.SIGTERM)
        assert living.ended() == 0
        assert not living.socket.exists()
        assert "did not stop" not in living.log.read_text()


def _modules(living: Living) -> list[str]:
    maps = Path(f"/proc/{living.process.pid}/maps").read_text()
    return [name for name in ("torch", "open_clip") if f"/{name}/" in maps]


def test_a_pushing_rtmp_camera_to_alerts_and_speech(
    tmp_path: Path, models: Path, street: Callable[[int], Image]
) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/street"
    living = Living(tmp_path, models, f"{url}?listen", FAST)
    with living:
        living.until(lambda: living.status()["camera"] != "live", 20, "the camera to be awaited")
        pushers: list[Pusher] = []

        def live() -> bool:
            if not pushers or not pushers[-1].running:
                pushers.append(Pusher("-f", "flv", url, paint=street))
            return bool(living.status()["camera"] == "live")

        try:
            living.until(live, 60, "the camera's pictures")
            _speaks_of_vehicles(living)
        finally:
            for pusher in pushers:
                pusher.close()


def test_a_camera_that_comes_late_stalls_sends_rubbish_darkens_freezes_and_hangs_up_is_told_and_comes_back(
    tmp_path: Path, models: Path
) -> None:
    mode = {"dark": False, "frozen": False}

    def paint(index: int) -> Image:
        picture = moving_street(0 if mode["frozen"] else index)
        return picture // 60 if mode["dark"] else picture

    def begun(what: str, reason: str, since: int) -> int:
        """The number of the first event after the change."""
        living.await_event("health", since, component=what, reason=reason)
        return living.heard

    port = free_port()
    with Living(tmp_path, models, f"http://127.0.0.1:{port}/stream.mjpg", FAST) as living:
        begun("camera", "lost", 0)
        living.await_event("speak", text="Camera lost. I see nothing.")
        assert living.status()["camera"] == "lost"
        since = living.heard
        camera = MjpegServer(paint, port=port)

        def lost_and_back(break_it: Callable[[], None], mend_it: Callable[[], None]) -> None:
            since = living.heard
            break_it()
            begun("camera", "lost", since)
            living.await_event("speak", since, text="Camera lost. I see nothing.")
            since = living.heard
            mend_it()
            begun("camera", "ok", since)
            living.await_event("speak", since, text="The camera is back.")

        with camera:
            begun("camera", "ok", since)
            # The next loss is news once this is heard. "The camera is back." is said before it or, where
            # another sentence goes first, not at all: it would say nothing new.
            living.await_event("speak", since, text="Ready. I am watching.")
            lost_and_back(camera.stalled.set, camera.stalled.clear)
            lost_and_back(camera.rubbish.set, camera.rubbish.clear)
            for trouble in mode:
                since = living.heard
                mode[trouble] = True
                since = begun("picture", trouble, since)
                mode[trouble] = False
                begun("picture", "ok", since)
            since = living.heard
        since = begun("camera", "lost", since)
        with MjpegServer(lambda i: np.ascontiguousarray(moving_street(i)[::2, ::2]), port=port):
            begun("camera", "ok", since)
            before = living.status()["assessed"]
            living.until(lambda: living.status()["assessed"] > before + 5, 20, "pictures of another size")


def test_rtsp_to_alerts_and_speech_through_a_voice_that_is_stopped_or_killed(
    tmp_path: Path, models: Path, street: Callable[[int], Image]
) -> None:
    config = FAST + "[speech]\nsynthesis_timeout_s = 1\n[watch]\nremind_s = 2.5\ncooldown_s = 1\n"
    with RtspServer(street) as camera, Living(tmp_path, models, camera.url, config) as living:
        _speaks_of_vehicles(living)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            since = living.heard
            for child in living.children():
                os.kill(child, number)
            living.ask(SayCommand(text="this sentence needs the voice"))
            living.await_event("speak", since, priority="danger")
            living.until(lambda: _says(living, "the voice is back", 3), 60, "the voice to come back")


def _says(living: Living, text: str, patience_s: float = 10) -> bool:
    """Whether it is said; it may expire behind warnings, and is then to be asked for again."""
    since = living.heard
    living.ask(SayCommand(text=text))
    try:
        living.await_event("speak", since, timeout_s=patience_s, text=text)
    except AssertionError:
        return False
    return True


def test_commands_through_the_socket_a_reload_and_two_signals_to_stop(tmp_path: Path, models: Path) -> None:
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, FAST) as living:
        living.await_event("speak", text="Ready. I am watching.")
        _commands(living)
        _reloads(living)
        since = living.heard
        living.signal(signal.SIGTERM)
        living.await_event("speak", since, text="No more warnings.")
        living.signal(signal.SIGTERM)
        assert living.ended() == 128 + signal.SIGTERM  # 0 if it had waited for the words


def _commands(living: Living) -> None:
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
    living.ask(MuteCommand(seconds=600))
    assert 300 < living.status()["muted_s"] <= 600
    assert living.status()["danger_muted_s"] == 0
    living.ask(MuteCommand(seconds=600))
    assert living.status()["danger_muted_s"] > 300
    living.ask(MuteCommand(seconds=0))
    assert living.status()["muted_s"] == living.status()["danger_muted_s"] == 0


def _reloads(living: Living) -> None:
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
    since = living.heard
    living.signal(signal.SIGHUP)
    living.await_event("speak", since, text="That did not work. Nothing changed.")
    assert "not reloaded" in living.log.read_text()
    living.until(lambda: _says(living, "still here"), 60, "words")


@pytest.mark.release  # `script/soak` is the long version, with faults
def test_nothing_grows_in_twenty_seconds_of_street(tmp_path: Path, models: Path) -> None:
    """The short version of script/soak."""
    assert grown(soak(tmp_path, models, seconds=20, every_s=1.0)) == []
