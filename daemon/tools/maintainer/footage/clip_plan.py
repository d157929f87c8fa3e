"""Which clips are made of which stills: harmless minutes, and cuts from harmless views to hazards.

Pure: pictures and a seed in, plans out. A clip shows pictures of one source as far as it can, so that figures
can be drawn by source; no source fills more than a quarter of the footage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from daemon.tools.maintainer.heads.splits import part_of
from pipeline.evaluation.dataset import SAFE, CameraMotion, LabelledPicture

LARGEST_SHARE = 0.25
"""Of the footage that one source may fill."""
CLIP_S = 60.0
_HARMLESS_SHOT_S, _HAZARD_SHOT_S, _LEAD_IN_S = (4.0, 10.0), (4.0, 6.0), (3.0, 6.0)
_RATES = (5.0, 5.0, 5.0, 25.0)
"""Pictures a second; a quarter of the clips are fast, which takes five times as long to look at."""
_STILL_SHARE = 0.25
"""Of the clips, from a camera that hangs still."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture in view for some seconds."""

    picture: LabelledPicture
    seconds: float


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """One clip: its shots follow each other by cuts."""

    name: str
    source: str
    part: str
    rate: float
    camera: CameraMotion
    seed: int
    shots: tuple[Shot, ...]

    @property
    def seconds(self) -> float:
        return sum(shot.seconds for shot in self.shots)


def usable(
    pictures: Sequence[LabelledPicture], parts: Mapping[str, str], wanted: Sequence[str]
) -> list[LabelledPicture]:
    """The pictures whose source is in one of the wanted parts. Raises SplitsError."""
    return [picture for picture in pictures if part_of(picture.source, parts) in wanted]


def harmless_clips(
    pictures: Sequence[LabelledPicture], parts: Mapping[str, str], seconds: float, random: Generator
) -> list[ClipPlan]:
    """So many seconds of clips without any hazard, each of one source."""
    stills = by_source([p for p in pictures if p.labels == (SAFE,) and not p.uncertain])
    plans: list[ClipPlan] = []
    for source, share_s in shares({name: len(own) for name, own in stills.items()}, seconds).items():
        left_s, shots, views = share_s, list[Shot](), _in_turn(stills[source], random)
        while left_s > 0:
            length_s = _rounded(min(left_s, float(random.uniform(*_HARMLESS_SHOT_S))))
            left_s -= max(length_s, 0.2)
            # 0.2 s is one picture at the slowest rate: the last remainder may be shorter.
            shots.append(Shot(next(views), max(length_s, 0.2)))
            if left_s <= 0 or sum(shot.seconds for shot in shots) >= CLIP_S:
                plans.append(_plan(f"harmless_{len(plans):04}", source, parts, shots, random))
                shots = []
    return plans


def hazard_clips(
    pictures: Sequence[LabelledPicture],
    parts: Mapping[str, str],
    hazards: Sequence[str],
    each: int,
    random: Generator,
) -> list[ClipPlan]:
    """`each` clips of every hazard, from as many sources as there are: a harmless view, then a cut to it."""
    stills = by_source([p for p in pictures if p.labels == (SAFE,) and not p.uncertain])
    plans: list[ClipPlan] = []
    for hazard in hazards:
        for picture in evenly([p for p in pictures if hazard in p.labels], each, random):
            before, after = (_harmless_beside(picture, stills, parts, random) for _ in range(2))
            if before is None or after is None:
                continue
            shots = [
                Shot(before, _length(_LEAD_IN_S, random)),
                Shot(picture, _length(_HAZARD_SHOT_S, random)),
            ]
            # In some clips the hazard ends, so that alerts after its end are measured too.
            if random.random() < 0.4:
                shots.append(Shot(after, _length(_LEAD_IN_S, random)))
            plans.append(_plan(f"{hazard}_{len(plans):04}", picture.source, parts, shots, random))
    return within_share(plans)


def shares(counts: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Seconds for each source by the number of its pictures, but for none more than its share of the whole.

    Raises ValueError if there are too few sources for that.
    """
    most = LARGEST_SHARE * seconds
    if len(counts) * most < seconds - 1e-6:
        raise ValueError(f"{len(counts)} sources: harmless footage needs {1 / LARGEST_SHARE:g} at least")
    low, high = 0.0, seconds
    # Bisection for the seconds of one picture at which the capped shares fill the whole.
    for _ in range(60):
        middle = (low + high) / 2
        if sum(min(n * middle, most) for n in counts.values()) < seconds:
            low = middle
        else:
            high = middle
    return {source: min(n * high, most) for source, n in counts.items()}


def within_share(plans: Sequence[ClipPlan]) -> list[ClipPlan]:
    """The plans without the last ones of any source that fills more than its share."""
    kept = list(plans)
    while kept:
        filled: dict[str, float] = {}
        for plan in kept:
            filled[plan.source] = filled.get(plan.source, 0.0) + plan.seconds
        largest = max(filled, key=lambda name: filled[name])
        # With fewer sources than that, no choice of clips can keep the limit.
        if filled[largest] <= LARGEST_SHARE * sum(filled.values()) or len(filled) < 1 / LARGEST_SHARE:
            return kept
        # The last ones first: the names of the others stay as they were.
        last = max(i for i, plan in enumerate(kept) if plan.source == largest)
        del kept[last]
    return kept


def by_source(pictures: Sequence[LabelledPicture]) -> dict[str, list[LabelledPicture]]:
    groups: dict[str, list[LabelledPicture]] = {}
    for picture in pictures:
        groups.setdefault(picture.source, []).append(picture)
    return groups


def evenly(pictures: Sequence[LabelledPicture], count: int, random: Generator) -> Iterator[LabelledPicture]:
    """So many pictures at most, the sources taking turns."""
    # Sorted, so that the order of pictures in the manifest does not change the clips of a seed.
    turns = [_in_turn(own, random) for _, own in sorted(by_source(pictures).items())]
    for number in range(min(count, len(pictures)) if turns else 0):
        yield next(turns[number % len(turns)])


def _in_turn(pictures: Sequence[LabelledPicture], random: Generator) -> Iterator[LabelledPicture]:
    """All of them in a drawn order, again and again."""
    while True:
        yield from (pictures[i] for i in random.permutation(len(pictures)).tolist())


def _harmless_beside(
    picture: LabelledPicture,
    stills: Mapping[str, Sequence[LabelledPicture]],
    parts: Mapping[str, str],
    random: Generator,
) -> LabelledPicture | None:
    """A harmless picture of the same source if it has one, else of its part; None if the part has none."""
    own = stills.get(picture.source)
    if not own:
        part = parts[picture.source]
        sources = sorted(name for name in stills if parts[name] == part)
        if not sources:
            return None
        own = stills[sources[int(random.integers(len(sources)))]]
    return own[int(random.integers(len(own)))]


def _plan(
    name: str, source: str, parts: Mapping[str, str], shots: Sequence[Shot], random: Generator
) -> ClipPlan:
    return ClipPlan(
        name=name,
        source=source,
        part=parts[source],
        rate=_RATES[int(random.integers(len(_RATES)))],
        camera="still" if random.random() < _STILL_SHARE else "moving",
        seed=int(random.integers(2**31)),
        shots=tuple(shots),
    )


def _length(bounds: tuple[float, float], random: Generator) -> float:
    return _rounded(float(random.uniform(*bounds)))


def _rounded(seconds: float) -> float:
    """A multiple of the slowest picture's duration, so that cuts fall between frames at every rate."""
    return float(np.round(seconds * min(_RATES)) / min(_RATES))
