"""The kernel by which taught pictures are compared: `SHARPNESS` of `pipeline.calibration.few_shot`.

As somebody teaches: some pictures of one source, and harmless ones. Judged are the other pictures of that
source, those of other sources, and harmless pictures of sources that were not shown. Locked sources take no
part. The embedding is that of the shipped heads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from daemon.tools.maintainer.heads.features import Features
from daemon.tools.maintainer.heads.splits import LOCKED
from daemon.tools.maintainer.heads.training_set import Rows
from pipeline.calibration.few_shot import LOGIT_PER_DEVIATION, SHARPNESS, density
from pipeline.calibration.few_shot_fit import TrainingSet, fit
from pipeline.evaluation.ranking import roc_auc
from pipeline.models.starter.heads import read_heads

SHARPNESSES = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
SHOWN = (3, 10)
"""Pictures that are taught."""
_DRAWS, _HARMLESS, _JUDGED, _LEFT = 6, 200, 600, 5
_SEED = 1


@dataclass(frozen=True, slots=True)
class Lesson:
    """Rows that are taught, and rows that are judged."""

    like: NDArray[np.intp]
    unlike: NDArray[np.intp]
    same: NDArray[np.intp]
    """Of the source that was taught."""
    other: NDArray[np.intp]
    """Of other sources."""
    harmless: NDArray[np.intp]


def lessons(rows: Rows, shown: int, random: Generator) -> Iterable[Lesson]:
    """For each hazard some draws of a source and of its pictures."""
    open_ = rows.photographs & (rows.parts != LOCKED)
    harmless = np.flatnonzero(open_ & rows.safe & rows.known.all(1))
    for hazard in range(rows.shown.shape[1]):
        positive = np.flatnonzero(open_ & (rows.shown[:, hazard] > 0))
        sources, counts = np.unique(rows.sources[positive], return_counts=True)
        large = sources[counts >= shown + _LEFT]
        for _ in range(_DRAWS if len(large) else 0):
            yield _lesson(rows, positive, harmless, str(random.choice(large)), shown, random)


def _lesson(
    rows: Rows,
    positive: NDArray[np.intp],
    harmless: NDArray[np.intp],
    source: str,
    shown: int,
    random: Generator,
) -> Lesson:
    own = positive[rows.sources[positive] == source]
    like = random.choice(own, shown, replace=False)
    names = np.unique(rows.sources[harmless])
    taught = set(random.choice(names, len(names) // 2, replace=False).tolist())
    near = np.array([name in taught for name in rows.sources[harmless]])
    far = ~near & (rows.sources[harmless] != source)
    return Lesson(
        like,
        _some(harmless[near], _HARMLESS, random),
        np.setdiff1d(own, like),
        positive[rows.sources[positive] != source],
        _some(harmless[far], _JUDGED, random),
    )


def _some(rows: NDArray[np.intp], most: int, random: Generator) -> NDArray[np.intp]:
    return np.asarray(random.choice(rows, min(most, len(rows)), replace=False), np.intp)


def figures(embeddings: NDArray[Any], lesson: Lesson, sharpness: float) -> tuple[float, ...]:
    """AUC and recall of the same source and of others, and false alarms; NaN where nothing is judged."""

    def scores(judged: NDArray[np.intp]) -> NDArray[np.float64]:
        near = density((embeddings[judged] @ embeddings[lesson.like].T).astype(np.float64), sharpness)
        far = density((embeddings[judged] @ embeddings[lesson.unlike].T).astype(np.float64), sharpness)
        deviations = (near - far - learnt.centre) / learnt.deviation
        return np.asarray(LOGIT_PER_DEVIATION * deviations - learnt.boundary)

    nothing = (np.zeros(len(lesson.like)), np.zeros(len(lesson.unlike)))
    taught = TrainingSet.of(embeddings[lesson.like], embeddings[lesson.unlike], *nothing)
    learnt = fit(taught, sharpness)
    harmless = scores(lesson.harmless)
    out: list[float] = []
    for judged in (lesson.same, lesson.other):
        positive = scores(judged) if len(judged) else np.zeros(0)
        auc = roc_auc(positive, harmless)
        out += [np.nan if auc is None else auc, float((positive > 0).mean()) if len(positive) else np.nan]
    return (*out, float((harmless > 0).mean()))


def lines(features: Features, rows: Rows) -> Iterable[str]:
    """The figures of each sharpness, for few pictures and for more."""
    embeddings = read_heads().embeddings(features.pooled[0].astype(np.float32))
    yield f"few-shot kernel: sharpness now {SHARPNESS:g}; AUC and recall on the same source and on others"
    for shown in SHOWN:
        drawn = list(lessons(rows, shown, np.random.default_rng(_SEED)))
        for sharpness in SHARPNESSES:
            found = np.array([figures(embeddings, lesson, sharpness) for lesson in drawn])
            auc_same, same, auc_other, other, false = np.nanmean(found, 0)
            yield (
                f"  {shown} pictures, sharpness {sharpness:g}: same AUC {auc_same:.3f} recall {same:.3f}; "
                f"others AUC {auc_other:.3f} recall {other:.3f}; false alarms {false:.4f}"
            )
