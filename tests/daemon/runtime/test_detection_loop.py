"""The hot loop: a detector whose numbers are none is told of, and counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from capture.frame import Frame, Image
from daemon.core.black_box import BlackBox
from daemon.core.core import Core
from daemon.core.messages import CoreTick, Effect, Record
from daemon.runtime.detection_loop import DetectionLoop
from daemon.runtime.engine import CoreRunner
from daemon.runtime.metrics import Metrics
from pipeline.detection.detector import Detector
from pipeline.types import Encoding, PromptSet
from tests.fakes import ColourModel, Logistic, core_spec, plain

FPS = 25


class Sick(ColourModel):
    """Answers with numbers that are none for the frames from `ill` until `well`."""

    def __init__(self, ill: int, well: int) -> None:
        self.seen, self.ill, self.well = 0, ill, well

    def encode(self, image: Image) -> Encoding:
        self.seen += 1
        encoding = super().encode(image)
        return Encoding(encoding.embedding * np.nan) if self.ill < self.seen <= self.well else encoding


class Lane:
    """A watcher over so many frames, on a clock that follows them."""

    def __init__(self, model: ColourModel, frames: int) -> None:
        self.now, self._left, self._seq = 0.0, frames, 0
        self.recorded: list[dict[str, Any]] = []
        names = [h.name for h in core_spec().hazards]
        bank = model.bind(PromptSet(tuple((n, (n,)) for n in names), ()))
        self.mind = CoreRunner(BlackBox(Core(core_spec())), lambda: self.now)
        self.mind.attach(self._perform)
        assessor = Detector(model, bank, Logistic())
        self.watcher = DetectionLoop(
            self, assessor, self.mind, Metrics(), lambda: self.now, lambda: None, 1.0
        )

    def pop(self, timeout_s: float) -> Frame | None:
        if self.closed:
            return None
        self._left -= 1
        self._seq += 1
        self.now = self._seq / FPS
        return Frame(plain((0, 0, 255)), (32, 32), self._seq, self.now, "test")

    @property
    def closed(self) -> bool:
        return self._left == 0

    def _perform(self, effect: Effect, timing: object) -> None:
        if isinstance(effect, Record):
            self.recorded.append({"kind": effect.event.kind, **effect.event.fields})

    def of_detector(self) -> list[str]:
        return [r["reason"] for r in self.recorded if r["kind"] == "health" and r["component"] == "detector"]


def test_numbers_that_are_none_are_dropped_counted_and_told() -> None:
    lane = Lane(Sick(25, 100), 600)
    lane.watcher.run()
    assert (lane.watcher.not_finite, lane.watcher.assessed) == (75, 525)
    assert lane.of_detector() == ["failed", "ok"]
    assert np.isfinite(lane.mind.read(lambda core: core.alert_policy.smoothed)).all()


def test_a_single_glitch_is_counted_and_not_told() -> None:
    lane = Lane(Sick(25, 26), 200)
    lane.watcher.run()
    assert lane.watcher.not_finite == 1
    assert lane.of_detector() == []


def test_a_detector_that_fails_from_the_start_is_told_of() -> None:
    lane = Lane(Sick(0, 10_000), 100)
    lane.watcher.run()
    assert lane.watcher.assessed == 0
    assert lane.of_detector() == ["failed"]


def test_a_detector_that_hangs_is_told_of_and_so_is_that_it_goes_on() -> None:
    supervised: list[Lane] = []

    class Slow(ColourModel):
        """Hangs in the 50th frame, until whoever supervises has had time to see it."""

        seen = 0

        def encode(self, image: Image) -> Encoding:
            self.seen += 1
            if self.seen == 50:
                (lane,) = supervised
                for silent_s in (2.5, 3.5, 4.5):
                    lane.now += 1
                    lane.watcher.on_hung(silent_s)
                    lane.mind.step(CoreTick())
                assert lane.of_detector() == ["hung"], "told while it hangs"
            return super().encode(image)

    supervised.append(Lane(Slow(), 600))
    supervised[0].watcher.run()
    assert supervised[0].of_detector() == ["hung", "ok"]


def test_the_core_is_swapped_between_two_frames() -> None:
    lane = Lane(ColourModel(), 50)
    swapped: list[bool] = []
    bank = ColourModel().bind(PromptSet((("fire", ("fire",)),), ()))
    lane.watcher.replace_detector(Detector(ColourModel(), bank, Logistic()), lambda: swapped.append(True))
    assert swapped == [True]
