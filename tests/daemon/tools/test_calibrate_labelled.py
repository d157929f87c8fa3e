"""Lines for a model that nobody has measured, from labelled pictures to `auto` taking it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from daemon.config.settings import load
from daemon.tools.calibrate_labelled import FittedLines, fitted, told_lines
from pipeline.calibration.repository import CalibrationRepository
from pipeline.detection.scorer import prompt_fingerprints
from pipeline.evaluation.dataset import read_dataset
from pipeline.hazards import Hazard, from_settings, prompt_set
from pipeline.settings import HazardSettings
from tests.fakes import ColourModel
from tests.stores import store_at

HAZARDS = from_settings({name: HazardSettings(prompts=(name,)) for name in ("fire", "dog")})
COLOURS = {"fire": (20, 30, 220), "dog": (30, 220, 20), "safe": (180, 150, 140)}


def fit(folder: Path, hazards: tuple[Hazard, ...], **counts: int) -> FittedLines:
    """From so many pictures of each label, every one a source of its own."""
    folder.mkdir()
    random, rows = np.random.default_rng(0), ["file,label"]
    for label, count in counts.items():
        for i in range(count):
            colour = np.clip(np.array(COLOURS[label]) + random.integers(-15, 15, 3), 0, 255)
            cv2.imwrite(str(folder / f"{label}{i}.png"), np.full((16, 16, 3), colour, np.uint8))
            rows.append(f"{label}{i}.png,{label}")
    manifest = folder / "labelled.csv"
    manifest.write_text("\n".join(rows))
    settings = load(None, {"HOME": str(folder)}, {}).settings
    return fitted(settings, ColourModel(), hazards, read_dataset(manifest, COLOURS))


def test_auto_takes_a_model_only_when_every_hazard_was_fitted(tmp_path: Path) -> None:
    model, calibrations = (
        ColourModel(),
        CalibrationRepository(tmp_path / "state", store_at(tmp_path / "store")),
    )
    marks = prompt_fingerprints(model, prompt_set(HAZARDS))
    some = fit(tmp_path / "some", HAZARDS, fire=4, dog=2, safe=12)
    assert list(some.fits) == ["fire"]
    assert any("dog" in line and "from 2 sources, at least 3" in line for line in told_lines(some))
    base = calibrations.base(model)
    kept = {"dog": base.generic.model_copy(update={"fingerprint": marks["dog"]})}
    calibrations.write(some.over(base.model_copy(update={"hazards": kept}), marks))
    assert not calibrations.known(model.name)

    every = fit(tmp_path / "every", HAZARDS, fire=4, dog=4, safe=12)
    assert not every.reasons
    worth = every.fits["fire"].measured
    assert worth is not None and (worth.auc, worth.false_alarms) == (1, 0)
    calibrations.write(every.over(base, marks))
    assert calibrations.known(model.name)
    bound = calibrations.bind(model, prompt_set(HAZARDS))
    p = bound.probabilities(
        model.bind(prompt_set(HAZARDS)).scores(model.encode(np.full((8, 8, 3), COLOURS["fire"], np.uint8)))
    )
    assert p[0] > 0.3 > 0.01 > p[1]


def test_what_was_only_taught_has_no_line(tmp_path: Path) -> None:
    (ice,) = from_settings({"ice": HazardSettings()}, {"ice"})
    lines = fit(tmp_path / "pictures", (*HAZARDS, ice), fire=4, dog=4, safe=12)
    assert "no words" in lines.reasons["ice"]
    assert set(lines.fits) == {"fire", "dog"}
