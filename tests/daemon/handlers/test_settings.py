"""Settings changed from the web interface: all or none, applied and kept, and what only the file may say."""

from __future__ import annotations

import math
import threading
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config import settings
from daemon.config.schema import dotted
from daemon.config.settings import SCHEMA, Settings
from daemon.control.commands import ConfigCommand, ResetCommand, SetCommand
from daemon.core.messages import Say
from daemon.errors import CommandError, ConfigError
from daemon.handlers.settings import SettingsHandler, bounds, is_file_only
from daemon.runtime.settings_updates import SettingsUpdater
from speech.synthesis.base import SynthesisError


class Web:
    """The real settings, tuning and thread; only what applies is a stand-in."""

    def __init__(self, folder: Path, config: str = "", **cli: object) -> None:
        self.file = folder / "config.toml"
        self.file.write_text(config)
        self.env = {"HOME": str(folder)}
        loaded = settings.load(self.file, self.env, {k.replace("__", "."): v for k, v in cli.items()})
        self.overrides = loaded.overrides
        self.applied: list[Settings] = []
        self.said: list[Say] = []
        self.failure = ""
        self.tuning = SettingsUpdater(
            loaded.settings, lambda: loaded.again(None).settings, self._apply, self.said.append
        )
        self.web = SettingsHandler(self.tuning, loaded, settings.defaults(self.env))
        self.thread = threading.Thread(target=self.tuning.run, daemon=True)
        self.thread.start()

    def _apply(self, new: Settings, voice: bool) -> None:
        if self.failure:
            raise SynthesisError(self.failure)
        self.applied.append(new)

    def set(self, **values: object) -> Mapping[str, Any]:
        return self.web.set(
            SetCommand(values={key.replace("__", "."): value for key, value in values.items()})
        )

    def kept(self) -> dict[str, Any]:
        return tomllib.loads(self.overrides.read_text()) if self.overrides.exists() else {}

    def row(self, key: str) -> Mapping[str, Any]:
        sections = self.web.config(ConfigCommand())["sections"]
        return next(row for section in sections for row in section["settings"] if row["key"] == key)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    web = Web(tmp_path)
    yield web
    web.tuning.close()
    web.thread.join(5)


def test_a_threshold_holds_at_once_and_after_the_next_start(web: Web) -> None:
    assert web.set(hazards__fire__threshold=0.4) == {
        "changed": ["hazards.fire.threshold"],
        "needs_restart": [],
    }
    assert web.applied[-1].hazards["fire"].threshold == 0.4
    assert web.kept() == {"hazards": {"fire": {"threshold": 0.4}}}
    row = web.row("hazards.fire.threshold")
    assert (row["value"], row["default"], row["layer"]) == (0.4, "auto", "overrides")
    assert (row["type"], row["choices"], row["minimum"], row["maximum"]) == ("number|string", ["auto"], 0, 1)
    assert row["live"]
    assert row["settable"]


def test_what_needs_a_restart_is_kept_named_and_shown_beside_what_holds(web: Web) -> None:
    result = web.set(capture__max_side=640, watch__cooldown_s=9.0)
    assert result == {"changed": ["watch.cooldown_s"], "needs_restart": ["capture.max_side"]}
    assert web.applied[-1].capture.max_side == 1280
    row = web.row("capture.max_side")
    assert (row["value"], row["running"], row["live"]) == (640, 1280, False)
    web.set(capture__max_side=641)
    assert len(web.applied) == 1, "nothing to be applied, so what is remembered does not start afresh"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"hazards.fire.threshold": 2}, "hazards.fire.threshold = 2: should be"),
        ({"hazards.fire.threshhold": 0.5}, 'did you mean "hazards.fire.threshold"'),
        ({"watch.cooldown_s": 5.0, "speech.rate_wpm": "fast"}, "speech.rate_wpm"),
        ({"watch": 5}, "watch"),
        ({"watch.cooldown_s.more": 5}, "watch.cooldown_s"),
        ({"nothing.at.all": True}, "no such setting"),
        ({"hazards.new": {}}, "hazards.new"),
        ({"watch.cooldown_s": math.nan}, "no finite number"),
        ({"hazards.fire.prompts": ["fire", None]}, "has no value"),
        ({"hazards.fire.prompts": ["fire" * 60_000]}, "characters at most"),
    ],
)
def test_a_mistake_leaves_everything_as_it_was(web: Web, values: dict[str, Any], told: str) -> None:
    web.set(speech__volume=0.5)
    with pytest.raises((ConfigError, CommandError)) as caught:
        web.web.set(SetCommand.model_construct(values=values))
    assert told in str(caught.value)
    assert not isinstance(caught.value, CommandError) or caught.value.code == "invalid"
    assert str(web.overrides.parent) not in str(caught.value)
    assert web.kept() == {"speech": {"volume": 0.5}}
    assert len(web.applied) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"paths.state": "/tmp/x"},
        {"paths": {}},
        {"control.group": "everybody"},
        {"control": {"group": "everybody"}},
        {"describe.server_url": "http://elsewhere"},
        {"describe": {"stale_s": 3.0, "server_url": "http://elsewhere"}},
        {"describe.server_key_file": "/etc/shadow"},
        {"mqtt.password_file": "/etc/shadow"},
        {"capture.source": "http://169.254.169.254/"},
    ],
)
def test_who_comes_in_what_leaves_and_which_files_only_the_file_says(
    web: Web, values: dict[str, Any]
) -> None:
    with pytest.raises(CommandError, match="only be set in"):
        web.web.set(SetCommand(values=values))
    assert not web.kept()


