"""The starter model with its real files."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.calibration.table import CalibrationError, shipped_starter
from pipeline.hazards import builtin, from_settings, prompt_set
from pipeline.models.base import PromptBank
from pipeline.models.starter.errors import StarterUnusableError
from pipeline.models.starter.model import FILES, NETWORK_FILE, TEXT_FILE, TOKENIZER_FILE, StarterModel
from pipeline.settings import HazardSettings
from pipeline.types import PromptSet
from tests.pipeline.models.starter.files import starter_folder

CAR = PromptSet((("vehicle", ("a car",)), ("animal", ("a dog", "a cat"))), ("a chair", "a tree"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def model(cache: Path) -> StarterModel:
    return StarterModel(starter_folder(), cache_dir=cache)


@pytest.fixture(scope="module")
def bank(model: StarterModel) -> PromptBank:
    return model.bind(CAR)


def noise(rows: int = 90, columns: int = 160) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return np.random.default_rng(3).integers(0, 256, (rows, columns, 3), np.uint8)


def test_an_embedding_is_a_unit_vector_the_caller_owns(model: StarterModel) -> None:
    first = model.encode(noise())
    kept = first.copy()
    model.encode(np.zeros((50, 70, 3), np.uint8))
    np.testing.assert_array_equal(first, kept)
    assert first.shape == (1000,)
    assert first.dtype == np.float32
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)


def test_the_same_picture_gives_the_same_bits(model: StarterModel) -> None:
    np.testing.assert_array_equal(model.encode(noise()), model.encode(noise()))


def test_any_size_of_picture_will_do(model: StarterModel) -> None:
    for shape in ((1, 1, 3), (1, 900, 3), (700, 3, 3), (260, 260, 3)):
        assert np.isfinite(model.encode(np.full(shape, 90, np.uint8))).all()


def test_a_class_scores_for_the_prompt_that_names_it(model: StarterModel, bank: PromptBank) -> None:
    def scores(index: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        seen = np.zeros(1000, np.float32)
        seen[index] = 1
        return bank.scores(seen)

    sports_car, tabby = 817, 281
    assert scores(sports_car)[0] > 2 > -2 > scores(sports_car)[1]
    assert scores(tabby)[1] > 2 > -2 > scores(tabby)[0]


def test_a_hazard_that_is_added_leaves_the_others_as_they_are(model: StarterModel, bank: PromptBank) -> None:
    more = PromptSet((*CAR.hazards, ("furniture", ("a sofa",))), CAR.contrast)
    seen = model.encode(noise())
    np.testing.assert_array_equal(model.bind(more).scores(seen)[:2], bank.scores(seen))


def test_a_hazard_that_the_model_cannot_know_is_logged(
    model: StarterModel, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        model.bind(PromptSet((("ice", ("an icy pavement",)), ("cat", ("a cat",))), CAR.contrast))
    assert "hazard ice: the starter model knows nothing like it" in caplog.text
    assert "hazard cat" not in caplog.text


def test_a_broken_cache_is_made_anew_and_logged(
    cache: Path, bank: PromptBank, caplog: pytest.LogCaptureFixture
) -> None:
    *few, _ = sorted(cache.glob("texts-*.npz"), key=lambda file: file.stat().st_size)
    for file in few:  # all but the thousand classes, which take long
        file.write_bytes(file.read_bytes()[:100])
    with caplog.at_level(logging.WARNING):
        again = StarterModel(starter_folder(), cache_dir=cache).bind(CAR)
    assert "is broken" in caplog.text
    assert again.fingerprint == bank.fingerprint
    seen = np.full(1000, 1000**-0.5, np.float32)
    np.testing.assert_array_equal(again.scores(seen), bank.scores(seen))


def test_a_folder_without_the_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(StarterUnusableError, match="watchword models pull starter"):
        StarterModel(tmp_path)


def damaged_folder(tmp_path: Path, name: str, at: int) -> Path:
    """The starter with one byte of one file flipped; its size stays."""
    for file in FILES:
        (tmp_path / file).symlink_to(starter_folder() / file)
    content = bytearray((tmp_path / name).read_bytes())
    content[at] ^= 0xFF
    (tmp_path / name).unlink()
    (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(("name", "at"), [(NETWORK_FILE, 1), (TEXT_FILE, 0), (TOKENIZER_FILE, 0)])
def test_a_flipped_byte_is_told_with_its_file_and_what_to_do(tmp_path: Path, name: str, at: int) -> None:
    folder = damaged_folder(tmp_path, name, at)
    with pytest.raises(StarterUnusableError) as caught:
        StarterModel(folder).bind(CAR)
    assert str(caught.value).startswith(f"{folder / name}: is damaged (")
    assert str(caught.value).endswith("; run `watchword models pull starter`")
    assert "\n" not in str(caught.value)


def test_other_weights_ask_for_the_model_to_be_verified_not_calibrated(tmp_path: Path) -> None:
    at = -5  # in the last weight
    model = StarterModel(damaged_folder(tmp_path, NETWORK_FILE, at))
    with pytest.raises(CalibrationError, match="models verify starter") as caught:
        shipped_starter().require(model.name, model.fingerprint)
    assert "watchword models pull starter" in str(caught.value)
    assert "watchword calibrate" not in str(caught.value)


def test_the_shipped_calibration_fits_the_shipped_hazards(
    model: StarterModel, caplog: pytest.LogCaptureFixture
) -> None:
    prompts = prompt_set(from_settings({name: HazardSettings(**raw) for name, raw in builtin().items()}))
    with caplog.at_level(logging.WARNING):
        bound = shipped_starter().bind(model.name, model.fingerprint, prompts)
    assert not caplog.text
    assert bound.names == tuple(builtin())
    assert ((bound.thresholds > 0) & (bound.thresholds < 1)).all()


def test_a_view_of_nothing_raises_no_alarm(model: StarterModel) -> None:
    prompts = prompt_set(from_settings({name: HazardSettings(**raw) for name, raw in builtin().items()}))
    bank = model.bind(prompts)
    bound = shipped_starter().bind(model.name, model.fingerprint, prompts)
    random = np.random.default_rng(8)
    wall = np.full((270, 480, 3), (150, 190, 200), np.uint8)
    dark = np.clip(random.normal(13, 4, (360, 640, 3)), 0, 255).astype(np.uint8)
    lit = np.repeat(np.linspace(60, 180, 480)[None, :, None], 270, 0).repeat(3, 2).astype(np.uint8)
    for view in (wall, dark, lit, wall // 4, 255 - wall):
        seen = model.encode(np.asarray(view, np.uint8))
        assert (bound.probabilities(bank.scores(seen)) < bound.thresholds).all()


def test_encoding_does_not_change_the_picture(model: StarterModel) -> None:
    picture = cv2.GaussianBlur(noise(), (5, 5), 0)
    before = picture.copy()
    picture.setflags(write=False)
    model.encode(np.asarray(picture, np.uint8))
    np.testing.assert_array_equal(picture, before)
