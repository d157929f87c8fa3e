"""The starter model with its real files."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.calibration.table import CalibrationError, shipped_starter
from pipeline.hazards import builtin, from_settings, prompt_set
from pipeline.models.base import PromptBank, unknown_hazards
from pipeline.models.starter.errors import StarterUnusableError
from pipeline.models.starter.heads import read_heads
from pipeline.models.starter.model import FILES, NETWORK_FILE, TEXT_FILE, TOKENIZER_FILE, StarterModel
from pipeline.settings import HazardSettings
from pipeline.types import Encoding, PromptSet
from tests.logs import records_of
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


def test_an_encoding_is_unit_vectors_and_evidence_that_the_caller_owns(model: StarterModel) -> None:
    first = model.encode(noise())
    kept = first.embedding.copy(), first.evidence.copy()
    model.encode(np.zeros((50, 70, 3), np.uint8))
    np.testing.assert_array_equal(first.embedding, kept[0])
    np.testing.assert_array_equal(first.evidence, kept[1])
    assert len(first.parts) == 3
    for one in (first, *first.parts):
        assert (one.embedding.shape, one.evidence.shape) == ((1280,), (14 + 1000,))
        assert one.embedding.dtype == one.evidence.dtype == np.float32
        assert np.linalg.norm(one.embedding) == pytest.approx(1, abs=1e-5)
        assert one.evidence[14:].sum() == pytest.approx(1, abs=1e-4)


def test_the_same_picture_gives_the_same_bits(model: StarterModel) -> None:
    one, again = model.encode(noise()), model.encode(noise())
    np.testing.assert_array_equal(one.embedding, again.embedding)
    np.testing.assert_array_equal(one.evidence, again.evidence)


def test_any_size_of_picture_will_do(model: StarterModel) -> None:
    for shape in ((1, 1, 3), (1, 900, 3), (700, 3, 3), (260, 260, 3)):
        encoding = model.encode(np.full(shape, 90, np.uint8))
        assert np.isfinite(encoding.embedding).all()
        assert np.isfinite(encoding.evidence).all()


def seen_class(index: int) -> Encoding:
    """A picture of which the classifier is sure."""
    evidence = np.zeros(14 + 1000, np.float32)
    evidence[14 + index] = 1
    return Encoding(np.zeros(1280, np.float32), evidence)


def test_a_class_scores_for_the_prompt_that_names_it(bank: PromptBank) -> None:
    sports_car, tabby = bank.scores(seen_class(817)), bank.scores(seen_class(281))
    assert sports_car[0] > 2 > -2 > sports_car[1]
    assert tabby[1] > 2 > -2 > tabby[0]


def test_a_shipped_hazard_is_scored_by_its_head_and_a_reworded_one_by_its_words(model: StarterModel) -> None:
    settings = {name: HazardSettings(**raw) for name, raw in builtin().items()}
    settings["dog"] = settings["dog"].model_copy(update={"prompts": ("a tabby cat",)})
    bank = model.bind(prompt_set(from_settings(settings)))
    encoding = seen_class(281)
    encoding.evidence[:14] = np.arange(14)
    scores = dict(zip(bank.names, bank.scores(encoding).tolist(), strict=True))
    heads = read_heads()
    for name in set(bank.names) - {"dog"}:
        assert scores[name] == heads.hazards.index(name)
    assert scores["dog"] > 2
    assert scores["dog"] != heads.hazards.index("dog")


def test_an_encoding_without_evidence_has_no_scores(model: StarterModel, bank: PromptBank) -> None:
    with pytest.raises(ValueError, match="without the evidence of the starter"):
        bank.scores(Encoding(model.encode(noise()).embedding))


def test_the_parts_are_those_of_the_picture(model: StarterModel) -> None:
    """In the mirror left is right."""
    picture = np.asarray(cv2.GaussianBlur(noise(180, 320), (0, 0), 9), np.uint8)
    picture[:, :160] = picture[:, :160] // 4
    left, _, right = (part.embedding for part in model.encode(picture).parts)
    mirrored = np.ascontiguousarray(picture[:, ::-1], np.uint8)
    left_again, _, right_again = (part.embedding for part in model.encode(mirrored).parts)
    assert left @ right_again > left @ left_again
    assert right @ left_again > right @ right_again


def test_a_hazard_that_is_added_leaves_the_others_as_they_are(model: StarterModel, bank: PromptBank) -> None:
    more = PromptSet((*CAR.hazards, ("furniture", ("a sofa",))), CAR.contrast)
    seen = model.encode(noise())
    np.testing.assert_array_equal(model.bind(more).scores(seen)[:2], bank.scores(seen))


def test_a_hazard_that_the_model_cannot_know_is_logged(
    model: StarterModel, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        bank = model.bind(PromptSet((("ice", ("an icy pavement",)), ("cat", ("a cat",))), CAR.contrast))
    assert unknown_hazards(bank) == ("ice",)
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
    seen = seen_class(817)
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
    assert not records_of(caplog, "pipeline")
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
