"""Derives the starter's scene distances: `python -m daemon.tools.maintainer.footage.derive_geometry FOLDER`.

FOLDER holds files of `score_series`. Clips of different sources are joined, so that every join is a scene
change; every other opening of the scene gate, after the first view of a clip, is a false change. For each
pair of distances the real gate runs over the joined clips. The pair with the best F1 score is chosen, on all
folds and, to see how much it depends on the clips, on all but one. Locked sources take no part.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.errors import WatchwordError
from daemon.tools.maintainer.footage.score_series import LabelledSeries, SeriesError, read_folder
from daemon.tools.maintainer.heads.splits import LOCKED
from pipeline.alerting.scene_change import SceneChangeGate
from pipeline.settings import SceneSettings

SCENE = tuple(np.round(np.arange(0.3, 0.91, 0.05), 2).tolist())
SETTLE = tuple(np.round(np.arange(0.1, 0.51, 0.1), 2).tolist())
CLIP_S = 6.0
"""Of each clip: longer ones would outweigh the joins."""
OF_A_SOURCE = 2
IN_TIME_S = 2.5
"""A change is found if the gate opens so soon after a join."""
_PAUSE_S = 0.2


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


def best(counts: dict[tuple[float, float], CutCounts]) -> tuple[float, float]:
    """The pair with the best F1 score; of equals the larger distances, which open less."""
    return max(counts, key=lambda pair: (counts[pair].f1, pair))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="derive_geometry", description=__doc__)
    parser.add_argument("folder", type=Path, help="scores of clips, by score_series")
    args = parser.parse_args(arguments)
    try:
        series = [one for one in read_folder(args.folder) if one.part != LOCKED]
        folds = {part: interleaved([one for one in series if one.part == part]) for part in _parts(series)}
    except WatchwordError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    grid = list(itertools.product(SCENE, SETTLE))
    counts = {fold: {pair: count_cuts(clips, *pair) for pair in grid} for fold, clips in folds.items()}
    for fold in folds:
        chosen = best(_summed(counts, without=fold))
        sys.stdout.write(f"without fold {fold}: {chosen}; on it: {counts[fold][chosen]}\n")
    whole = _summed(counts)
    for pair in sorted(grid, key=lambda pair: -whole[pair].f1)[:12]:
        sys.stdout.write(f"scene {pair[0]:g} settle {pair[1]:g}: {whole[pair]}\n")
    return 0


def _parts(series: Sequence[LabelledSeries]) -> list[str]:
    parts = sorted({one.part for one in series})
    if len(parts) < 2:
        raise SeriesError(f"clips of {len(parts)} folds: distances need two or more")
    return parts


def _summed(
    counts: dict[str, dict[tuple[float, float], CutCounts]], without: str | None = None
) -> dict[tuple[float, float], CutCounts]:
    rest = [fold for fold in counts if fold != without]
    return {pair: sum((counts[fold][pair] for fold in rest), CutCounts()) for pair in counts[rest[0]]}


if __name__ == "__main__":
    sys.exit(main())
