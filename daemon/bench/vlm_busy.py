"""The danger lane while a describer is busy on every core, against the lane alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from daemon.bench.harness import Figure
from daemon.bench.lane_beside import LaneBeside
from daemon.bench.load import MODEL, BackgroundLoad, LoadUnavailable, arithmetic_load, language_load
from daemon.config.settings import Settings
from pipeline.models.base import ImageTextModel

log = logging.getLogger(__name__)


def measure(settings: Settings, model: ImageTextModel, samples: int) -> Iterator[Figure]:
    """Frames a second, and the slowest frame in a hundred, busy over alone."""
    load, what = _load(settings)
    with load:
        had_s = load.processor_s()
        lane = LaneBeside(settings, model, load.working, samples)
        share = (load.processor_s() - had_s) / lane.beside_s
    yield from lane.figures("vlm_busy", f"{what}, which got {share:.0%} of one core")


def _load(settings: Settings) -> tuple[BackgroundLoad, str]:
    """A real language model at work. If there is none, arithmetic replaces it, and the figure says so."""
    try:
        return language_load(settings.paths.models), f"beside {MODEL} writing"
    except LoadUnavailable as error:
        log.warning("no language model to measure beside: %s", error)
        return arithmetic_load(
            len(os.sched_getaffinity(0))
        ), "beside plain arithmetic: no language model here"
