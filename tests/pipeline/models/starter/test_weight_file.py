"""Weights in a file: the same numbers, in memory or not, and the encoder that computes with them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from common.memory import resident_bytes
from pipeline.models.starter.model import TEXT_FILE, TOKENIZER_FILE
from pipeline.models.starter.text_encoder import TextEncoder
from pipeline.models.starter.weight_file import WeightFile

MEGABYTE = 2**20


def test_arrays_are_the_same_after_their_memory_was_released(tmp_path: Path) -> None:
    weights, random = WeightFile(tmp_path, 8 * MEGABYTE), np.random.default_rng(0)
    arrays = [random.normal(size=shape).astype(np.float32) for shape in ((300, 700), (64, 32, 3, 3), (5000,))]
    stored = [weights.put(array) for array in arrays]
    weights.release_memory()
    for array, kept in zip(arrays, stored, strict=True):
        assert kept is not array
        assert (kept == array).all()
        assert kept.ctypes.data % 64 == 0


def test_its_memory_is_given_back(tmp_path: Path) -> None:
    weights = WeightFile(tmp_path, 40 * MEGABYTE)
    kept = weights.put(np.ones(9 * MEGABYTE, np.float32))
    full = resident_bytes(os.getpid())
    weights.release_memory()
    assert resident_bytes(os.getpid()) < full - 30 * MEGABYTE
    assert kept[-1] == 1


def test_an_array_beyond_its_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="buffer"):
        WeightFile(tmp_path, MEGABYTE).put(np.ones(MEGABYTE, np.float32))


def test_the_file_has_no_name_and_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    weights = WeightFile(tmp_path / "cache", MEGABYTE)
    assert not list((tmp_path / "cache").iterdir())
    weights.put(np.ones(5000, np.float32))
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        WeightFile(tmp_path / "file" / "cache", MEGABYTE)


def test_a_sentence_has_the_same_vector_with_the_weights_in_a_file(models: Path, tmp_path: Path) -> None:
    network, tokenizer = models / "starter" / TEXT_FILE, models / "starter" / TOKENIZER_FILE
    plain, stored = TextEncoder(network, tokenizer), TextEncoder(network, tokenizer, tmp_path / "cache")
    sentences = ["A car on the left.", "칼이 있습니다."]
    assert (plain.encode(sentences) == stored.encode(sentences)).all()
