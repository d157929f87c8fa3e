"""Piper with a real voice, where the extra and a voice are installed."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from daemon import paths
from speech.settings import SpeechSettings
from speech.synthesis.base import SpeechRequest, SynthesisError
from speech.synthesis.phrase_cache import render_phrase
from speech.synthesis.piper import PiperSynthesizer, voice_files
from speech.synthesis.with_deadline import DeadlineSynthesizer, open_neural
from tests.speech.made import ToneSynthesizer

SENTENCE = "A man walks past the shop, and a bicycle is parked in front of the open door."


def installed_voice() -> Path:
    """The folder of a voice: named by WATCHWORD_PIPER_VOICE, or out of the model store."""
    store = Path(paths.resolved({}, os.environ)["models"])
    folder = Path(os.environ.get("WATCHWORD_PIPER_VOICE") or store / "piper-en-us-joe")
    if not folder.is_dir():
        pytest.skip(f"no Piper voice in {folder}: `watchword models pull piper-en-us-joe`")
    return folder


@pytest.fixture(scope="module")
def voice() -> Iterator[PiperSynthesizer]:
    if importlib.util.find_spec("piper") is None:
        pytest.skip("Piper is not installed: `pip install 'watchword[piper]'`")
    made = PiperSynthesizer(SpeechSettings(synthesis_timeout_s=60), installed_voice())
    made.load()
    yield made
    made.close()


@pytest.mark.slow
def test_it_speaks_in_sentences_as_fast_as_it_is_asked_to(voice: PiperSynthesizer) -> None:
    chunks = list(voice.stream(SpeechRequest(f"{SENTENCE} Two shops.", "en")))
    assert len(chunks) == 2
    assert all(np.abs(chunk.samples.astype(int)).max() > 3000 for chunk in chunks)
    slow, fast = (
        render_phrase(voice.stream(SpeechRequest(SENTENCE, "en", rate_wpm=rate)), 22050).duration_s
        for rate in (150, 400)
    )
    assert 2 < slow / fast < 3.5
    assert voice.language == "en"
    assert voice.name.startswith("piper-tts ")


@pytest.mark.slow
def test_the_settings_lead_to_it(voice: PiperSynthesizer) -> None:
    """From the setting to sound: long patience here, for a test machine may be busy."""
    settings = SpeechSettings(engine="piper", late_ms=5000, synthesis_timeout_s=60)
    quick = ToneSynthesizer()
    natural = open_neural(settings, quick, {"piper-en-us-joe": installed_voice()}.__getitem__)
    assert isinstance(natural, DeadlineSynthesizer)
    for _ in range(20):  # while it loads, the quick one speaks
        before = natural.fallbacks
        assert list(natural.stream(SpeechRequest("A wide street, with cars.", "en")))
        if natural.fallbacks == before:
            break
    assert natural.fallbacks == before
    natural.close()


def test_a_folder_without_a_voice_is_named(tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match=r"speech\.piper_voice: .* has to hold one Piper voice"):
        voice_files(tmp_path)


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"espeak": {}}'])
def test_a_broken_description_is_one_clear_line(tmp_path: Path, config: str) -> None:
    (tmp_path / "x.onnx").write_bytes(b"")
    (tmp_path / "x.onnx.json").write_text(config)
    with pytest.raises(SynthesisError, match="describes no Piper voice"):
        voice_files(tmp_path)


def test_the_language_is_the_voices(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"")
    (tmp_path / "x.onnx.json").write_text(json.dumps({"espeak": {"voice": "en-us"}}))
    assert voice_files(tmp_path).language == "en"


def test_it_is_not_imported_by_whoever_does_not_choose_it() -> None:
    assert "piper" not in sys.modules
    assert "onnxruntime" not in sys.modules


def test_without_piper_there_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.onnx").write_bytes(b"")
    (tmp_path / "x.onnx.json").write_text(json.dumps({"espeak": {"voice": "en-us"}}))
    (tmp_path / "piper.py").write_text("raise ImportError('as where it is not installed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    voice = PiperSynthesizer(SpeechSettings(), tmp_path)
    with pytest.raises(SynthesisError, match=r"watchword\[piper\]"):
        voice.load()
    voice.close()
