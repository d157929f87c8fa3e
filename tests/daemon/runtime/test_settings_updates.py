"""Settings turned by hand or read anew while it runs."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config import overrides, settings
from daemon.config.settings import Settings
from daemon.core.messages import Say
from daemon.errors import ConfigError
from daemon.runtime.settings_updates import (
    MAX_RATE,
    MIN_RATE,
    MIN_VOLUME,
    Adjustable,
    SettingsUpdater,
    adjusted,
)
from speech.settings import SpeechSettings
from speech.synthesis.base import SynthesisError

PATIENCE_S = 10.0
knobs: st.SearchStrategy[Adjustable] = st.sampled_from(["volume", "rate"])


@given(
    st.floats(0, 1),
    st.integers(80, 500),
    st.lists(st.tuples(knobs, st.sampled_from([-1, 1])), max_size=60),
)
def test_steps_stay_within_bounds_and_never_go_the_wrong_way(
    volume: float, rate: int, turns: list[tuple[Adjustable, int]]
) -> None:
    speech = SpeechSettings(volume=volume, rate_wpm=rate)
    for knob, way in turns:
        new = adjusted(speech, knob, way)
        SpeechSettings.model_validate(new.model_dump(), strict=True)
        assert (new.volume - speech.volume) * way >= 0 or knob == "rate"
        assert (new.rate_wpm - speech.rate_wpm) * way >= 0 or knob == "volume"
        assert new.volume >= min(MIN_VOLUME, speech.volume), "a danger stays audible"
        speech = new


def test_a_step_up_and_down_is_where_it_began() -> None:
    for volume in (0.1, 0.2, 0.3, 0.5, 0.7, 0.9):
        speech = SpeechSettings(volume=volume)
        assert adjusted(adjusted(speech, "volume", 1), "volume", -1) == speech


def test_the_bounds_are_the_settings_own() -> None:
    field = SpeechSettings.model_json_schema()["properties"]["rate_wpm"]
    assert (field["minimum"], field["maximum"]) == (MIN_RATE, MAX_RATE)


class Shop:
    """A tuning whose applying can be held up, and fails when told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.applied: list[Settings] = []
        self.said: list[Say] = []
        self.go = threading.Event()
        self.begun = threading.Event()
        self.go.set()
        self.failure: str | None = None
        self.bug: Exception | None = None
        self.given: dict[str, object] = {}
        self.tuning = SettingsUpdater(self.load(), self.load, self.apply, self.said.append)

    def load(self) -> Settings:
        return settings.load(None, {"HOME": str(self.folder)}, self.given).settings

    def apply(self, new: Settings, voice: bool) -> None:
        self.begun.set()
        assert self.go.wait(PATIENCE_S)
        if self.bug:
            raise self.bug
        if self.failure:
            raise SynthesisError(self.failure)
        self.applied.append(new)

    @property
    def file(self) -> Path:
        return self.load().paths.state / "overrides.toml"

    @property
    def kept(self) -> dict[str, object]:
        return tomllib.loads(self.file.read_text())["speech"]  # type: ignore[no-any-return]

    @property
    def words(self) -> list[str]:
        return [say.text for say in self.said]


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    shop = Shop(folder)
    thread = threading.Thread(target=shop.tuning.run)
    thread.start()
    try:
        yield shop
    finally:
        shop.go.set()
        shop.tuning.close()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with open_shop(tmp_path) as found:
        yield found


def _settled(shop: Shop) -> None:
    assert shop.tuning.wait_idle(PATIENCE_S)


def test_softer_holds_is_said_and_survives_a_restart(shop: Shop) -> None:
    assert shop.tuning.adjust("volume", -1) == {"volume": 0.9, "rate_wpm": 180}
    _settled(shop)
    assert shop.applied[-1].speech.volume == 0.9
    assert shop.words == ["Volume 90 percent."]
    shop.tuning.adjust("rate", 1)
    _settled(shop)
    assert shop.words[-1] == "Speed 200."
    assert shop.kept == {"volume": 0.9, "rate_wpm": 200}
    assert (shop.load().speech.volume, shop.load().speech.rate_wpm) == (0.9, 200)


def test_nobody_waits_while_phrases_are_rendered_and_steps_meanwhile_add_up(shop: Shop) -> None:
    shop.go.clear()
    shop.tuning.adjust("volume", -1)
    assert shop.begun.wait(PATIENCE_S)
    for _ in range(3):
        shop.tuning.adjust("volume", -1)
    shop.tuning.adjust("rate", -1)
    assert shop.said == [], "said in the new voice, so not before there is one"
    shop.go.set()
    _settled(shop)
    assert [s.speech.volume for s in shop.applied] == [0.9, 0.6], "what was overtaken is not rendered"
    assert shop.kept == {"volume": 0.6, "rate_wpm": 160}


