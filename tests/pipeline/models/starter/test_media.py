"""The shipped words and calibration on real photographs; skipped where there are none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.calibration.table import shipped_starter
from pipeline.evaluation.dataset import read_dataset
from pipeline.evaluation.pictures import evaluate_pictures
from pipeline.hazards import builtin, from_settings, prompt_set
from pipeline.models.starter.model import NAMES_FILE, StarterModel
from pipeline.settings import HazardSettings
from tests.pipeline.models.starter.files import starter_folder

HERE = Path(__file__).resolve()


def media_folder() -> Path:
    """`$WATCHWORD_MEDIA`, else `../shared/media` beside the project."""
    folder = Path(os.environ.get("WATCHWORD_MEDIA", HERE.parents[3] / "shared" / "media"))
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
    assert result["macro"]["recall"] >= 0.70
    for name in ("fire", "knife", "person_with_weapon", "vehicle", "dog", "dangerous_animal"):
        assert result["hazards"][name]["auc"] >= 0.96, name
    for name in ("construction", "smoke"):
        assert result["hazards"][name]["auc"] >= 0.88, name


HARMLESS = """
sock, hockey puck, platypus, marmoset, buckle, power drill, racket, stole scarf, eggnog, sneaker, seat belt,
dust jacket, carousel, paddle wheel, dowitcher, broom, pipe organ, magpie, harvestman, potter's wheel,
pan flute, yurt, cheeseburger, jacamar, computer keyboard, umbrella, banana, coffee mug, bookcase,
park bench, tabby cat
"""


def test_everyday_things_are_no_dangers(warm_cache: Path) -> None:
    """What the classifier is half sure to be such a thing stays below every threshold."""
    folder = starter_folder()
    prompts = prompt_set(from_settings({name: HazardSettings(**raw) for name, raw in builtin().items()}))
    model = StarterModel(folder, cache_dir=warm_cache)
    bank, names = model.bind(prompts), json.loads((folder / NAMES_FILE).read_text(encoding="utf-8"))
    bound = shipped_starter().bind(model.name, model.fingerprint, prompts)
    for thing in (name for name in HARMLESS.replace("\n", " ").strip().split(", ") if name in names):
        embedding = np.zeros(len(names), np.float32)
        embedding[names.index(thing)] = np.sqrt(0.5)
        over = bound.probabilities(bank.scores(embedding)) >= bound.thresholds
        assert not over.any(), (thing, np.array(bound.names)[over])
