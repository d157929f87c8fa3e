"""Being in control without a screen: the real daemon, its real voice, and keys through a pipe."""

from __future__ import annotations

import json
import os
import signal
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
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
    HushCommand,
    LouderCommand,
    ReloadCommand,
    SlowerCommand,
    SofterCommand,
    StatusCommand,
)
from daemon.core.black_box import Recording
from daemon.core.earcon_lesson import lesson
from daemon.journal.false_alarms import FILE
from pipeline.hazards import builtin
from tests.capture.servers import MjpegServer, moving_street
from tests.daemon.keys.test_reader import events
from tests.daemon.living import Living, copied_cache, street_clip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETTINGS = "[health]\nlate_s = 5\n[worker]\nkeep_loaded = false\n"


@pytest.fixture(scope="module")
def keypad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipe, for a device with keys."""
    pipe = tmp_path_factory.mktemp("keys") / "keypad"
    os.mkfifo(pipe)
    return pipe


@pytest.fixture(scope="module")
def settings(keypad: Path) -> str:
    return f'{SETTINGS}[keys]\ndevice = "{keypad}"\nretry_max_s = 0.2\n'


@pytest.fixture(scope="module")
def living(models: Path, settings: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """One start for all tests that leave volume, speed and verbosity as they were."""
    with (
        MjpegServer(moving_street) as camera,
        Living(tmp_path_factory.mktemp("controls"), models, camera.url, settings) as daemon,
    ):
        _live(daemon)
        yield daemon


def _live(living: Living, since: int = 0) -> None:
    living.until(lambda: living.status()["camera"] == "live", 30, "the first picture")
    living.await_event("speak", since, text="Ready. I am watching.")


def _state(living: Living) -> Path:
    return living.folder / ".local/state/watchword"


def _overrides(living: Living) -> dict[str, Any]:
    file = _state(living) / "overrides.toml"
    return tomllib.loads(file.read_text())["speech"] if file.exists() else {}


def test_volume_and_speed_are_turned_said_and_kept_over_a_restart(living: Living) -> None:
    since = living.heard
    assert living.ask(SofterCommand())["volume"] == 0.9
    living.await_event("speak", since, text="Volume 90 percent.")
    assert living.ask(FasterCommand())["rate_wpm"] == 200
    living.await_event("speak", since, text="Speed 200.")
    living.until(lambda: _overrides(living) == {"volume": 0.9, "rate_wpm": 200}, 20, "overrides")
    since = living.heard
    living.signal(signal.SIGTERM)
    assert living.ended() == 0
    living.start()
    _live(living, since)
    since = living.heard
    living.ask(LouderCommand())
    living.await_event("speak", since, text="Volume 100 percent.")
    living.ask(LouderCommand())
    living.await_event("speak", since, text="That is the loudest.")
    assert living.ask(SlowerCommand())["rate_wpm"] == 180
    living.await_event("speak", since, text="Speed 180.")


def test_a_false_alarm_is_marked_and_dangers_are_said_while_phrases_are_rendered_anew(
    tmp_path: Path, models: Path, street: Callable[[int], Image]
) -> None:
    """The new voice's phrases are not on disk and must be made: the old voice says dangers meanwhile."""
    env = {"XDG_CACHE_HOME": str(copied_cache(tmp_path / "cache"))}  # what is made now does not stay
    others = set(builtin()) - {"vehicle", "two_wheeler", "fire"}
    fewer = "".join(f"[hazards.{name}]\nenabled = false\n" for name in sorted(others))
    config = SETTINGS + "[watch]\nremind_s = 1\ncooldown_s = 1\n" + fewer
    with MjpegServer(street) as camera, Living(tmp_path, models, camera.url, config, env) as living:
        living.await_event("speak", priority="danger")
        _marks_a_false_alarm(living)
        since = living.heard
        living.config.write_text(config + "[speech]\npitch = 20\ndanger_rate_wpm = 220\n")
        assert living.ask(ReloadCommand())["changed"] == ["speech.danger_rate_wpm", "speech.pitch"]
        living.await_event("speak", since, priority="danger")
        living.until(lambda: "the new settings hold" in living.log.read_text(), 60, "new phrases")
        since = living.heard
        spoken = living.await_event("speak", since, priority="danger")
        assert spoken["timing"]["since_capture_s"] < 5


def _marks_a_false_alarm(living: Living) -> None:
    living.ask(FalseAlarmCommand())
    noted = living.await_event("false_alarm")
    living.until((_state(living) / FILE).exists, 20, "the line")
    (line,) = [json.loads(text) for text in (_state(living) / FILE).read_text().splitlines()]
    assert (line["alert"], line["hazard"]) == (noted["alert"], noted["hazard"])
    assert line["model"] == living.status()["model"]
    recording = Recording.load(_state(living) / line["black_box"])
    assert recording.repeat() == recording.events
    said = {"vehicle": "Vehicle", "two_wheeler": "Bike"}[noted["hazard"]]
    living.await_event("speak", priority="message", text=f"False alarm noted: {said}.")


def test_verbosity_is_taken_over_live(living: Living, settings: str) -> None:
    since = living.heard
    living.config.write_text(settings + '[speech]\nverbosity = "alerts"\ntick_s = 1\n')
    assert living.ask(ReloadCommand())["changed"] == ["speech.tick_s", "speech.verbosity"]
    living.await_event("speak", since, text="", earcon="tick")
    living.config.write_text(settings)
    assert living.ask(ReloadCommand())["changed"] == ["speech.tick_s", "speech.verbosity"]


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


def test_keys_of_a_recorded_device_do_what_the_commands_do(living: Living, keypad: Path) -> None:
    def press(*codes: str, held_s: float = 0.1) -> bytes:
        story = [(CODES[c], v, n + v_s) for n, c in enumerate(codes) for v, v_s in ((1, 0.0), (0, held_s))]
        return events(story)

    for said, recorded in (
        ("Volume 90 percent.", press("kp2")),
        ("Volume 100 percent.", press("kp8")),
        ("Speed 200.", press("kp6")),
        ("Speed 180.", press("kp4")),
        ("There was no warning to take back.", press("kpenter", held_s=0.9)),
        ("Silent for 10 minutes, except for danger.", press("kp0", held_s=0.9)),
        ("I am speaking again.", press("kpdot")),
    ):
        since = living.heard
        with pressed(keypad, recorded):
            living.await_event("speak", since, text=said)
    since = living.heard
    with pressed(keypad, press("playpause")):
        living.await_event("speak", since, text="", earcon="listening")
        living.await_event("scene", since, trigger="request")
        assert living.status()["keys"] == f"listening to {keypad}"


def test_status_description_and_earcons_are_heard(living: Living) -> None:
    living.until(lambda: living.status()["fps"] > 1, 30, "a frame rate")
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
    # That all of them follow is tested with a core whose voice takes no time.
    for _, words in islice(lesson("en"), 2):
        living.await_event("speak", since, text=words)
    living.ask(HushCommand())


@pytest.fixture
def street(models: Path) -> Callable[[int], Image]:
    return street_clip(models)
