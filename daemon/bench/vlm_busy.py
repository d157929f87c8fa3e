"""The danger lane while a describer is busy on every core, against the lane alone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from daemon import app
from daemon.bench.harness import Figure, Pairs, at_least, at_most, interleave, percentile
from daemon.bench.lane import Lane, moving
from daemon.bench.load import Load
from daemon.settings import Settings
from pipeline.image_text import ImageTextModel

_FRAMES = 40


def measure(settings: Settings, model: ImageTextModel, samples: int) -> Iterator[Figure]:
    """Frames a second, and the slowest frame in a hundred, busy over alone; pairs of 40 frames each."""
    lane, view = Lane(app.build_detector(settings, model)), moving(1280, 720)
    alone: list[float] = []
    busy: list[float] = []

    def frames(into: list[float]) -> float:
        started = time.perf_counter()
        for _ in range(_FRAMES):
            before = time.perf_counter()
            lane.see(next(view))
            into.append(time.perf_counter() - before)
        return time.perf_counter() - started

    with Load(len(os.sched_getaffinity(0))) as load:

        def frames_beside_work() -> float:
            with load.working():
                return frames(busy)

        pairs = interleave(lambda: frames(alone), frames_beside_work, samples)
    yield Figure.median("vlm_busy.fps_ratio", pairs.ratios, "ratio", at_least(0.85))
    yield _slowest(alone, busy, pairs)


def _slowest(alone: list[float], busy: list[float], pairs: Pairs) -> Figure:
    ratio = percentile(busy, 99) / percentile(alone, 99)
    note = f"p99 {percentile(alone, 99) * 1e3:.0f} ms alone, {percentile(busy, 99) * 1e3:.0f} ms busy"
    return Figure("vlm_busy.p99_ratio", ratio, "ratio", at_most(2.0), len(pairs.ratios), note=note)
