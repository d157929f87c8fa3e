"""Being in control without a screen: the real daemon, its real voice, and keys through a pipe."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from capture.frame import Image
from daemon.config.key_names import CODES
from daemon.control.commands import (
    DescribeCommand,
    EarconsCommand,
    FalseAlarmCommand,
    FasterCommand,
    LouderCommand,
    ReloadCommand,
    SofterCommand,
    StatusCommand,
)
from daemon.core.black_box import Recording
from daemon.core.earcon_lesson import lesson
from daemon.journal.false_alarms import FILE
from pipeline.hazards import builtin
from tests.capture.servers import MjpegServer, moving_street
from tests.daemon.keys.test_reader import events
from tests.daemon.living import Living, street_clip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETTINGS = "[health]\nlate_s = 5\n"


def _live(living: Living) -> None:
    living.until(lambda: living.status()["camera"] == "live", 20, "the first picture")
    living.await_event("speak", text="Ready. I am watching.")


def _state(living: Living) -> Path:
    return living.folder / ".local/state/watchword"


def _overrides(living: Living) -> dict[str, Any]:
    file = _state(living) / "overrides.toml"
    return tomllib.loads(file.read_text())["speech"] if file.exists() else {}


def test_volume_and_speed_are_turned_said_and_kept_over_a_restart(tmp_path: Path, models: Path) -> None:
    with MjpegServer(moving_street) as camera:
        with Living(tmp_path, models, camera.url, SETTINGS) as living:
            _live(living)
            since = living.heard
            assert living.ask(SofterCommand())["volume"] == 0.9
            living.await_event("speak", since, text="Volume 90 percent.")
            assert living.ask(FasterCommand())["rate_wpm"] == 200
            living.await_event("speak", since, text="Speed 200.")
            living.until(lambda: _overrides(living) == {"volume": 0.9, "rate_wpm": 200}, 10, "overrides")
        with Living(tmp_path, models, camera.url, SETTINGS) as again:
            _live(again)
            since = again.heard
            again.ask(LouderCommand())
            again.await_event("speak", since, text="Volume 100 percent.")
            again.ask(LouderCommand())
            again.await_event("speak", since, text="That is the loudest.")


def test_dangers_are_said_in_time_while_phrases_are_rendered_anew(
    tmp_path: Path, models: Path, street: Callable[[int], Image]
) -> None:
    """With no phrase on disk every one must be made anew: dangers meanwhile are said by the old ones."""
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    others = set(builtin()) - {"vehicle", "two_wheeler", "fire"}
    fewer = "".join(f"[hazards.{name}]\nenabled = false\n" for name in sorted(others))
    config = SETTINGS + "[watch]\nremind_s = 1\ncooldown_s = 1\n" + fewer
    with MjpegServer(street) as camera, Living(tmp_path, models, camera.url, config, env) as living:
        living.await_event("speak", priority="danger")
        since = living.heard
        living.config.write_text(config + "[speech]\npitch = 20\ndanger_rate_wpm = 220\n")
        assert living.ask(ReloadCommand())["changed"] == ["speech.danger_rate_wpm", "speech.pitch"]
        living.await_event("speak", since, priority="danger")
        living.until(lambda: "the new settings hold" in living.log.read_text(), 60, "new phrases")
        since = living.heard
        spoken = living.await_event("speak", since, priority="danger")
        assert spoken["timing"]["since_capture_s"] < 3


def test_a_false_alarm_is_marked_and_its_black_box_repeats(
    tmp_path: Path, models: Path, street: Callable[[int], Image]
) -> None:
    with MjpegServer(street) as camera, Living(tmp_path, models, camera.url, SETTINGS) as living:
        alert = living.await_event("alert")
        living.await_event("speak", cause=alert["id"])
        living.ask(FalseAlarmCommand())
        noted = living.await_event("false_alarm")
        living.until((_state(living) / FILE).exists, 10, "the line")
        (line,) = [json.loads(text) for text in (_state(living) / FILE).read_text().splitlines()]
        assert (line["alert"], line["hazard"]) == (noted["alert"], noted["hazard"])
        assert line["model"] == living.status()["model"]
        recording = Recording.load(_state(living) / line["black_box"])
        assert recording.repeat() == recording.events
        living.await_event("speak", priority="message", text="False alarm noted: Vehicle.")


def test_verbosity_is_taken_over_live(tmp_path: Path, models: Path) -> None:
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, SETTINGS) as living:
        _live(living)
        living.config.write_text(SETTINGS + '[speech]\nverbosity = "alerts"\ntick_s = 1\n')
        assert living.ask(ReloadCommand())["changed"] == ["speech.tick_s", "speech.verbosity"]
        living.await_event("speak", living.heard, text="", earcon="tick")


@contextmanager
def pressed(pipe: Path, recorded: bytes) -> Iterator[None]:
    """A keypad plugged in, its keys pressed; again where the daemon was just letting go of the last one."""
    for _ in range(20):
        keypad = pipe.open("wb", buffering=0)
        try:
            keypad.write(recorded)
            break
        except BrokenPipeError:
            keypad.close()
    with keypad:
        yield


def test_keys_of_a_recorded_device_do_what_the_commands_do(tmp_path: Path, models: Path) -> None:
    pipe = tmp_path / "keypad"
    os.mkfifo(pipe)
    config = SETTINGS + f'[keys]\ndevice = "{pipe}"\nretry_max_s = 0.2\n'

    def press(*codes: str, held_s: float = 0.1) -> bytes:
        story = [(CODES[c], v, n + v_s) for n, c in enumerate(codes) for v, v_s in ((1, 0.0), (0, held_s))]
        return events(story)

    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, config) as living:
        _live(living)
        for said, recorded in (
            ("Volume 90 percent.", press("kp2")),
            ("Speed 200.", press("kp6")),
            ("There was no warning to take back.", press("kpenter", held_s=0.9)),
            ("Silent for 10 minutes, except for danger.", press("kp0", held_s=0.9)),
            ("I am speaking again.", press("kpdot")),
        ):
            since = living.heard
            with pressed(pipe, recorded):
                living.await_event("speak", since, text=said)
        since = living.heard
        with pressed(pipe, press("playpause")):
            living.await_event("speak", since, text="", earcon="listening")
            living.await_event("scene", since, trigger="request")
            assert living.status()["keys"] == f"listening to {pipe}"


def test_status_description_and_earcons_are_heard(tmp_path: Path, models: Path) -> None:
    with MjpegServer(moving_street) as camera, Living(tmp_path, models, camera.url, SETTINGS) as living:
        _live(living)
        living.until(lambda: living.status()["fps"] > 1, 10, "a frame rate")
        since = living.heard
        living.ask(StatusCommand(aloud=True))
        # "Sound is failing." may come first: this machine's sound goes to a file.
        living.until(
            lambda: any("I am watching." in each.get("text", "") for each in living.events[since:]),
            20,
            "the status aloud",
        )
        since = living.heard
        living.ask(DescribeCommand())
        living.await_event("scene", since, trigger="request")
        since = living.heard
        living.ask(EarconsCommand())
        for _, words in lesson("en"):
            living.await_event("speak", since, text=words)


@pytest.fixture
def street(models: Path) -> Callable[[int], Image]:
    return street_clip(models)
