"""The voice as wired: a synthesiser that dies is reported to the core, and the words for it are cached."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from daemon.config import settings
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.health import HealthSettings
from daemon.core.messages import Effect, Record
from daemon.runtime.engine import CoreRunner
from daemon.runtime.metrics import Metrics
from daemon.wiring.voice import build_voice, prepare_voice
from pipeline import wording
from speech.utterance import Priority
from tests.daemon.living import own_cache
from tests.fakes import core_spec
from tests.speech.made import needs_espeak, utterance

PATIENCE_S = 30.0


@needs_espeak
def test_a_dead_synthesiser_is_reported_and_its_words_are_ready(tmp_path: Path) -> None:
    env = {
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(own_cache()),
    }
    loaded = settings.load(None, env, {"speech.device": "none at all"}).settings
    spec = core_spec(health=HealthSettings(settle_s=0))
    runner, reports = CoreRunner(BlackBox(Core(spec)), time.monotonic), SimpleQueue[Mapping[str, Any]]()

    def perform(effect: Effect, timing: Mapping[str, float]) -> None:
        if isinstance(effect, Record) and effect.event.fields.get("component") == "voice":
            reports.put(effect.event.fields)

    runner.attach(perform)
    voice = build_voice(
        prepared=prepare_voice(loaded),
        settings=loaded,
        runner=runner,
        metrics=Metrics(),
        fallback=tmp_path / "said.wav",
        clock=time.monotonic,
    )
    try:
        failing = wording.health_phrase("voice", "failed", "en")
        assert voice.speaker.renderer.cached(utterance(failing, priority=Priority.MESSAGE)) is not None
        voice.synthesizer.close()
        voice.speaker.start(utterance("hello", id="t", priority=Priority.TEXT))
        assert reports.get(timeout=PATIENCE_S)["reason"] == "failed"
        assert voice.alive
    finally:
        voice.speaker.close()
        voice.close_synthesizers()


@needs_espeak
def test_a_voice_that_is_not_there_is_told_and_the_usual_one_warns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    env = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(own_cache())}
    loaded = settings.load(None, env, {"speech.voice": "no-such-voice"}).settings
    with closing(prepare_voice(loaded)) as prepared:
        danger = utterance("Dog.", priority=Priority.DANGER)
        assert prepared.renderer.cached(danger) is not None
    assert "espeak-ng has no voice 'no-such-voice'" in caplog.text
    assert "the usual voice speaks in its place" in caplog.text
