"""The danger lane and a describer that is busy on every core: how much each slows the other."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator

from daemon.bench.harness import Cost, Figure, Target, at_least, at_most, interleave, percentile, unmeasured
from daemon.bench.lane_beside import LaneBeside
from daemon.bench.load import (
    MODEL,
    BackgroundLoad,
    LanguageLoad,
    LoadUnavailable,
    arithmetic_load,
    language_load,
)
from daemon.bench.pipeline_under_test import FRAMES_PER_S
from daemon.bench.vlm_beside import PacedLane, describer_budget
from daemon.config.settings import Settings
from daemon.wiring.detector import DetectorBundle, build_detector
from pipeline.calibration.repository import STARTER
from pipeline.models.base import ImageTextModel

log = logging.getLogger(__name__)

TOKENS = "vlm_busy.tokens_ratio"
CLIP_TOKENS = f"{TOKENS}.vit-b-32-256"
TOKENS_STARTER, TOKENS_CLIP = at_least(0.4), at_least(0.33)
_WINDOW_S = 2.0
"""Seconds of one half of a pair: some hundred tokens."""
_MOST_PAIRS = 10
_ALONE_S = 1.0
_LEAST_RATE = 5.0
"""Tokens a second alone: with fewer, a window holds too few of them for a ratio."""


def measure(settings: Settings, model: ImageTextModel, samples: int) -> Iterator[Figure]:
    """Frames a second and the slowest frame in a hundred, busy over alone; then the describer's tokens."""
    load, what = _load(settings)
    with load:
        had_s = load.processor_s()
        lane = LaneBeside(settings, model, load.working, samples)
        share = (load.processor_s() - had_s) / lane.beside_s
        what = f"{what}, which got {share:.0%} of one core"
        yield from lane.figures("vlm_busy", what, fps=at_least(0.9), p99=at_most(1.3))
        yield from tokens(settings, model, load, samples)


def tokens(settings: Settings, model: ImageTextModel, load: BackgroundLoad, samples: int) -> Iterator[Figure]:
    """Tokens a second beside the lane at a camera's pace over those alone, for this model and for a CLIP."""
    target = TOKENS_STARTER if model.name == STARTER else TOKENS_CLIP
    if not isinstance(load, LanguageLoad):
        why = "no language model here"
        yield unmeasured(TOKENS, "ratio", target, why)
        yield unmeasured(CLIP_TOKENS, "ratio", TOKENS_CLIP, why)
        return
    yield tokens_ratio(TOKENS, settings, build_detector(settings, model), load, samples, target)
    try:
        bundle = build_detector(settings, random_clip(settings))
    except ImportError:
        why = "needs torch and open_clip: script/setup --prepare"
        yield unmeasured(CLIP_TOKENS, "ratio", TOKENS_CLIP, why)
        return
    yield tokens_ratio(CLIP_TOKENS, settings, bundle, load, samples, TOKENS_CLIP)


def tokens_ratio(
    name: str, settings: Settings, bundle: DetectorBundle, load: LanguageLoad, samples: int, target: Target
) -> Figure:
    """The lane leaves out frames as the daemon does beside a describer while it suspects no hazard."""
    budget = describer_budget(settings)
    lane = PacedLane(bundle, _ALONE_S, budget)
    frames: list[int] = []

    def beside() -> float:
        with lane.running():
            cost = _token_s(load)
        frames.append(lane.frames)
        return cost

    alone: Cost = lambda: _token_s(load)  # noqa: E731 (its type says what it costs)
    pairs = interleave(alone, beside, min(samples, _MOST_PAIRS))
    rate, beside_rate = 1 / percentile(pairs.a, 50), 1 / percentile(pairs.b, 50)
    if rate < _LEAST_RATE:
        why = f"other programs left the model {rate:.1f} tokens/s even without the lane"
        return unmeasured(name, "ratio", target, why)
    fps = percentile([float(count) for count in frames], 50) / _WINDOW_S
    note = (
        f"{rate:.0f} tokens/s alone, {beside_rate:.0f} beside {bundle.model.name}, which assessed "
        f"{fps:.1f} of {FRAMES_PER_S:g} frames/s"
    )
    return Figure.median(name, pairs.ratios, "ratio", target, note)


def random_clip(settings: Settings) -> ImageTextModel:
    """ViT-B-32-256 with random weights in the precision that is the fastest here. Raises ImportError."""
    # Imported here: it needs torch, which most of the benchmark does without.
    from daemon.bench.encoder.compiled import ARCHITECTURE, encoders_of, quiet_libraries, random_network
    from daemon.bench.encoder.precisions import fastest
    from daemon.bench.encoder.random_model import RandomModel

    network, _ = random_network()
    with quiet_libraries():
        encoders = encoders_of(network, settings.pipeline.threads)
    precision = fastest(encoders)
    return RandomModel(f"{ARCHITECTURE.lower()} in {precision}", encoders[precision])


def _token_s(load: LanguageLoad) -> float:
    """Seconds a token while the model writes for `_WINDOW_S`."""
    with load.working():
        before, began_s = load.tokens(), time.perf_counter()
        time.sleep(_WINDOW_S)
        took_s, written = time.perf_counter() - began_s, load.tokens() - before
    # None at all counts as one: the ratio becomes small and not infinite.
    return took_s / max(written, 1)


def _load(settings: Settings) -> tuple[BackgroundLoad, str]:
    """A real language model at work. If there is none, arithmetic replaces it, and the figure says so."""
    try:
        return language_load(settings.paths.models), f"beside {MODEL} writing"
    except LoadUnavailable as error:
        log.warning("no language model to measure beside: %s", error)
        return arithmetic_load(
            len(os.sched_getaffinity(0))
        ), "beside plain arithmetic: no language model here"
