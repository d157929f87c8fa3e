"""Which calibration is used, which is refused, and how one's own comes and goes."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from pipeline.calibration.repository import CalibrationRepository
from pipeline.calibration.table import (
    Calibration,
    CalibrationError,
    CalibrationTable,
    Fit,
    FitQuality,
    Provenance,
)
from pipeline.hazards import Hazard, HazardError, from_settings, prompt_set
from pipeline.models.prompts import hazard_fingerprints
from pipeline.settings import HazardSettings
from pipeline.types import PromptSet, Severity
from tests.fakes import ColourModel
from tests.logs import messages_of
from tests.stores import store_at

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
def calibrations(tmp_path: Path) -> CalibrationRepository:
    return CalibrationRepository(tmp_path / "state", store_at(tmp_path / "store"))


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


def is_zero_shot(bound: Calibration) -> bool:
    """True if a hazard needs odds of nine to one in the model's own scores."""
    below, above = (bound.probabilities(np.full(2, np.log(odds), np.float32)) for odds in (8.9, 9.1))
    return bool((below < bound.thresholds).all() and (above > bound.thresholds).all())


def test_a_model_without_calibration_is_cautious_and_says_so_once(
    calibrations: CalibrationRepository, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert not calibrations.known("colour")
    bound = calibrations.bind(ColourModel(), PROMPTS)
    assert is_zero_shot(bound)
    assert not bound.measured
    assert messages_of(caplog, "pipeline.calibration") == [
        "model colour: zero-shot; not measured on labelled pictures"
    ]


def test_thresholds_of_a_trial_are_used_by_the_model_that_was_tried(
    calibrations: CalibrationRepository,
) -> None:
    place = calibrations.place_of_zero_shot("colour")
    place.parent.mkdir(parents=True)
    own(0.66, made=None).write(place)
    assert calibrations.bind(ColourModel(), PROMPTS).thresholds.tolist() == pytest.approx([0.66, 0.66])
    own(0.66, made=None, model_fingerprint="another precision").write(place)
    assert is_zero_shot(calibrations.bind(ColourModel(), PROMPTS))
    place.write_text("{")
    assert is_zero_shot(calibrations.bind(ColourModel(), PROMPTS))


def test_heads_bring_their_own_calibration_and_make_a_model_known(
    calibrations: CalibrationRepository,
) -> None:
    fits = {name: measured(fit) for name, fit in own(0.61).hazards.items()}
    place = calibrations.place_of_heads("colour")
    place.parent.mkdir(parents=True)
    own(0.61, hazards=fits).write(place)
    assert calibrations.known("colour")
    bound = calibrations.bind(ColourModel(), PROMPTS)
    assert bound.thresholds.tolist() == pytest.approx([0.61, 0.61])
    assert bound.measured == {"fire", "dog"}


def test_one_s_own_stands_above_the_rest(
    calibrations: CalibrationRepository, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    calibrations.write(own(0.7))
    assert calibrations.bind(ColourModel(), PROMPTS).thresholds.tolist() == pytest.approx([0.7, 0.7])
    assert "from hall.mp4" in caplog.text


def measured(fit: Fit) -> Fit:
    worth = FitQuality(pictures=5, sources=3, harmless=9, recall=0.8, false_alarms=0, auc=0.97, log_loss=0.2)
    return fit.model_copy(update={"measured": worth})


def test_thresholds_of_one_s_own_do_not_make_a_model_known_but_lines_for_every_hazard_do(
    calibrations: CalibrationRepository, caplog: pytest.LogCaptureFixture
) -> None:
    table = own(0.7)
    calibrations.write(table)
    assert not calibrations.known("colour")
    one = {**table.hazards, "fire": measured(table.hazards["fire"])}
    calibrations.write(own(0.7, hazards=one))
    assert not calibrations.known("colour")
    both = {name: measured(fit) for name, fit in table.hazards.items()}
    taught = {"ice": Fit(slope=1, offset=0, threshold=0.6)}
    calibrations.write(own(0.7, hazards={**both, **taught}))
    assert calibrations.known("colour")
    calibrations.place("colour").write_text("{")
    assert not calibrations.known("colour")
    assert "not a calibration" in caplog.text


def test_a_file_from_before_lines_were_measured_holds_still(calibrations: CalibrationRepository) -> None:
    old = json.loads(own(0.7).model_dump_json())
    for fit in (old["generic"], *old["hazards"].values()):
        del fit["measured"]
    calibrations.write(own(0.6))
    calibrations.place("colour").write_text(json.dumps(old))
    assert calibrations.own("colour") == own(0.7)
    assert not calibrations.known("colour")


def test_new_thresholds_start_from_the_lines_that_were_fitted_here(
    calibrations: CalibrationRepository,
) -> None:
    table = own(0.7)
    calibrations.write(own(0.7, hazards={**table.hazards, "fire": measured(table.hazards["fire"])}))
    start = calibrations.lines(ColourModel(), PROMPTS)
    assert list(start.hazards) == ["fire"]
    assert (start.hazards["fire"].slope, start.hazards["fire"].threshold) == (2, 0.5)
    other = PromptSet((("fire", ("crimson",)),), ())
    assert not calibrations.lines(ColourModel(), other).hazards
    calibrations.place("colour").write_text("{")
    assert not calibrations.lines(ColourModel(), PROMPTS).hazards


def test_what_cannot_be_written_leaves_the_one_in_use(calibrations: CalibrationRepository) -> None:
    """A folder where the copy of the old one would be written first."""
    place = calibrations.write(own(0.6))
    blocked = place.parent / "colour.previous.json"
    blocked.mkdir()
    with pytest.raises(OSError, match=blocked.name):
        calibrations.write(own(0.7))
    assert calibrations.own("colour") == own(0.6)
    assert sorted(path.name for path in place.parent.iterdir()) == ["colour.json", blocked.name]


def test_a_folder_that_cannot_be_written_to_shows_beforehand(calibrations: CalibrationRepository) -> None:
    calibrations.require_place("colour")
    place = calibrations.place("colour")
    assert not list(place.parent.iterdir())
    place.parent.rmdir()
    place.parent.write_text("")
    with pytest.raises(OSError, match=place.parent.name):
        calibrations.require_place("colour")


def test_a_calibration_that_was_lost_is_told_and_comes_back(
    calibrations: CalibrationRepository, caplog: pytest.LogCaptureFixture
) -> None:
    calibrations.write(own(0.6))
    calibrations.write(own(0.7))
    calibrations.place("colour").unlink()
    calibrations.bind(ColourModel(), PROMPTS)
    assert "colour.json is missing" in caplog.text
    assert "--undo` brings that one back" in caplog.text
    calibrations.undo("colour")
    assert calibrations.own("colour") == own(0.6)


def test_undo_brings_back_the_one_before_then_the_shipped_one(calibrations: CalibrationRepository) -> None:
    calibrations.write(own(0.6))
    calibrations.write(own(0.7))
    assert calibrations.undo("colour") == "the calibration before it"
    table = calibrations.own("colour")
    assert table is not None and table == own(0.6)
    assert calibrations.undo("colour") == "the shipped calibration"
    assert calibrations.own("colour") is None
    with pytest.raises(CalibrationError, match="no calibration of your own to undo"):
        calibrations.undo("colour")


@pytest.mark.parametrize("changes", [{"model_fingerprint": "other"}, {"model": "starter"}])
def test_one_s_own_for_another_model_is_set_aside_and_says_what_to_do(
    calibrations: CalibrationRepository, changes: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    place = calibrations.place("colour")
    place.parent.mkdir(parents=True)
    own(0.7, **changes).write(place)
    assert calibrations.is_outdated(ColourModel())
    assert is_zero_shot(calibrations.bind(ColourModel(), PROMPTS))
    assert "was made for model" in caplog.text
    assert "run `watchword calibrate` again" in caplog.text


def test_fewer_hazards_than_one_s_own_was_made_for_are_fine(
    calibrations: CalibrationRepository, caplog: pytest.LogCaptureFixture
) -> None:
    calibrations.write(own(0.7))
    assert calibrations.bind(ColourModel(), PromptSet(PROMPTS.hazards[:1], ())).names == ("fire",)
    # Not all records: a test before may have switched on what is logged for information.
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def by_name(calibration: Calibration) -> dict[str, tuple[float, ...]]:
    """Slope, offset and threshold of each hazard."""
    arrays = (calibration.slopes, calibration.offsets, calibration.thresholds)
    rows = zip(*(array.tolist() for array in arrays), strict=True)
    return dict(zip(calibration.names, rows, strict=True))


@pytest.mark.parametrize(
    ("hazards", "unfit", "kept"),
    [
        ((("fire", ("crimson",)), PROMPTS.hazards[1]), "fire", "dog"),
        ((*PROMPTS.hazards, ("ice", ("white",))), "ice", "fire"),
    ],
)
def test_one_s_own_holds_for_all_hazards_but_those_with_other_words(
    calibrations: CalibrationRepository,
    hazards: tuple[tuple[str, tuple[str, ...]], ...],
    unfit: str,
    kept: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A hazard that is added, or reworded by an update, must not end the warnings of all others."""
    calibrations.write(own(0.7))
    assert not calibrations.is_outdated(ColourModel())
    prompts = PromptSet(hazards, ())
    bound = by_name(calibrations.bind(ColourModel(), prompts))
    without = by_name(calibrations.base(ColourModel()).bind("colour", ColourModel.fingerprint, prompts))
    assert bound[kept] == pytest.approx((2, 1, 0.7))
    assert bound[unfit] == without[unfit] != pytest.approx((2, 1, 0.7))
    assert f"other hazards or other words ({unfit})" in caplog.text
    assert "run `watchword calibrate` again" in caplog.text


def test_a_broken_file_is_one_line(calibrations: CalibrationRepository) -> None:
    place = calibrations.place("colour")
    place.parent.mkdir(parents=True)
    place.write_text("{")
    with pytest.raises(CalibrationError, match="not a calibration"):
        calibrations.bind(ColourModel(), PROMPTS)


def test_the_shipped_starter_is_known(calibrations: CalibrationRepository) -> None:
    assert calibrations.known("starter")


def test_only_a_taught_hazard_may_lack_words() -> None:
    settings = {"ice": HazardSettings(), "snow": HazardSettings(prompts=("snow",))}
    with pytest.raises(HazardError, match=r"no prompts; .*`watchword teach ice`"):
        from_settings(settings)
    hazards = from_settings(settings, {"ice"})
    assert hazards[0] == Hazard("ice", Severity.WARNING, (), None, hazards[0].say)
    assert prompt_set(hazards).names == ("snow",)
