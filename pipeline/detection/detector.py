"""Turns a frame into its assessment: resize, encode, score, calibrate. Runs on every frame."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame, Image
from common.errors import WatchwordError
from pipeline.alerting.baseline import BaselineFilter
from pipeline.detection.static_scene import StaticSceneCheck
from pipeline.models.base import ImageTextModel, PromptBank, Scores
from pipeline.models.preprocess import crops
from pipeline.types import Assessment, Direction, Encoding, PartReading, Probabilities

ScoredImage = tuple[Encoding, Probabilities]

_DIRECTIONS = (Direction.LEFT, Direction.AHEAD, Direction.RIGHT)
"""The directions of the parts of an encoding, in their order."""


class NotFiniteError(WatchwordError):
    """The model's numbers for a picture are not finite: it cannot be assessed. The next one may be fine."""


class Calibrated(Protocol):
    """Turns raw scores into probabilities, both of shape (H,)."""

    def probabilities(self, scores: Scores) -> Probabilities: ...


class Detector:
    """One model, its bound prompts and their calibration. Used by one thread."""

    def __init__(
        self,
        model: ImageTextModel,
        bank: PromptBank,
        calibration: Calibrated,
        stillness: StaticSceneCheck | None = None,
        baseline: BaselineFilter | None = None,
    ) -> None:
        """`baseline`: the score of each hazard in the camera's ordinary view, which is subtracted."""
        self._model = model
        self._bank = bank
        self._calibration = calibration
        self._stillness = stillness
        self._baseline = baseline
        self._last: ScoredImage | None = None
        self.encoded = 0
        """Encodings so far, crops of frames included."""
        self.broken = 0
        """Pictures and parts so far whose numbers were not finite."""

    def assess(self, frame: Frame, focus: Direction | None = None) -> Assessment:
        """Score the whole frame and, with `focus`, parts of it.

        A model whose features keep their place scores all parts at no further cost. For other models the part
        that `focus` names is cropped and encoded too.

        Raises NotFiniteError if the frame's numbers are not finite. A part whose numbers are not finite is
        left out.
        """
        encoding, probabilities = self._score_frame(frame)
        parts: tuple[PartReading, ...] = ()
        if focus is not None:
            parts = self._split(encoding) if encoding.parts else self._crop(frame.image, focus)
        if self._baseline is not None:
            # After the parts: directions compare parts with each other, where a common baseline cancels out.
            probabilities = self._baseline.subtract(probabilities, frame.captured_at_s)
        return Assessment(frame.seq, frame.captured_at_s, encoding.whole, probabilities, parts)

    def score_image(self, image: Image) -> ScoredImage:
        """Return the encoding and the calibrated probabilities of one picture. Raises NotFiniteError."""
        self.encoded += 1
        encoding = self._model.encode(image)
        self._require_finite(encoding.embedding)
        return encoding, self._probabilities(encoding)

    def _score_frame(self, frame: Frame) -> ScoredImage:
        """Return the last result if the view has not changed since, else a new one."""
        still = self._stillness is not None and self._stillness.is_still(frame.image, frame.captured_at_s)
        if self._last is None or not still:
            # In case encoding fails: a still view must not use the result of an older picture.
            self._last = None
            self._last = self.score_image(frame.image)
        return self._last

    def _split(self, encoding: Encoding) -> tuple[PartReading, ...]:
        readings = []
        for direction, part in zip(_DIRECTIONS, encoding.parts, strict=True):
            try:
                readings.append(PartReading(direction, self._probabilities(part)))
            except NotFiniteError:
                continue
        return tuple(readings)

    def _crop(self, image: Image, focus: Direction) -> tuple[PartReading, ...]:
        try:
            return (PartReading(focus, self.score_image(crops(image)[focus])[1]),)
        except NotFiniteError:
            return ()

    def _probabilities(self, encoding: Encoding) -> Probabilities:
        probabilities = self._calibration.probabilities(self._bank.scores(encoding))
        self._require_finite(probabilities)
        return probabilities

    def _require_finite(self, numbers: NDArray[np.float32]) -> None:
        if not np.isfinite(numbers).all():
            self.broken += 1
            raise NotFiniteError(f"{self._model.name} on {self._model.device}: numbers that are not finite")