def test_every_setting_that_names_a_file_or_a_secret_is_closed() -> None:
    keys = [dotted(path) for path in SCHEMA.leaves()]
    words = ("_file", "_url", "token_", "password", "secret")
    told = [key for key in keys if any(word in key for word in words)]
    assert told
    assert [key for key in told if not is_file_only(key)] == []


def test_no_hazard_at_all_is_refused(web: Web) -> None:
    with pytest.raises(CommandError, match="every hazard"):
        web.web.set(
            SetCommand(values={f"hazards.{name}.enabled": False for name in web.tuning.settings.hazards})
        )


def test_what_cannot_be_applied_does_not_hold_and_is_not_kept(web: Web) -> None:
    web.failure = "no voice of that name"
    with pytest.raises(CommandError, match="no voice of that name"):
        web.set(speech__voice="nobody")
    assert web.tuning.settings.speech.voice == "auto"
    assert not web.kept()
    assert not web.said, "the wearer did not ask for anything"


def test_what_cannot_be_written_does_not_hold_either(web: Web) -> None:
    web.overrides.parent.parent.mkdir(parents=True)
    web.overrides.parent.write_text("a file where the folder should be")
    with pytest.raises(CommandError, match="cannot be written"):
        web.set(watch__cooldown_s=9.0)
    assert web.applied[-1].watch.cooldown_s == web.tuning.settings.watch.cooldown_s != 9.0


def test_reset_brings_back_what_was(web: Web) -> None:
    web.set(hazards__fire__threshold=0.4, speech__volume=0.5)
    result = web.web.reset(ResetCommand(keys=("hazards.fire.threshold",)))
    assert result == {"changed": ["hazards.fire.threshold"], "needs_restart": []}
    assert web.applied[-1].hazards["fire"].threshold == "auto"
    assert web.kept() == {"speech": {"volume": 0.5}}
    with pytest.raises(CommandError, match="not overridden") as caught:
        web.web.reset(ResetCommand(keys=("hazards.fire.threshold",)))
    assert caught.value.code == "unknown"


def test_what_is_given_above_the_overrides_is_not_set_in_vain(tmp_path: Path) -> None:
    web = Web(tmp_path, watch__cooldown_s=7.0)
    try:
        with pytest.raises(CommandError, match="command line beats"):
            web.set(watch__cooldown_s=9.0)
        row = web.row("watch.cooldown_s")
        assert (row["layer"], row["settable"]) == ("command line", False)
    finally:
        web.tuning.close()


def test_credentials_are_not_shown(tmp_path: Path) -> None:
    web = Web(tmp_path, "[capture]\nsource = 'rtsp://me:hush@camera/1'\n")
    try:
        assert web.row("capture.source")["value"] == "rtsp://***@camera/1"
        assert web.row("capture.source")["where"] == f"{web.file}:2"
    finally:
        web.tuning.close()


@given(
    st.dictionaries(
        st.sampled_from(["watch.cooldown_s", "speech.volume", "hazards.fire.threshold", "scene.distance"]),
        st.floats(-1, 2),
        min_size=1,
    )
)
def test_values_hold_all_together_or_not_at_all(values: dict[str, float]) -> None:
    loaded = settings.load(None, {"HOME": "/nowhere"}, {})
    tree: dict[str, Any] = {}
    for key, value in values.items():
        settings_put(tree, key, value)
    try:
        new = loaded.again(tree)
    except ConfigError as error:
        named = [problem for problem in error.problems if any(key in problem for key in values)]
        assert named
    else:
        assert all(new.origins[tuple(key.split("."))].name == "overrides" for key in values)


def settings_put(tree: dict[str, Any], key: str, value: object) -> None:
    *sections, name = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[name] = value


def test_bounds_tell_what_may_stand_there() -> None:
    assert bounds(SCHEMA.at(("log", "level")) or {})["choices"] == ["debug", "info", "warning", "error"]
    assert bounds(SCHEMA.at(("speech", "rate_wpm")) or {}) == {
        "type": "integer",
        "choices": None,
        "minimum": 80,
        "maximum": 500,
    }
