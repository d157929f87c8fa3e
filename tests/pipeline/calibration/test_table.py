"""Scores to probabilities: properties, binding, the file, and how lines are fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calibration.line import FARTHEST, FLOOR, RULES, fit_line
from pipeline.calibration.table import CalibrationError, CalibrationTable, Fit, read_calibration
from pipeline.models.prompts import hazard_fingerprints
from pipeline.types import PromptSet, Severity

PROMPTS = PromptSet((("fire", ("a fire",)), ("dog", ("a dog", "a puppy"))), ("a room",))
MODEL, MARK = "starter", "f" * 64

finite = st.floats(-40, 40)
slopes = st.floats(0.01, 10)


def table(**hazards: Fit) -> CalibrationTable:
    generic = Fit(slope=1, offset=2, threshold=0.5)
    return CalibrationTable(model=MODEL, model_fingerprint=MARK, generic=generic, hazards=hazards)


def fits(slope: float = 2, offset: float = 3) -> CalibrationTable:
    marks = hazard_fingerprints(MARK, PROMPTS)
    return table(
        **{
            name: Fit(slope=slope, offset=offset, threshold=0.4, fingerprint=mark)
            for name, mark in zip(PROMPTS.names, marks, strict=True)
        }
    )


@given(slope=slopes, offset=finite, scores=st.lists(finite, min_size=2, max_size=2))
def test_probabilities_lie_between_0_and_1_and_rise_with_the_score(
    slope: float, offset: float, scores: list[float]
) -> None:
    bound = fits(slope, offset).bind(MODEL, MARK, PROMPTS)
    low, high = (bound.probabilities(np.full(2, score, np.float32)) for score in sorted(scores))
    assert low.dtype == np.float32
    assert low.shape == (2,)
    assert ((low >= 0) & (high <= 1) & (low <= high)).all()


@given(scores=st.lists(st.lists(finite, min_size=2, max_size=2), min_size=1, max_size=5))
def test_many_pictures_at_once_are_the_same_as_one_by_one(scores: list[list[float]]) -> None:
    bound = fits().bind(MODEL, MARK, PROMPTS)
    rows = np.array(scores, np.float32)
    np.testing.assert_array_equal(bound.probabilities(rows), [bound.probabilities(row) for row in rows])


def test_the_formula() -> None:
    found = fits(slope=2, offset=-1).bind(MODEL, MARK, PROMPTS).probabilities(np.array([0.5, 1], np.float32))
    np.testing.assert_allclose(found, [0.5, 1 / (1 + np.exp(-1))], rtol=1e-6)


def test_a_hazard_without_a_fit_gets_the_generic_one_and_leaves_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    more = PromptSet((*PROMPTS.hazards, ("mine", ("a scooter",))), PROMPTS.contrast)
    bound = fits().bind(MODEL, MARK, more)
    assert bound.slopes.tolist() == [2, 2, 1]
    assert bound.thresholds[2] == 0.5
    assert "they were calibrated with: mine; the generic" in caplog.text


def test_other_prompts_need_another_fit(caplog: pytest.LogCaptureFixture) -> None:
    other = PromptSet((("fire", ("a bonfire",)), PROMPTS.hazards[1]), PROMPTS.contrast)
    assert fits().bind(MODEL, MARK, other).slopes.tolist() == [1, 2]
    assert "they were calibrated with: fire; the generic" in caplog.text


def test_another_model_is_refused() -> None:
    with pytest.raises(CalibrationError, match="made for model starter"):
        fits().bind("ViT-B-32", MARK, PROMPTS)
    with pytest.raises(CalibrationError, match="watchword models verify starter"):
        fits().bind(MODEL, "0" * 64, PROMPTS)


def test_a_file_survives_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    fits().write(path)
    assert read_calibration(path) == fits()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"version": 2}', "\x00"])
def test_a_broken_file_is_one_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(CalibrationError, match=r"calibration\.json"):
        read_calibration(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="cannot be read"):
        read_calibration(tmp_path / "none.json")


harmless_scores = st.lists(st.floats(-9, 0), min_size=3, max_size=20).filter(lambda x: np.std(x) > 0.1)


@given(harmless=harmless_scores, danger=st.lists(st.floats(-9, 6), max_size=8))
def test_the_boundary_is_as_far_out_as_the_rule_says(harmless: list[float], danger: list[float]) -> None:
    quiet = np.array(harmless)
    line = fit_line(quiet, np.ones(len(quiet)), np.array(danger), RULES[Severity.CRITICAL])
    steps = (line.boundary - quiet.mean()) / quiet.std()
    assert line.slope > 0
    assert line.boundary >= FLOOR - 1e-6
    assert steps >= RULES[Severity.CRITICAL].nearest - 1e-6
    assert steps <= max(FARTHEST, (FLOOR - quiet.mean()) / quiet.std()) + 1e-6


@given(harmless=harmless_scores, danger=st.lists(st.floats(-9, 6), max_size=8))
def test_a_worse_danger_is_never_warned_of_later(harmless: list[float], danger: list[float]) -> None:
    quiet = np.array(harmless)
    notice, warning, critical = (
        fit_line(quiet, np.ones(len(quiet)), np.array(danger), RULES[severity]).boundary
        for severity in (Severity.NOTICE, Severity.WARNING, Severity.CRITICAL)
    )
    assert critical <= warning + 1e-9
    assert warning <= notice + 1e-9


def test_scores_that_are_all_the_same_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="different"):
        fit_line(np.ones(5), np.ones(5), np.zeros(0), RULES[Severity.NOTICE])
