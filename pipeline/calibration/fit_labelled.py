"""Slope and offset of each hazard's calibration from labelled pictures and clips, for any model.

A line is evaluated on pictures it has not seen: each is judged by a line made without its source; pictures of
a hazard that has but one source, without that picture alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.calibration.line import RULES, THRESHOLD, fit_line
from pipeline.calibration.table import Fit, FitQuality
from pipeline.evaluation.dataset import IGNORE, SAFE, SCENE, Dataset, LabelledClip
from pipeline.evaluation.ranking import roc_auc
from pipeline.hazards import Hazard, look_alikes

LEAST_SHOWN = 3
"""Sources of photographs that show a hazard, of which it can be fitted."""
LEAST_HARMLESS = 8
"""Sources without it."""
_CLIP_WEIGHT = 4.0
"""A clip's harmless frames together weigh as much as so many harmless pictures."""
_OTHERS_WEIGHT = 0.5
"""Pictures of other hazards together weigh so much of what the harmless pictures do."""
_CLIP_STEP_S = 0.25
_DERIVED = "derived"
"""Clips whose source begins so are made of the others and left out."""

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Scores (H,) of a picture or a frame, with its labels."""

    labels: frozenset[str]
    source: str
    clip: bool
    scores: Column


def examples_of(
    manifest: Dataset, read: Callable[[Path], Image], scores: Callable[[Image], Column]
) -> list[Example]:
    """Scores of every picture and of four frames a second of every clip. Passes on the errors of `read`."""
    out = [
        Example(frozenset(p.labels), p.source, clip=False, scores=scores(read(p.path)))
        for p in manifest.pictures
    ]
    for clip in manifest.clips:
        if is_derived(clip):
            continue
        for time_s, image in _frames(clip):
            # A cut says nothing about what the frame shows.
            labels = clip.labels_at(time_s) - {SCENE}
            out.append(Example(labels, clip.path.name, clip=True, scores=scores(image)))
    return out


def is_derived(clip: LabelledClip) -> bool:
    """True if a clip is made of others: it says nothing new, and what it shows may be in another source."""
    return clip.source.startswith(_DERIVED)


def _frames(clip: LabelledClip) -> Iterable[tuple[float, Image]]:
    video = cv2.VideoCapture(str(clip.path), cv2.CAP_FFMPEG)
    rate = video.get(cv2.CAP_PROP_FPS)
    # Neighbouring frames say almost the same; four a second keep a clip from outweighing many pictures.
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


def is_negative(example: Example, hazard: str) -> bool:
    """True if the example is a certain negative for this hazard.

    For user-defined hazards only `safe` examples are, as their look-alikes are not known.
    """
    alike = look_alikes(hazard)
    if not alike:
        return example.labels == {SAFE}
    return bool(example.labels) and not example.labels & (alike | {IGNORE})


def fit(name: str, column: int, hazard: Hazard, examples: Sequence[Example]) -> Fit:
    """The fit of one hazard from these examples. Raises ValueError if harmless ones are lacking."""
    quiet = [example for example in examples if is_negative(example, name)]
    danger = [e.scores[column] for e in examples if name in e.labels and not e.clip]
    line = fit_line(
        np.array([example.scores[column] for example in quiet]),
        _weights(quiet),
        np.array(danger, np.float64),
        RULES[hazard.severity],
    )
    return Fit(slope=round(line.slope, 4), offset=round(line.offset, 4), threshold=THRESHOLD)


def _weights(examples: Sequence[Example]) -> Column:
    safe = [not e.clip and e.labels == {SAFE} for e in examples]
    clips = [e.source if e.clip else "" for e in examples]
    others = max(1, len(examples) - sum(safe) - sum(map(bool, clips)))
    sizes = {clip: clips.count(clip) for clip in set(clips)}
    # At least 1: without a single safe picture the others would weigh nothing, and no line could be fitted.
    alone = max(sum(safe), 1)
    return np.array(
        [
            1.0 if is_safe else _CLIP_WEIGHT / sizes[clip] if clip else _OTHERS_WEIGHT * alone / others
            for is_safe, clip in zip(safe, clips, strict=True)
        ]
    )


def leave_source_out(index: int, name: str, examples: Sequence[Example]) -> list[Example]:
    """The examples that may judge this one: those of other sources; all others if the hazard has but one."""
    own = examples[index]
    sources = {example.source for example in examples if name in example.labels and not example.clip}
    if name in own.labels and len(sources) == 1:
        return [example for i, example in enumerate(examples) if i != index]
    return [example for example in examples if example.source != own.source]


def cross_validated(hazards: Sequence[Hazard], examples: Sequence[Example]) -> NDArray[np.float64]:
    """Probabilities (N, H) of the still pictures, each by a calibration that has not seen its source."""
    columns = [cross_validated_hazard(column, hazard, examples) for column, hazard in enumerate(hazards)]
    return np.stack(columns, axis=1)


def cross_validated_hazard(column: int, hazard: Hazard, examples: Sequence[Example]) -> Column:
    """One hazard's part of `cross_validated`. Raises ValueError if harmless examples are lacking."""
    out, known = [], {}
    for index, example in enumerate(examples):
        if example.clip:
            continue
        others = leave_source_out(index, hazard.name, examples)
        # One fit a source: examples of a source leave out the same others. The length tells the single-source
        # case.
        key = (example.source, len(others))
        if len(others) == len(examples) - 1 or key not in known:
            known[key] = fit(hazard.name, column, hazard, others)
        line = known[key]
        out.append(1 / (1 + np.exp(-(line.slope * example.scores[column] + line.offset))))
    return np.array(out, np.float64)


def fit_with_quality(column: int, hazard: Hazard, examples: Sequence[Example]) -> Fit:
    """The fit of one hazard with its figures. Raises ValueError, with the reason, if there is too little."""
    stills = [example for example in examples if not example.clip]
    shown = np.array([hazard.name in example.labels for example in stills], np.bool_)
    sources = {e.source for e, is_shown in zip(stills, shown, strict=True) if is_shown}
    without = {example.source for example in examples if is_negative(example, hazard.name)}
    for have, least, word in (
        (len(sources), LEAST_SHOWN, "photographs of it"),
        (len(without), LEAST_HARMLESS, "pictures without it"),
    ):
        if have < least:
            raise ValueError(f"{word} from {have} sources, at least {least} are needed")
    line = fit(hazard.name, column, hazard, examples)
    judged = cross_validated_hazard(column, hazard, examples)
    quiet = np.array([is_negative(example, hazard.name) for example in stills], np.bool_)
    over = judged >= THRESHOLD
    measured = FitQuality(
        pictures=int(shown.sum()),
        sources=len(sources),
        harmless=int(quiet.sum()),
        recall=round(float(over[shown].mean()), 3),
        false_alarms=int(over[quiet].sum()),
        auc=_rounded(roc_auc(judged[shown], judged[quiet])),
        log_loss=_rounded(_log_loss(judged[shown], judged[quiet])),
    )
    note = f"{measured.pictures} photographs of it from {len(sources)} sources, {measured.harmless} without"
    return line.model_copy(update={"provenance": note, "measured": measured})


def _log_loss(shown: Column, quiet: Column) -> float | None:
    """In nats, both kinds weighing the same; a coin has 0.693."""
    if not len(shown) or not len(quiet):
        return None
    # Against log(0) for a probability that has rounded to 0 or 1.
    tiny = 1e-9
    return float(-(np.log(shown + tiny).mean() + np.log(1 - quiet + tiny).mean()) / 2)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