def test_where_it_goes_no_further_it_says_so(shop: Shop) -> None:
    shop.tuning.adjust("volume", 1)
    assert shop.words == ["That is the loudest."]
    assert shop.applied == []


def test_a_voice_that_cannot_be_rendered_leaves_everything_as_it_was(shop: Shop) -> None:
    shop.failure = "no voice"
    shop.tuning.adjust("rate", 1)
    _settled(shop)
    assert shop.words == ["That did not work. Nothing changed."]
    assert shop.tuning.settings.speech.rate_wpm == 180
    assert not shop.file.exists()
    shop.failure = None
    shop.tuning.adjust("rate", 1)
    _settled(shop)
    assert shop.applied[-1].speech.rate_wpm == 200


def test_a_mistake_in_the_program_is_told_and_the_next_change_is_applied(shop: Shop) -> None:
    shop.bug = KeyError("surprise")
    shop.given = {"speech.pitch": 60}
    shop.tuning.reload()
    _settled(shop)
    assert shop.words == ["That did not work. Nothing changed."]
    assert shop.tuning.settings.speech.pitch != 60
    shop.bug = None
    shop.tuning.reload()
    _settled(shop)
    assert shop.applied[-1].speech.pitch == 60


def test_what_cannot_be_kept_is_told(shop: Shop) -> None:
    shop.file.parent.mkdir(parents=True)
    shop.file.write_text("not = toml = at all")
    shop.tuning.adjust("rate", 1)
    _settled(shop)
    assert shop.words == ["Speed 200.", "I cannot keep that beyond the next start."]


def test_a_reload_is_applied_by_the_same_thread_in_order(shop: Shop) -> None:
    shop.given = {"speech.pitch": 60, "capture.source": "demo"}
    assert shop.tuning.reload() == {"changed": ["speech.pitch"], "needs_restart": ["capture.source"]}
    shop.tuning.adjust("volume", -1)
    _settled(shop)
    last = shop.applied[-1]
    assert (last.speech.pitch, last.speech.volume, last.capture.source) == (60, 0.9, "auto")


def test_a_reload_does_not_undo_a_step_that_is_not_saved_yet(shop: Shop) -> None:
    shop.go.clear()
    shop.tuning.adjust("volume", -1)
    assert shop.begun.wait(PATIENCE_S)
    shop.tuning.adjust("rate", 1)
    shop.given = {"speech.pitch": 60}
    assert shop.tuning.reload()["changed"] == ["speech.pitch"]
    shop.go.set()
    _settled(shop)
    last = shop.applied[-1].speech
    assert (last.volume, last.rate_wpm, last.pitch) == (0.9, 200, 60)
    assert shop.kept == {"volume": 0.9, "rate_wpm": 200}


def test_a_reload_does_not_undo_a_step_that_is_saved_while_the_file_is_read(shop: Shop) -> None:
    def load() -> Settings:
        before = shop.load()
        if not shop.applied:
            tuning.adjust("volume", -1)
            assert tuning.wait_idle(PATIENCE_S)
        return before

    tuning = SettingsUpdater(shop.load(), load, shop.apply, shop.said.append)
    thread = threading.Thread(target=tuning.run)
    thread.start()
    try:
        assert tuning.reload()["changed"] == []
        assert tuning.wait_idle(PATIENCE_S)
    finally:
        tuning.close()
        thread.join(PATIENCE_S)
    assert shop.applied[-1].speech.volume == 0.9


def test_a_reload_with_a_mistake_changes_nothing(shop: Shop) -> None:
    shop.given = {"speech.rate_wpm": 7}
    with pytest.raises(ConfigError):
        shop.tuning.reload()
    assert shop.tuning.settings.speech.rate_wpm == 180


@pytest.mark.parametrize("before", ["", "[speech]\nvolume = 0.3\n[hazards.fire]\nthreshold = 0.9\n"])
def test_what_is_kept_joins_what_was_kept_before(tmp_path: Path, before: str) -> None:
    file = tmp_path / "state" / "overrides.toml"
    if before:
        file.parent.mkdir()
        file.write_text(before)
    overrides.keep(file, {"speech.volume": 0.5})
    tree = tomllib.loads(file.read_text())
    assert tree["speech"] == {"volume": 0.5}
    assert ("hazards" in tree) == bool(before)
    assert [path.name for path in file.parent.iterdir()] == ["overrides.toml"]


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "overrides.toml"
    threads = [
        threading.Thread(target=overrides.keep, args=(file, {f"a.key{number}": number}))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(tomllib.loads(file.read_text())["a"]) == 8
