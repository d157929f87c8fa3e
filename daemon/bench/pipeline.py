"""The cost of detection beside the bare network, and the effect of more hazards, pixels or a still view."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from capture.orient import orient
from capture.test_image import moving_test_image
from daemon.bench import lane_cost, vlm_busy, worker_busy
from daemon.bench.harness import Figure, at_least, at_most, interleave, paced, timed, unmeasured
from daemon.bench.pipeline_under_test import FRAMES_PER_S, PipelineUnderTest, picture, resting
from daemon.config.settings import Settings
from daemon.wiring.detector import DetectorBundle, build_detector
from daemon.wiring.models import load_model
from pipeline.models.base import ImageTextModel
from pipeline.settings import HazardSettings

_FRAMES = 8
"""Frames timed together. Every view repeats after as many."""
_SINGLE = 24
"""Pairs of a sample if frames are timed one by one: two in a row run under the same load."""


@runtime_checkable
class BareNetwork(Protocol):
    """A model whose network can be run without preprocessing and scoring."""

    def infer(self, picture: Image) -> NDArray[np.float32]: ...


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    model = load_model(settings)
    yield over_raw(settings, model, samples)
    yield hazards_1000_over_10(settings, model, samples)
    yield source_4k_over_480p(settings, model, samples)
    yield still_view_work_ratio(settings, model, samples)
    bundle = build_detector(settings, model)
    yield from lane_cost.at_full_rate(bundle, samples)
    yield from lane_cost.at_camera_pace(bundle, samples, lane_cost.energy_meter())
    yield from vlm_busy.measure(settings, model, samples)
    yield from worker_busy.measure(settings, model, samples)


def over_raw(settings: Settings, model: ImageTextModel, samples: int) -> Figure:
    """Frames a second of the whole lane from a bounded 720p picture, over those of the network alone.

    Either does a frame at a time after a pause, as a camera leaves one: back to back the network's threads
    never go to sleep, and waking them, which every daemon must, would be counted as the lane's work.
    """
    name, target = "pipeline.over_raw", at_least(0.93)
    if not isinstance(model, BareNetwork):
        return unmeasured(name, "ratio", target, f"{model.name} does not offer its bare network")
    bare, ready = model, picture(*model.input_size(1280, 720))
    lane, view = PipelineUnderTest(build_detector(settings, model)), moving_test_image(1280, 720)
    pairs = interleave(
        paced(lambda: bare.infer(ready)),
        paced(lambda: lane.see(next(view))),
        samples * _SINGLE,
    )
    return Figure.median(name, pairs.ratios, "ratio", target)


def hazards_1000_over_10(settings: Settings, model: ImageTextModel, samples: int) -> Figure:
    """Time a frame with a thousand hazards over that with ten."""
    view = moving_test_image(1280, 720)
    # No model knows them and none is calibrated, on purpose: two thousand warnings would say so.
    with only_errors("pipeline"):
        many, few = (PipelineUnderTest(_with_hazards(settings, model, count)) for count in (1000, 10))
    pairs = interleave(
        timed(lambda: many.see(next(view)), _FRAMES), timed(lambda: few.see(next(view)), _FRAMES), samples
    )
    return Figure.median("pipeline.hazards_1000_over_10", pairs.ratios, "ratio", at_most(1.03))


@contextmanager
def only_errors(logger: str) -> Iterator[None]:
    """Silence the warnings of a logger, and of those below it, within the block."""
    log = logging.getLogger(logger)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _with_hazards(settings: Settings, model: ImageTextModel, count: int) -> DetectorBundle:
    """The detector for as many things, none of which is ever certain enough to speak of."""
    hazards = {
        # A threshold of 1: an alert would add work that has nothing to do with their number.
        f"thing{n}": HazardSettings(prompts=(f"thing number {n}",), threshold=1.0)
        for n in range(count)
    }
    return build_detector(settings.model_copy(update={"hazards": hazards}), model)


def source_4k_over_480p(settings: Settings, model: ImageTextModel, samples: int) -> Figure:
    """Time a frame, bounding included, from a 4K source over that from a 480p source."""
    lane, max_side = PipelineUnderTest(build_detector(settings, model)), settings.capture.max_side
    large, small = moving_test_image(3840, 2160), moving_test_image(854, 480)

    def see(view: Iterator[Image]) -> None:
        lane.see(orient(next(view), rotate=0, mirror=False, max_side=max_side))

    pairs = interleave(timed(lambda: see(large), _FRAMES), timed(lambda: see(small), _FRAMES), samples)
    return Figure.median("pipeline.source_4k_over_480p", pairs.ratios, "ratio", at_most(1.15))


def still_view_work_ratio(settings: Settings, model: ImageTextModel, samples: int) -> Figure:
    """Time a frame where nothing moves but noise, over that where everything does; a second at a time."""
    # Two, because the static-scene check remembers the frames before.
    lanes = [PipelineUnderTest(build_detector(settings, model)) for _ in range(2)]
    views = [resting(1280, 720), moving_test_image(1280, 720)]
    rest, move = (
        # Bound as defaults: a closure would see the last pair in both.
        timed(lambda lane=lane, view=view: lane.see(next(view)), int(FRAMES_PER_S))  # type: ignore[misc]
        for lane, view in zip(lanes, views, strict=True)
    )
    pairs = interleave(rest, move, samples)
    return Figure.median("pipeline.still_view_work_ratio", pairs.ratios, "ratio", at_most(0.07))
