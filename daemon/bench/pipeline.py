"""What the danger lane costs beside the bare network, and what more hazards or pixels add."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from capture.orient import orient
from daemon import app
from daemon.bench.harness import Figure, at_least, at_most, interleave, timed, unmeasured
from daemon.bench.lane import Lane, picture
from daemon.settings import Settings
from pipeline.image_text import ImageTextModel
from pipeline.settings import HazardSettings


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    model = app.load_model(settings)
    yield over_raw(settings, model, samples)
    yield hazards_1000_over_10(settings, model, samples)
    yield source_4k_over_480p(settings, model, samples)


@runtime_checkable
class BareNetwork(Protocol):
    """A model whose network can be run without what we do before and after it."""

    def infer(self, picture: Image) -> NDArray[np.float32]: ...


def over_raw(settings: Settings, model: ImageTextModel, samples: int) -> Figure:
    """Frames a second of the whole lane from a bounded 720p picture, over those of the network alone."""
    name, target = "pipeline.over_raw", at_least(0.9)
    if not isinstance(model, BareNetwork):
        return unmeasured(name, "ratio", target, f"{model.name} does not offer its bare network")
    bare, ready = model, picture(*model.input_size)
    lane, seen = Lane(app.build_detector(settings, model)), picture(1280, 720)
    pairs = interleave(timed(lambda: bare.infer(ready), 5), timed(lambda: lane.see(seen), 5), samples)
    return Figure.median(name, pairs.ratios, "ratio", target)


def hazards_1000_over_10(settings: Settings, model: ImageTextModel, samples: int) -> Figure:
    """Time a frame with a thousand hazards over that with ten."""
    logging.getLogger("pipeline.calibration").setLevel(
        logging.ERROR
    )  # none of them is calibrated, on purpose
    seen = picture(1280, 720)
    many, few = (Lane(_with_hazards(settings, model, count)) for count in (1000, 10))
    pairs = interleave(timed(lambda: many.see(seen), 5), timed(lambda: few.see(seen), 5), samples)
    return Figure.median("pipeline.hazards_1000_over_10", pairs.ratios, "ratio", at_most(1.1))


def _with_hazards(settings: Settings, model: ImageTextModel, count: int) -> app.Detector:
    hazards = {
        f"thing{n}": HazardSettings(prompts=(f"thing number {n}",), threshold=1.0) for n in range(count)
    }
    return app.build_detector(settings.model_copy(update={"hazards": hazards}), model)


def source_4k_over_480p(settings: Settings, model: ImageTextModel, samples: int) -> Figure:
    """Time a frame, bounding included, from a 4K source over that from a 480p source."""
    lane, max_side = Lane(app.build_detector(settings, model)), settings.capture.max_side
    large, small = picture(3840, 2160), picture(854, 480)

    def see(source: Image) -> None:
        lane.see(orient(source, rotate=0, mirror=False, max_side=max_side))

    pairs = interleave(timed(lambda: see(large), 5), timed(lambda: see(small), 5), samples)
    return Figure.median("pipeline.source_4k_over_480p", pairs.ratios, "ratio", at_most(1.25))
