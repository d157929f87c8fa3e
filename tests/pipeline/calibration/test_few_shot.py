"""Hazards taught by pictures: learning, keeping, refusing, and their place beside words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.calibration.few_shot import (
    Estimate,
    FewShotBank,
    FewShotHazard,
    LabelledEmbedding,
    TeachError,
    few_shot_names,
    identity,
    path_of,
    read_few_shot,
    vector,
)
from pipeline.calibration.few_shot_fit import LEAST_UNLIKE, TrainingSet, estimate, fit
from pipeline.calibration.repository import CalibrationRepository
from pipeline.calibration.table import Calibration, Fit
from pipeline.detection.scorer import Outdated, build_scorer, load_hazards
from pipeline.hazards import Hazard
from pipeline.models.prompts import hazard_fingerprints
from pipeline.settings import HazardSettings
from pipeline.types import Embedding, PromptSet
from tests.fakes import ColourModel, plain
from tests.stores import store_at

BLUE, GREEN, RED, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
MODEL = ColourModel()


def cloud(direction: int, count: int, seed: int, dimension: int = 64, spread: float = 0.06) -> np.ndarray:
    """Unit rows about an axis."""
    rows = np.random.default_rng(seed).normal(0, spread, (count, dimension))
    rows[:, direction] += 1
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def lesson(like: int = 6, unlike: int = 30, seed: int = 1) -> tuple[TrainingSet, np.ndarray, np.ndarray]:
    harmless = np.concatenate([cloud(axis, unlike // 3, seed + axis) for axis in (1, 2, 3)])
    shown = cloud(0, like, seed)
    return TrainingSet.of(shown, harmless, np.zeros(like), np.zeros(len(harmless))), shown, harmless


def taught(hazard: str = "snow", words: str = "", **changes: object) -> FewShotHazard:
    like = [MODEL.encode(plain(colour)).embedding for colour in (WHITE, (240, 250, 255))]
    unlike = [MODEL.encode(plain(colour)).embedding for colour in (BLUE, GREEN, RED)] * 3
    learnt = fit(TrainingSet.of(np.stack(like), np.stack(unlike), np.zeros(2), np.zeros(9)))
    one = FewShotHazard(
        hazard=hazard,
        model=MODEL.name,
        model_fingerprint=MODEL.fingerprint,
        words=words,
        centre=learnt.centre,
        deviation=learnt.deviation,
        boundary=learnt.boundary,
        estimate=Estimate(like=2, recognised_by_words=0, recognised=2, unlike=9, false_by_words=0, false=0),
        made_at="2024-05-01T12:00:00+00:00",
        made_by="1",
        like=tuple(LabelledEmbedding.of(f"{i}.jpg", e) for i, e in enumerate(like)),
        unlike=tuple(LabelledEmbedding.of(f"u{i}.jpg", e) for i, e in enumerate(unlike)),
    )
    return one.model_copy(update=changes)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 20))
def test_pictures_alike_are_recognised_and_harmless_ones_are_not(seed: int, like: int) -> None:
    known, shown, harmless = lesson(like, 30, seed)
    learnt = fit(known)

    def odds(e: Embedding) -> float:
        return learnt.log_odds(0.0, shown @ e, harmless @ e)

    assert all(odds(e) > 0 for e in cloud(0, 20, seed + 7))
    assert all(odds(e) < 0 for e in cloud(2, 20, seed + 8))
    assert all(odds(e) < 0 for e in harmless)


def test_words_that_are_sure_make_it_likelier() -> None:
    known, shown, harmless = lesson()
    learnt = fit(known)
    e = cloud(0, 1, 99)[0]
    assert learnt.log_odds(3.0, shown @ e, harmless @ e) > learnt.log_odds(-3.0, shown @ e, harmless @ e)


def test_the_estimate_judges_each_picture_by_the_others() -> None:
    known, _, _ = lesson(6, 30)
    found = estimate(known, 0.0, worded=False)
    assert (found.like, found.recognised_by_words, found.recognised) == (6, 0, 6)
    assert (found.unlike, found.false_by_words) == (30, 0)
    assert found.false <= 2
    alone, _, _ = lesson(1, 30)
    assert estimate(alone, 0.0, worded=False).recognised == 0


def test_one_that_looks_harmless_is_not_recognised_by_the_others() -> None:
    shown = np.concatenate([cloud(0, 5, 1), cloud(1, 1, 2)])
    harmless = np.concatenate([cloud(axis, 10, axis) for axis in (1, 2, 3)])
    known = TrainingSet.of(shown, harmless, np.zeros(6), np.zeros(30))
    assert estimate(known, 0.0, worded=False).recognised == 5


def test_too_few_harmless_pictures_teach_nothing() -> None:
    with pytest.raises(TeachError, match="with --unlike"):
        fit(TrainingSet.of(cloud(0, 3, 1), cloud(1, LEAST_UNLIKE - 1, 2), np.zeros(3), np.zeros(7)))


def test_what_was_taught_survives_the_disk_and_holds_no_picture(tmp_path: Path) -> None:
    place = taught().write(tmp_path)
    assert few_shot_names(tmp_path) == ("snow",)
    again = read_few_shot(place)
    assert again == taught()
    assert again.fingerprint == taught().fingerprint
    assert vector(again.like[0]) == pytest.approx(MODEL.encode(plain(WHITE)).embedding, abs=1e-3)


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"version": 2}'])
def test_a_broken_file_is_one_line_that_says_what_to_do(tmp_path: Path, content: str) -> None:
    place = path_of(tmp_path, "snow")
    place.parent.mkdir()
    place.write_text(content)
    with pytest.raises(TeachError, match="`watchword teach snow --remove`"):
        read_few_shot(place)


@pytest.mark.parametrize("vector_text", ["", "%%%", "AAAA"])
def test_a_broken_vector_is_refused(tmp_path: Path, vector_text: str) -> None:
    broken = taught(like=(LabelledEmbedding(name="a.jpg", vector=vector_text),))
    with pytest.raises(TeachError, match="teach it again"):
        read_few_shot(broken.write(tmp_path))


def test_a_file_under_another_name_is_refused(tmp_path: Path) -> None:
    place = taught().write(tmp_path)
    with pytest.raises(TeachError, match="not what was taught of ice"):
        read_few_shot(place.rename(place.with_stem("ice")))


def eye_of(tmp_path: Path, hazards: tuple[Hazard, ...]) -> tuple[FewShotBank, Calibration]:
    store = store_at(tmp_path / "store")
    eye = build_scorer(MODEL, hazards, CalibrationRepository(tmp_path, store), tmp_path)
    assert isinstance(eye.bank, FewShotBank)
    return eye.bank, eye.calibration


def hazards(tmp_path: Path, **words: tuple[str, ...]) -> tuple[Hazard, ...]:
    return load_hazards({name: HazardSettings(prompts=own) for name, own in words.items()}, tmp_path)


def test_a_hazard_without_words_stands_beside_those_with_words(tmp_path: Path) -> None:
    taught().write(tmp_path)
    bank, calibration = eye_of(tmp_path, hazards(tmp_path, fire=("red",), snow=(), dog=("green",)))
    assert bank.names == calibration.names == ("fire", "snow", "dog")
    for colour, hazard in ((WHITE, "snow"), (GREEN, "dog"), (RED, "fire")):
        p = calibration.probabilities(bank.scores(MODEL.encode(plain(colour))))
        assert bank.names[int(p.argmax())] == hazard
    assert calibration.probabilities(bank.scores(MODEL.encode(plain(WHITE))))[1] > 0.5


def test_pictures_take_nothing_away_from_words(tmp_path: Path) -> None:
    prompts = PromptSet((("fire", ("red",)),), ())
    (mark,) = hazard_fingerprints(MODEL.fingerprint, prompts)
    calibration = Calibration.of(("fire",), [Fit(slope=1, offset=0, threshold=0.5)])
    words = MODEL.bind(prompts)
    bank = FewShotBank(("fire",), words, calibration, [taught("fire", mark)])
    for colour in (RED, GREEN, WHITE):
        e = MODEL.encode(plain(colour))
        assert bank.scores(e)[0] >= words.scores(e)[0]
    white = MODEL.encode(plain(WHITE))
    assert bank.scores(white)[0] > words.scores(white)[0]
    assert bank.fingerprint != words.fingerprint


def test_a_lesson_taught_beside_other_words_is_refused(tmp_path: Path) -> None:
    taught(words="other").write(tmp_path)
    with pytest.raises(TeachError, match=r"has other words than when it was taught.*--remove"):
        eye_of(tmp_path, hazards(tmp_path, snow=()))


@pytest.mark.parametrize("changes", [{"model_fingerprint": "other"}, {"model": "starter"}])
def test_a_lesson_for_another_model_is_set_aside_and_named(
    tmp_path: Path, changes: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    taught(**changes).write(tmp_path)  # type: ignore[arg-type]
    calibrations = CalibrationRepository(tmp_path, store_at(tmp_path / "store"))
    scorer = build_scorer(MODEL, hazards(tmp_path, snow=(), fire=("red",)), calibrations, tmp_path)
    assert scorer.outdated == Outdated(lessons=("snow",))
    assert "`watchword teach snow --remove`" in caplog.text
    white, red = (
        scorer.calibration.probabilities(scorer.bank.scores(MODEL.encode(plain(colour))))
        for colour in (WHITE, RED)
    )
    assert white[0] < 0.01, "it is never recognised"
    assert red[1] > 0.5, "the other hazards are"


def test_identity_changes_nothing_but_the_scale() -> None:
    same = identity(("a", "b"), {"a": 0.3, "b": 0.6}, {"a": 0.2, "b": 0.6})
    assert same.probabilities(np.array([0, 2], np.float32)) == pytest.approx([0.5, 0.8808], abs=1e-4)
    assert same.thresholds == pytest.approx([0.3, 0.6])
    assert same.picture_thresholds == pytest.approx([0.2, 0.6])
