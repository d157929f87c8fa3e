"""The processes that are started before the program is loaded: taken once, ended otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from common.child_process import ChildProcess
from common.spawn import spawn
from daemon.config import settings
from daemon.wiring.head_start import VOICE, HeadStart
from pipeline.store.errors import StoreError
from speech.playback.process_player import MODULE, ProcessPlayer
from speech.settings import SpeechSettings
from speech.synthesis.base import SpeechRequest
from speech.synthesis.espeak import ESPEAK_WORKER, EspeakSynthesizer
from tests.speech.made import needs_espeak

WAIT_S = 15.0


@pytest.fixture
def head_start() -> Iterator[HeadStart]:
    begun = HeadStart()
    begun.begin_processes()
    yield begun
    begun.close()


def test_the_processes_are_those_of_the_parts() -> None:
    assert (VOICE, MODULE) == (ESPEAK_WORKER, "speech.playback.player_worker")


def test_a_process_is_taken_once_and_what_was_not_taken_is_ended(head_start: HeadStart) -> None:
    voice = head_start.take_voice()
    assert voice is not None
    assert head_start.take_voice() is None
    sounds = [pid for pid in _children() if pid != voice.process.pid]
    assert len(sounds) == 1
    head_start.close()
    assert voice.process.poll() is None, "it belongs to its taker"
    assert not set(sounds) & set(_children())
    voice.end()


def _children() -> list[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]


def test_the_model_is_loaded_beside_and_taken_once(models: Path, warm_cache: Path, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(warm_cache.parent)}
    wanted = settings.load(None, env, {"paths.models": str(models), "pipeline.model": "starter"}).settings
    with closing(HeadStart()) as begun:
        begun.begin_model(wanted)
        model = begun.take_model()
        assert model is not None
        assert model.name == "starter"
        assert begun.take_model() is None


def test_an_error_of_the_model_is_raised_where_it_is_taken(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    wanted = settings.load(None, env, {"paths.models": str(tmp_path), "pipeline.model": "starter"}).settings
    with closing(HeadStart()) as begun:
        begun.begin_model(wanted)
        with pytest.raises(StoreError, match="models pull starter"):
            begun.take_model()


@needs_espeak
def test_the_synthesiser_takes_over_the_process(head_start: HeadStart) -> None:
    started = head_start.take_voice()
    assert started is not None
    child = ChildProcess(VOICE, started=started)
    with EspeakSynthesizer(SpeechSettings(), child) as voice:
        assert any(len(chunk.samples) for chunk in voice.stream(SpeechRequest("Fire.", "en")))
        assert child.pid == started.process.pid
        started.end()
        assert any(len(chunk.samples) for chunk in voice.stream(SpeechRequest("Fire.", "en")))
        assert child.pid != started.process.pid, "a dead one is replaced like any other"


def test_a_process_that_was_never_asked_ends_with_its_owner(head_start: HeadStart) -> None:
    started = head_start.take_voice()
    assert started is not None
    ChildProcess(VOICE, started=started).close()
    assert started.process.wait(WAIT_S) != 0


def test_the_player_takes_over_the_process(head_start: HeadStart) -> None:
    started = head_start.take_sound()
    assert started is not None
    player = ProcessPlayer(SpeechSettings(device="no such loudspeaker"), lambda _: None, started=started)
    try:
        assert player.wait_started(WAIT_S)
        assert player.pid == started.process.pid
        player.wait_opened(WAIT_S)
        assert (player.restarts, player.alive) == (0, True)
    finally:
        player.close()
    assert started.process.poll() is not None


@pytest.mark.parametrize("module", [VOICE, MODULE])
def test_a_process_that_is_not_needed_ends_without_a_word(
    module: str, capfd: pytest.CaptureFixture[str]
) -> None:
    child = spawn(module)
    child.link.close()
    assert child.process.wait(WAIT_S) == 0
    assert capfd.readouterr().err == ""
