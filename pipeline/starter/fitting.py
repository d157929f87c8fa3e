"""Fits and checks the starter's shipped calibration: `python -m pipeline.starter.fitting MEDIA STARTER`.

MEDIA holds `images.csv` and `videos.csv` (see `pipeline.manifest`). Prints what the calibration does on
pictures it has not seen: every picture is judged by a calibration made without its source; pictures of a
hazard that has but one source are judged without that picture alone. Only two numbers a hazard are fitted,
by the rule of `pipeline.calibration_fit`. The words in `hazards.toml` were chosen by people who had seen
such pictures, which no leaving out can undo: judge the model on pictures that nobody has looked at.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.calibration import Calibration, CalibrationTable, Fit
from pipeline.calibration_fit import RULES, THRESHOLD, fit_line
from pipeline.evaluation import evaluate_pictures
from pipeline.hazards import Hazard, builtin, from_settings, prompt_set
from pipeline.image_text import PromptSet
from pipeline.manifest import IGNORE, SAFE, SCENE, LabelledClip, read_manifest
from pipeline.prompt_bank import hazard_fingerprints
from pipeline.settings import HazardSettings
from pipeline.starter.model import StarterModel

_KINDS = (
    {"fire", "smoke", "stove_hot"},
    {"knife", "person_with_weapon"},
    {"vehicle", "two_wheeler", "train", "construction", "crosswalk_signal", "hole", "stairs"},
    {"dog", "dangerous_animal"},
)
"""Hazards that are seen together or look alike: pictures of one are no evidence against another."""
_CLIP_WEIGHT = 4.0
"""A clip's harmless frames together weigh as much as so many harmless pictures."""
_OTHERS_WEIGHT = 0.5
"""Pictures of other hazards together weigh so much of what the harmless pictures do."""
_CLIP_STEP_S = 0.25
_DERIVED = "derived"
"""Clips whose source begins so are made of the others and left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Scores (H,) of a picture or a frame, with what it shows."""

    labels: frozenset[str]
    source: str
    clip: bool
    scores: NDArray[np.float64]


def harmless(example: Example, hazard: str) -> bool:
    """Whether it surely does not show the hazard."""
    alike = set().union(*(kind for kind in _KINDS if hazard in kind))
    return bool(example.labels) and not example.labels & (alike | {IGNORE})


def fit(name: str, column: int, hazard: Hazard, examples: Sequence[Example]) -> Fit:
    """The fit of one hazard from these examples."""
    quiet = [example for example in examples if harmless(example, name)]
    danger = [e.scores[column] for e in examples if name in e.labels and not e.clip]
    line = fit_line(
        np.array([example.scores[column] for example in quiet]),
        _weights(quiet),
        np.array(danger, np.float64),
        RULES[hazard.severity],
    )
    return Fit(slope=round(line.slope, 4), offset=round(line.offset, 4), threshold=THRESHOLD)


def _weights(examples: Sequence[Example]) -> NDArray[np.float64]:
    safe = [not e.clip and e.labels == {SAFE} for e in examples]
    clips = [e.source if e.clip else "" for e in examples]
    others = max(1, len(examples) - sum(safe) - sum(map(bool, clips)))
    sizes = {clip: clips.count(clip) for clip in set(clips)}
    return np.array(
        [
            1.0 if is_safe else _CLIP_WEIGHT / sizes[clip] if clip else _OTHERS_WEIGHT * sum(safe) / others
            for is_safe, clip in zip(safe, clips, strict=True)
        ]
    )


def left_out(index: int, name: str, examples: Sequence[Example]) -> list[Example]:
    """The examples that may judge this one: those of other sources; all others if the hazard has but one."""
    own = examples[index]
    sources = {example.source for example in examples if name in example.labels and not example.clip}
    if name in own.labels and len(sources) == 1:
        return [example for i, example in enumerate(examples) if i != index]
    return [example for example in examples if example.source != own.source]


def unseen(hazards: Sequence[Hazard], examples: Sequence[Example]) -> NDArray[np.float64]:
    """Probabilities (N, H) of the still pictures, each by a calibration that has not seen its source."""
    rows = [(i, example) for i, example in enumerate(examples) if not example.clip]
    out = np.zeros((len(rows), len(hazards)))
    for column, hazard in enumerate(hazards):
        known: dict[tuple[str, int], Fit] = {}
        for row, (index, example) in enumerate(rows):
            others = left_out(index, hazard.name, examples)
            key = (example.source, len(others))
            if len(others) == len(examples) - 1 or key not in known:
                known[key] = fit(hazard.name, column, hazard, others)
            line = known[key]
            out[row, column] = 1 / (1 + np.exp(-(line.slope * example.scores[column] + line.offset)))
    return out


def load(media: Path, model: StarterModel, prompts: PromptSet) -> list[Example]:
    """Scores of every picture and of four frames a second of every clip."""
    bank = model.bind(prompts)

    def scores(image: Image) -> NDArray[np.float64]:
        return np.asarray(bank.scores(model.encode(image)), np.float64)

    names = prompts.names
    pictures = read_manifest(media / "images.csv", names).pictures
    clips = read_manifest(media / "videos.csv", names).clips
    out = [
        Example(frozenset([p.label]), p.source, clip=False, scores=scores(_picture(p.path))) for p in pictures
    ]
    for clip in clips:
        if clip.source.startswith(_DERIVED):
            continue
        for time_s, image in _frames(clip):
            labels = clip.labels_at(time_s) - {SCENE}
            out.append(Example(labels, clip.path.name, clip=True, scores=scores(image)))
    return out


def _picture(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"{path}: not a picture")
    return np.asarray(image, np.uint8)


def _frames(clip: LabelledClip) -> Iterable[tuple[float, Image]]:
    video = cv2.VideoCapture(str(clip.path), cv2.CAP_FFMPEG)
    rate = video.get(cv2.CAP_PROP_FPS)
    step = max(1, round(rate * _CLIP_STEP_S))
    index = 0
    while True:
        good, image = video.read()
        if not good:
            break
        if index % step == 0:
            yield index / rate, np.asarray(image, np.uint8)
        index += 1
    video.release()


def table(model: StarterModel, hazards: Sequence[Hazard], examples: Sequence[Example]) -> CalibrationTable:
    """The calibration from all examples; the generic fit takes the medians of the built-in ones."""
    marks = hazard_fingerprints(model.fingerprint, prompt_set(hazards))
    fits = {}
    for column, (hazard, mark) in enumerate(zip(hazards, marks, strict=True)):
        shown = sum(hazard.name in example.labels and not example.clip for example in examples)
        note = f"{shown} photographs of it, {sum(harmless(e, hazard.name) for e in examples)} without"
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
    _show("sources not seen", bound, unseen(hazards, examples), stills)
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
