"""Fits and checks the starter's shipped calibration: `python -m daemon.tools.maintainer.fit_starter MEDIA
STARTER`.

MEDIA holds `images.csv` and `videos.csv` (see `pipeline.evaluation.dataset`). Prints the figures of the
calibration on unseen pictures: every picture is judged by a calibration made without its source; pictures of
a hazard that has but one source are judged without that picture alone. Only two numbers a hazard are fitted,
by the rule of `pipeline.calibration.line`, with the code that `watchword calibrate --labelled` uses.
The words in `hazards.toml` were chosen with such pictures in sight, which no leaving out can undo: judge the
model on pictures that were never looked at.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.calibration.fit_labelled import Example, cross_validated, examples_of, fit, is_negative
from pipeline.calibration.line import THRESHOLD
from pipeline.calibration.table import Calibration, CalibrationTable, Fit
from pipeline.evaluation.dataset import Dataset, read_dataset
from pipeline.evaluation.pictures import evaluate_pictures
from pipeline.hazards import Hazard, builtin, from_settings, prompt_set
from pipeline.models.prompts import hazard_fingerprints
from pipeline.models.starter.model import StarterModel
from pipeline.settings import HazardSettings
from pipeline.types import PromptSet


def load(media: Path, model: StarterModel, prompts: PromptSet) -> list[Example]:
    """Scores of every picture and of four frames a second of every clip."""
    bank = model.bind(prompts)
    names = prompts.names
    both = Dataset(
        read_dataset(media / "images.csv", names).pictures, read_dataset(media / "videos.csv", names).clips
    )
    return examples_of(both, _picture, lambda image: np.asarray(bank.scores(model.encode(image)), np.float64))


def _picture(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"{path}: not a picture")
    return np.asarray(image, np.uint8)


def table(model: StarterModel, hazards: Sequence[Hazard], examples: Sequence[Example]) -> CalibrationTable:
    """The calibration from all examples; the generic fit takes the medians of the built-in ones."""
    marks = hazard_fingerprints(model.fingerprint, prompt_set(hazards))
    fits = {}
    for column, (hazard, mark) in enumerate(zip(hazards, marks, strict=True)):
        shown = sum(hazard.name in example.labels and not example.clip for example in examples)
        note = f"{shown} photographs of it, {sum(is_negative(e, hazard.name) for e in examples)} without"
        plain = fit(hazard.name, column, hazard, examples)
        fits[hazard.name] = plain.model_copy(update={"fingerprint": mark, "provenance": note})
    boundary = float(np.median([-one.offset / one.slope for one in fits.values()]))
    slope = round(float(np.median([one.slope for one in fits.values()])), 4)
    generic = Fit(
        slope=slope,
        offset=round(-slope * boundary, 4),
        threshold=THRESHOLD,
        provenance="medians of the built-in hazards",
    )
    return CalibrationTable(
        model=model.name, model_fingerprint=model.fingerprint, generic=generic, hazards=fits
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, print the figures on unseen sources and on all, write the file."""
    parser = argparse.ArgumentParser(description="Fit the calibration that comes with the starter model.")
    parser.add_argument("media", type=Path, help="folder with images.csv and videos.csv")
    parser.add_argument("starter", type=Path, help="folder of the starter model")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("calibration.json"))
    given = parser.parse_args(arguments)
    hazards = from_settings({name: HazardSettings(**raw) for name, raw in builtin().items()})
    prompts = prompt_set(hazards)
    model = StarterModel(given.starter)
    examples = load(given.media, model, prompts)
    made = table(model, hazards, examples)
    stills = [example for example in examples if not example.clip]
    bound = made.bind(model.name, model.fingerprint, prompts)
    _show("sources not seen", bound, cross_validated(hazards, examples), stills)
    fitted = bound.probabilities(np.array([e.scores for e in stills], np.float32))
    _show("all sources", bound, np.asarray(fitted, np.float64), stills)
    made.write(given.out)
    sys.stdout.write(f"wrote {given.out}\n")
    return 0


def _show(
    title: str, bound: Calibration, probabilities: NDArray[np.float64], stills: Sequence[Example]
) -> None:
    labels = [next(iter(example.labels)) for example in stills]
    sources = [example.source for example in stills]
    result = evaluate_pictures(bound.names, probabilities, bound.thresholds, labels, sources)
    sys.stdout.write(f"{title}:\n")
    for part in ("any_hazard", "safe", "macro"):
        sys.stdout.write(f"  {part}: {result[part]}\n")
    for name, figures in result["hazards"].items():
        sys.stdout.write(f"  {name}: AUC {figures['auc']:.3f}, recall {figures['recall']:.2f}\n")


if __name__ == "__main__":
    sys.exit(main())
