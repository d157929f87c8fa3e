"""The danger lane at full rate beside other work, against the lane alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from capture.test_image import moving_test_image
from daemon.bench.harness import Figure, Pairs, Target, interleave, percentile
from daemon.bench.pipeline_under_test import PipelineUnderTest
from daemon.config.settings import Settings
from daemon.wiring.detector import build_detector
from pipeline.models.base import ImageTextModel

FRAMES = 40
"""Of one half of a pair."""


class LaneBeside:
    """Interleaved pairs of `FRAMES` frames alone and as many while `working` is entered."""

    def __init__(
        self,
        settings: Settings,
        model: ImageTextModel,
        working: Callable[[], AbstractContextManager[None]],
        samples: int,
    ) -> None:
        self._lane = PipelineUnderTest(build_detector(settings, model))
        self._view = moving_test_image(1280, 720)
        self._alone: list[float] = []
        self._beside: list[float] = []

        def beside() -> float:
            with working():
                return self._frames(self._beside)

        # Seconds alone over seconds beside work are frames a second beside work over those alone.
        self._pairs: Pairs = interleave(lambda: self._frames(self._alone), beside, samples)

    @property
    def beside_s(self) -> float:
        """Seconds of the frames beside the work."""
        return sum(self._beside)

    def figures(self, prefix: str, what: str, fps: Target, p99: Target) -> Iterator[Figure]:
        """Frames a second, and the slowest frame in a hundred, beside over alone; `what` names the work."""
        yield Figure.median(f"{prefix}.fps_ratio", self._pairs.ratios, "ratio", fps, what)
        yield self._slowest(f"{prefix}.p99_ratio", what, p99)

    def _frames(self, into: list[float]) -> float:
        started = time.perf_counter()
        for _ in range(FRAMES):
            before = time.perf_counter()
            self._lane.see(next(self._view))
            into.append(time.perf_counter() - before)
        return time.perf_counter() - started

    def _slowest(self, name: str, what: str, target: Target) -> Figure:
        """Median over the pairs of the slowest frame in a hundred, beside over alone."""
        count = len(self._pairs.ratios)
        # What the warm-up measured is left out.
        alone, beside = self._alone[-count * FRAMES :], self._beside[-count * FRAMES :]
        cuts = [slice(i * FRAMES, (i + 1) * FRAMES) for i in range(count)]
        ratios = [percentile(beside[cut], 99) / percentile(alone[cut], 99) for cut in cuts]
        alone_ms, beside_ms = (percentile(frames, 99) * 1e3 for frames in (self._alone, self._beside))
        note = f"p99 {alone_ms:.0f} ms alone, {beside_ms:.0f} ms {what}"
        return Figure.median(name, ratios, "ratio", target, note)
