"""The distances of the scene gate, on clips joined by cuts and on how far a moving camera's views lie apart.

Clips of different sources are joined, so that every join is a scene change; every other opening of the scene
gate, after the first view of a clip, is a false change. For each distance the real gate runs over the joined
clips. The one with the best F1 score is chosen, on all folds and, to see how much it depends on the clips, on
all but one. A view counts as settled if it lies as near to the smoothed view as nearly all frames of real
footage do whose camera moves: walking must not keep a view from being described, a quick turn should.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.tools.maintainer.footage.score_series import LabelledSeries, SeriesError
from pipeline.alerting.scene_change import SceneChangeGate, cosine_distance
from pipeline.settings import SceneSettings

SCENE = tuple(np.round(np.arange(0.3, 0.91, 0.05), 2).tolist())
SETTLE = tuple(np.round(np.arange(0.05, 0.51, 0.05), 2).tolist())
CLIP_S = 6.0
"""Of each clip: longer ones would outweigh the joins."""
OF_A_SOURCE = 2
IN_TIME_S = 2.5
"""A change is found if the gate opens so soon after a join."""
SETTLED_SHARE = 0.99
"""Of the frames of a moving camera."""
_PAUSE_S = 0.2
_CUT = 0.6
"""A step from one frame to the next from which it is a cut within a clip; a second after it is left out."""


@dataclass(frozen=True, slots=True)
class CutCounts:
    """Joins, those found in time, and openings that belong to no join."""

    joins: int = 0
    found: int = 0
    extra: int = 0

    def __add__(self, other: CutCounts) -> CutCounts:
        return CutCounts(self.joins + other.joins, self.found + other.found, self.extra + other.extra)

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision (van Rijsbergen, 1979)."""
        return 2 * self.found / max(self.joins + self.found + self.extra, 1)

    def __str__(self) -> str:
        return f"{self.found} of {self.joins} cuts found, {self.extra} too many, F1 {self.f1:.3f}"


def count_cuts(clips: Iterable[LabelledSeries], scene: float, settle: float) -> CutCounts:
    """Run the gate over the first seconds of the clips, joined in their order."""
    # A budget that never runs out: only the distances are examined.
    gate = SceneChangeGate(SceneSettings(distance=scene, settle_distance=settle, budget_per_minute=600))
    counts, start_s = CutCounts(), 0.0
    for number, clip in enumerate(clips):
        used = clip.times_s < CLIP_S
        times = start_s + clip.times_s[used]
        pairs = zip(clip.embeddings[used].astype(np.float32), times, strict=True)
        # The gate keeps its state over the joins, as the daemon does over a change of place.
        opened = [now - start_s for embedding, now in pairs if gate.step(embedding, float(now))]
        in_time = sum(after <= IN_TIME_S for after in opened)
        if number:  # the first clip joins nothing
            counts += CutCounts(1, min(in_time, 1), len(opened) - min(in_time, 1))
        start_s = float(times[-1]) + _PAUSE_S
    return counts


def interleaved(clips: Sequence[LabelledSeries]) -> list[LabelledSeries]:
    """At most `OF_A_SOURCE` clips of a source, in an order in which neighbours are of different sources.

    Clips of one source often show one place, so that their join is no scene change.
    """
    by_source: dict[str, list[LabelledSeries]] = {}
    for clip in clips:
        by_source.setdefault(clip.clip.source, []).append(clip)
    rounds = itertools.zip_longest(*(own[:OF_A_SOURCE] for own in by_source.values()))
    return [clip for together in rounds for clip in together if clip is not None]


def from_smoothed(one: LabelledSeries) -> NDArray[np.float64]:
    """Distance of each frame from the smoothed view, as the gate smooths it; without a second after cuts."""
    tau, rows = SceneSettings().smoothing_s, one.embeddings.astype(np.float32)
    smoothed, before_s, out, cut_s = rows[0], float(one.times_s[0]), [], -np.inf
    for position, (row, now) in enumerate(zip(rows, one.times_s.tolist(), strict=True)):
        if position and cosine_distance(row, rows[position - 1]) > _CUT:
            cut_s = now
        smoothed = smoothed + np.float32(-np.expm1(-(now - before_s) / tau)) * (row - smoothed)
        before_s = now
        if now - cut_s >= 1.0:
            out.append(cosine_distance(row, smoothed))
    return np.array(out)


def best(counts: dict[float, CutCounts]) -> float:
    """The distance with the best F1 score; of equals the smallest.

    Clips of different sources lie further apart than two rooms of one home.
    """
    return min(counts, key=lambda distance: (-counts[distance].f1, distance))


def settle_distance(moving: NDArray[np.float64]) -> float:
    """The smallest of SETTLE within which SETTLED_SHARE of a moving camera's frames lie, or the largest."""
    wide = float(np.quantile(moving, SETTLED_SHARE))
    return float(next((distance for distance in SETTLE if distance >= wide), SETTLE[-1]))


def lines(series: Sequence[LabelledSeries]) -> Iterable[str]:
    """Both distances with what they rest on. Raises SeriesError for clips of a single fold."""
    moving = [from_smoothed(one) for one in series if one.clip.camera == "moving"]
    if not moving:
        raise SeriesError("no clip of a moving camera: a settled view cannot be told")
    walked = np.concatenate(moving)
    settle = settle_distance(walked)
    yield f"settle distance {settle:g}: the smallest that holds {SETTLED_SHARE:.0%} of moving cameras' frames"
    for share in (0.5, 0.9, 0.99, 0.999):
        yield f"  {share:.1%} of {len(walked)} frames within {np.quantile(walked, share):.3f}"
    yield from _scene_lines(series, settle)


def _scene_lines(series: Sequence[LabelledSeries], settle: float) -> Iterable[str]:
    folds = {part: interleaved([one for one in series if one.part == part]) for part in _parts(series)}
    counts = {fold: {scene: count_cuts(own, scene, settle) for scene in SCENE} for fold, own in folds.items()}
    whole = summed(counts)
    yield f"scene distance {best(whole):g}: the smallest with the best F1 score"
    for fold in folds:
        chosen = best(summed(counts, without=fold))
        yield f"  without fold {fold}: {chosen:g}; on it: {counts[fold][chosen]}"
    for scene, count in whole.items():
        yield f"  {scene:g}: {count}"


def _parts(series: Sequence[LabelledSeries]) -> list[str]:
    parts = sorted({one.part for one in series})
    if len(parts) < 2:
        raise SeriesError(f"clips of {len(parts)} folds: distances need two or more")
    return parts


def summed(counts: dict[str, dict[float, CutCounts]], without: str | None = None) -> dict[float, CutCounts]:
    """Over all folds but one."""
    rest = [fold for fold in counts if fold != without]
    return {scene: sum((counts[fold][scene] for fold in rest), CutCounts()) for scene in counts[rest[0]]}
