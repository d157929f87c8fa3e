"""Which calibration is used, which is refused, and how one's own comes and goes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pipeline.calibration import CalibrationError, CalibrationTable, Fit, Provenance
from pipeline.calibrations import Calibrations
from pipeline.hazards import Hazard, HazardError, from_settings, prompt_set
from pipeline.image_text import PromptSet
from pipeline.prompt_bank import hazard_fingerprints
from pipeline.settings import HazardSettings
from pipeline.store.store import Store
from pipeline.types import Severity
from tests.fakes import ColourModel

PROMPTS = PromptSet((("fire", ("red",)), ("dog", ("green",))), ())
MADE = Provenance(
    method="test",
    source="hall.mp4",
    seconds=60,
    frames=600,
    false_alerts_per_hour=1,
    made_at="2024-05-01T12:00:00+00:00",
    made_by="1",
)


@pytest.fixture
def calibrations(tmp_path: Path) -> Calibrations:
    return Calibrations(tmp_path / "state", Store(tmp_path / "store"))


def own(threshold: float, **changes: object) -> CalibrationTable:
    marks = hazard_fingerprints(ColourModel.fingerprint, PROMPTS)
    fits = {
        name: Fit(slope=2, offset=1, threshold=threshold, fingerprint=mark)
        for name, mark in zip(PROMPTS.names, marks, strict=True)
    }
    table = CalibrationTable(
        model=ColourModel.name,
        model_fingerprint=ColourModel.fingerprint,
        generic=Fit(slope=1, offset=0, threshold=0.5),
        hazards=fits,
        made=MADE,
    )
    return table.model_copy(update=changes)


def test_a_model_nobody_calibrated_is_cautious_and_loud(
    calibrations: Calibrations, caplog: pytest.LogCaptureFixture
) -> None:
    assert not calibrations.known("colour")
    bound = calibrations.bind(ColourModel(), PROMPTS)
    assert bound.thresholds.min() >= 0.9
    assert "have never been measured" in caplog.text


def test_one_s_own_stands_above_the_rest(
    calibrations: Calibrations, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    calibrations.write(own(0.7))
    assert calibrations.known("colour")
    assert calibrations.bind(ColourModel(), PROMPTS).thresholds.tolist() == pytest.approx([0.7, 0.7])
    assert "from hall.mp4" in caplog.text


def test_undo_brings_back_the_one_before_then_the_shipped_one(calibrations: Calibrations) -> None:
    calibrations.write(own(0.6))
    calibrations.write(own(0.7))
    assert calibrations.undo("colour") == "the calibration before it"
    table = calibrations.own("colour")
    assert table is not None and table == own(0.6)
    assert calibrations.undo("colour") == "the shipped calibration"
    assert calibrations.own("colour") is None
    with pytest.raises(CalibrationError, match="no calibration of your own to undo"):
        calibrations.undo("colour")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_fingerprint": "other"}, "made for model colour"),
        ({"model": "starter"}, "made for model starter"),
        ({"hazards": {}}, r"other hazards or other words \(fire, dog\)"),
    ],
)
def test_one_s_own_for_something_else_is_refused_and_says_what_to_do(
    calibrations: Calibrations, changes: dict[str, object], said: str
) -> None:
    place = calibrations.place("colour")
    place.parent.mkdir(parents=True)
    own(0.7, **changes).write(place)
    with pytest.raises(CalibrationError, match=f"{said}.*calibrate` again.*--undo"):
        calibrations.bind(ColourModel(), PROMPTS)


def test_other_words_and_added_hazards_are_refused_fewer_hazards_are_fine(
    calibrations: Calibrations,
) -> None:
    calibrations.write(own(0.7))
    assert calibrations.bind(ColourModel(), PromptSet(PROMPTS.hazards[:1], ())).names == ("fire",)
    with pytest.raises(CalibrationError, match=r"\(fire\)"):
        calibrations.bind(ColourModel(), PromptSet((("fire", ("crimson",)),), ()))
    with pytest.raises(CalibrationError, match=r"\(ice\)"):
        calibrations.bind(ColourModel(), PromptSet((*PROMPTS.hazards, ("ice", ("white",))), ()))


def test_a_broken_file_is_one_line(calibrations: Calibrations) -> None:
    place = calibrations.place("colour")
    place.parent.mkdir(parents=True)
    place.write_text("{")
    with pytest.raises(CalibrationError, match="not a calibration"):
        calibrations.bind(ColourModel(), PROMPTS)


def test_the_shipped_starter_is_known(calibrations: Calibrations) -> None:
    assert calibrations.known("starter")


def test_only_a_taught_hazard_may_lack_words() -> None:
    settings = {"ice": HazardSettings(), "snow": HazardSettings(prompts=("snow",))}
    with pytest.raises(HazardError, match=r"no prompts; .*`watchword teach ice`"):
        from_settings(settings)
    hazards = from_settings(settings, {"ice"})
    assert hazards[0] == Hazard("ice", Severity.WARNING, (), None, hazards[0].say)
    assert prompt_set(hazards).names == ("snow",)
