"""The encoder of sentences is loaded with the first of them, and its failure costs no description."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from daemon.config import settings
from daemon.config.settings import Settings
from daemon.wiring.describer import build_sentence_encoder


def loaded(models: Path, cache: Path, home: Path) -> Settings:
    env = {"HOME": str(home), "XDG_CACHE_HOME": str(cache)}
    return settings.load(None, env, {"paths.models": str(models)}).settings


def test_sentences_of_one_meaning_are_near_and_the_same_each_time(models: Path, tmp_path: Path) -> None:
    encode = build_sentence_encoder(loaded(models, tmp_path, tmp_path))
    street, road, kitchen = map(encode, ["A busy street.", "A street with much traffic.", "A small kitchen."])
    assert np.dot(street, road) > np.dot(street, kitchen) + 0.2
    assert encode("A busy street.") == street


def test_without_the_starter_or_with_a_damaged_one_words_are_compared(
    models: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert build_sentence_encoder(loaded(tmp_path / "empty", tmp_path, tmp_path))("A street.") == ()
    store = tmp_path / "models"
    shutil.copytree(models / "starter", store / "starter")
    network = store / "starter" / "minilm.onnx"
    network.write_bytes(bytes(network.stat().st_size))
    caplog.clear()
    encode = build_sentence_encoder(loaded(store, tmp_path, tmp_path))
    assert not caplog.text, "nothing is loaded before it is needed"
    assert encode("A street.") == encode("A road.") == ()
    assert caplog.text.count("compared by their words") == 1
    assert "models pull starter" in caplog.text
