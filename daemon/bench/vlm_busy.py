"""The danger lane while a describer is busy on every core, against the lane alone."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator

from daemon.bench.harness import Figure, Pairs, at_least, at_most, interleave, percentile
from daemon.bench.load import MODEL, BackgroundLoad, LoadUnavailable, arithmetic_load, language_load
from daemon.bench.pipeline_under_test import PipelineUnderTest, moving
from daemon.config.settings import Settings
from daemon.wiring.detector import build_detector
from pipeline.models.base import ImageTextModel

log = logging.getLogger(__name__)

_FRAMES = 40


def measure(settings: Settings, model: ImageTextModel, samples: int) -> Iterator[Figure]:
    """Frames a second, and the slowest frame in a hundred, busy over alone; pairs of 40 frames each."""
    lane, view = PipelineUnderTest(build_detector(settings, model)), moving(1280, 720)
    alone: list[float] = []
    busy: list[float] = []

    def frames(into: list[float]) -> float:
        started = time.perf_counter()
        for _ in range(_FRAMES):
            before = time.perf_counter()
            lane.see(next(view))
            into.append(time.perf_counter() - before)
        return time.perf_counter() - started

    load, what = _load(settings)
    with load:
        had_s = load.processor_s()

        def frames_beside_work() -> float:
            with load.working():
                return frames(busy)

        # Seconds alone over seconds beside work are frames a second beside work over those alone.
        pairs = interleave(lambda: frames(alone), frames_beside_work, samples)
        share = (load.processor_s() - had_s) / sum(busy)
        what = f"{what}, which got {share:.0%} of one core"
    yield Figure.median("vlm_busy.fps_ratio", pairs.ratios, "ratio", at_least(0.85), what)
    yield _slowest(alone, busy, pairs, what)


def _load(settings: Settings) -> tuple[BackgroundLoad, str]:
    """A real language model at work; where there is none, arithmetic, and the figure says so."""
    try:
        return language_load(settings.paths.models), f"beside {MODEL} writing"
    except LoadUnavailable as error:
        log.warning("no language model to measure beside: %s", error)
        return arithmetic_load(
            len(os.sched_getaffinity(0))
        ), "beside plain arithmetic: no language model here"


def _slowest(alone: list[float], busy: list[float], pairs: Pairs, what: str) -> Figure:
    """Median over the pairs of the slowest frame in a hundred, busy over alone."""
    count = range(len(pairs.ratios))
    cuts = [slice(i * _FRAMES, (i + 1) * _FRAMES) for i in count]
    # The frames of the warm-up come first and belong to no pair.
    warm = len(alone) - len(pairs.ratios) * _FRAMES
    ratios = [percentile(busy[warm:][cut], 99) / percentile(alone[warm:][cut], 99) for cut in cuts]
    note = f"p99 {percentile(alone, 99) * 1e3:.0f} ms alone, {percentile(busy, 99) * 1e3:.0f} ms {what}"
    return Figure.median("vlm_busy.p99_ratio", ratios, "ratio", at_most(2.0), note)
