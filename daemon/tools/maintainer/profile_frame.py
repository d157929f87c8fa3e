"""Prints where the time of a frame goes, from a picture in its source's size to the core's decision.

The steps run on the same objects as in the daemon, with a clock between them. Each frame follows a pause, as
a camera leaves one: back to back, the network's threads would never go to sleep, and waking them is part of a
frame's time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np

from capture.frame import Image
from capture.orient import orient
from capture.test_image import draw_test_image, moving_test_image
from daemon.config.settings import Settings, load
from daemon.core.core import Core
from daemon.core.messages import Assessed
from daemon.tools.maintainer.printing import print_lines
from daemon.wiring.detector import build_detector, enabled_hazards
from daemon.wiring.models import load_model
from daemon.wiring.store import open_calibrations
from pipeline.alerting.baseline import BaselineFilter
from pipeline.detection.scorer import build_scorer
from pipeline.detection.static_scene import StaticSceneCheck
from pipeline.models.preprocess import letterbox
from pipeline.types import Assessment, Encoding

FRAMES_PER_S = 25.0
SIZES = {"480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
PAUSE_S = 0.01
"""The rest of a camera's 33 ms after the network's part."""
WARM_UP = 10
"""Frames that are not counted."""
COMPARE = "compare with the last picture"

Steps = dict[str, list[float]]
"""Milliseconds of each step, one for each frame that had it."""


class FrameProfile:
    """Takes pictures through the steps of the detection loop and records the time of each step."""

    def __init__(self, settings: Settings) -> None:
        """Raises as `load_model` and `build_detector` do."""
        self._max_side = settings.capture.max_side
        self._model = load_model(settings)
        hazards, calibrations = enabled_hazards(settings), open_calibrations(settings)
        self._scorer = build_scorer(self._model, hazards, calibrations, settings.paths.state)
        spec = build_detector(settings, self._model).spec
        self._core = Core(spec)
        self._baseline = BaselineFilter(settings.pipeline.usual_s, [one.threshold for one in spec.hazards])
        self._check = StaticSceneCheck(settings.pipeline.still_level, settings.pipeline.still_s)
        self._encoding: Encoding | None = None
        self._seq = 0
        self._last_s = 0.0
        self.steps: Steps = {}

    def see(self, source: Image) -> None:
        """Process the next picture."""
        self._seq += 1
        now = self._seq / FRAMES_PER_S
        self._last_s = time.perf_counter()
        image = orient(source, rotate=0, mirror=False, max_side=self._max_side)
        self._record("limit the size")
        still = self._check.is_still(image, now)
        self._record(COMPARE)
        encoding = self._encoding
        if encoding is None or not still:
            size = self._model.input_size(image.shape[1], image.shape[0])
            prepared = letterbox(image, *size)
            self._record("resize for the network")
            # The picture has the network's size already, so that this resizes nothing.
            encoding = self._encoding = self._model.encode(prepared)
            self._record("network and heads")
        probabilities = self._scorer.calibration.probabilities(self._scorer.bank.scores(encoding))
        probabilities = self._baseline.subtract(probabilities, now)
        self._record("score, calibrate, baseline")
        self._core.step(Assessed(Assessment(self._seq, now, encoding.whole, probabilities)), now)
        self._record("core's step")

    def _record(self, step: str) -> None:
        self.steps.setdefault(step, []).append(1e3 * (time.perf_counter() - self._last_s))
        self._last_s = time.perf_counter()


def report(settings: Settings, size: str, frames: int) -> Iterator[str]:
    """The table of a moving view, then of a still one."""
    still = draw_test_image(*SIZES[size])
    for name, view in (("moving", moving_test_image(*SIZES[size])), ("still", cycle([still, still.copy()]))):
        profile = FrameProfile(settings)
        for number in range(WARM_UP + frames):
            if number == WARM_UP:
                profile.steps.clear()
            time.sleep(PAUSE_S)
            profile.see(next(view))
        yield f"{name} view, {size}, mean of {frames} frames"
        yield from table(profile.steps, frames)


def table(steps: Steps, frames: int) -> Iterator[str]:
    """One line a step: milliseconds a frame and the share of the frame's time."""
    means = {step: typical(values) * len(values) / frames for step, values in steps.items()}
    whole = sum(means.values())
    for step, mean in means.items():
        yield f"  {step:<30} {mean:7.3f} ms {mean / whole:6.1%}"
    yield f"  {'frame':<30} {whole:7.3f} ms"


def typical(values: Sequence[float]) -> float:
    """The mean without the slowest twentieth, which on a busy machine would decide."""
    # Not the median: some steps do nothing in most frames, and much in a few.
    kept = np.asarray(values)
    return float(kept[kept <= np.percentile(kept, 95)].mean())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="profile_frame", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="720p", help="of the source's pictures")
    parser.add_argument("--frames", type=int, default=200)
    options = parser.parse_args(arguments)
    return print_lines(report(load(None, os.environ, {}).settings, options.size, options.frames))


if __name__ == "__main__":
    sys.exit(main())
