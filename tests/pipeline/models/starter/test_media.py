"""The shipped heads and calibration on real photographs; skipped if there are none."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.calibration.table import shipped_starter
from pipeline.evaluation.dataset import read_dataset
from pipeline.evaluation.pictures import evaluate_pictures
from pipeline.hazards import builtin, from_settings, prompt_set
from pipeline.models.starter.model import StarterModel
from pipeline.settings import HazardSettings
from tests.pipeline.models.starter.files import starter_folder

HERE = Path(__file__).resolve()


def media_folder() -> Path:
    """`$WATCHWORD_MEDIA`, else `../shared/media` beside the project."""
    folder = Path(os.environ.get("WATCHWORD_MEDIA", HERE.parents[5] / "shared" / "media"))
    if not (folder / "images.csv").is_file():
        pytest.skip(f"LABELLED PHOTOGRAPHS MISSING in {folder}: set WATCHWORD_MEDIA")
    return folder


@pytest.mark.slow
def test_photographs_are_told_apart(warm_cache: Path) -> None:
    prompts = prompt_set(from_settings({name: HazardSettings(**raw) for name, raw in builtin().items()}))
    pictures = read_dataset(media_folder() / "images.csv", prompts.names).pictures
    model = StarterModel(starter_folder(), cache_dir=warm_cache)
    bank = model.bind(prompts)
    bound = shipped_starter().bind(model.name, model.fingerprint, prompts)
    images = (cv2.imread(str(picture.path)) for picture in pictures)
    scores = np.stack([bank.scores(model.encode(np.asarray(image, np.uint8))) for image in images])
    result = evaluate_pictures(
        bound.names,
        bound.probabilities(scores),
        bound.thresholds,
        [picture.label for picture in pictures],
        [picture.source for picture in pictures],
    )
    assert result["any_hazard"]["auc"] >= 0.95
    assert result["safe"]["false_alarm_rate"] <= 0.05
    assert result["macro"]["recall"] >= 0.55
    for name in ("vehicle", "two_wheeler", "train", "dog", "dangerous_animal", "construction"):
        assert result["hazards"][name]["auc"] >= 0.96, name
    for name in ("fire", "smoke"):
        assert result["hazards"][name]["auc"] >= 0.9, name
