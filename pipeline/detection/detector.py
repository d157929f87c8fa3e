"""From a frame to its assessment: resize, encode, score, calibrate. The hot path of the danger lane."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame, Image
from common.errors import WatchwordError
from pipeline.alerting.baseline import BaselineFilter
from pipeline.detection.flame import FlameDetector, boost_fire
from pipeline.detection.new_object import NewObjectDetector, Region
from pipeline.detection.static_scene import StaticSceneCheck
from pipeline.detection.thumbnail import POINTS, thumbnail
from pipeline.models.base import ImageTextModel, PromptBank, Scores
from pipeline.models.preprocess import crops, fitted, reduced
from pipeline.types import Assessment, CropReading, Direction, Embedding, Probabilities

Look = tuple[Embedding, Probabilities]

COMPARE_S = 0.09
"""Seconds from one comparison with earlier pictures to the next: nothing comes into a view any faster."""

STRICTNESS = 1.0
"""Log-odds by which a part alone must show a danger more clearly than a whole picture."""


class NotFiniteError(WatchwordError):
    """The model's numbers for a picture are not finite: nothing can be said of it. The next may be fine."""


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
        arriving: Collection[str] = (),
        glowing: Mapping[str, str] | None = None,
        usual: BaselineFilter | None = None,
    ) -> None:
        """`arriving`: the hazards that come into a still view, for which what has come is looked at alone.

        `glowing`: the hazards that glow, each with the one that shows it from afar: a fire by its smoke.
        `usual`: what the camera's normal view shows of each hazard, which is taken off.
        """
        self._model = model
        self._bank = bank
        self._calibration = calibration
        self._stillness = stillness
        self._usual = usual
        self._arriving = np.array([name in arriving for name in bank.names], np.bool_)
        self._arrivals = NewObjectDetector() if self._arriving.any() else None
        column = {name: i for i, name in enumerate(bank.names)}
        pairs = (glowing or {}).items()
        self._glowing = [(column[a], column[b]) for a, b in pairs if a in column and b in column]
        self._glow = FlameDetector() if self._glowing else None
        self._last: Look | None = None
        self._come: Probabilities | None = None
        self._glows = False
        self._compared_s = -math.inf
        self._turn = False
        self.encoded = 0
        """Encodings so far, parts of frames included."""
        self.broken = 0
        """Of these, the ones whose numbers were not finite."""

    def assess(self, frame: Frame, focus: Direction | None = None) -> Assessment:
        """Score the whole frame and at most one part of it.

        That is the one `focus` names or the one where something has come into view; both in turn where there
        are both. What has come enters the frame's probabilities, where it shows a hazard the more clearly.

        Raises NotFiniteError where nothing can be said of the frame; a part of which nothing can be said is
        left out.
        """
        image = self._reduced(frame.image)
        points = thumbnail(image)
        still = self._stillness is not None and self._stillness.is_still(points, frame.captured_at_s)
        looked = (self._last is None or not still) and self._look_again(frame, image, points, focus)
        reading = None
        if focus is not None and not looked:
            part = self._part(crops(frame.image)[focus])
            reading = None if part is None else CropReading(focus, part)
        assert self._last is not None
        embedding, probabilities = self._last
        if self._come is not None:
            probabilities = np.maximum(probabilities, self._come)
        if self._usual is not None:
            probabilities = self._usual.subtract(probabilities, frame.captured_at_s)
        return Assessment(frame.seq, frame.captured_at_s, embedding, probabilities, reading)

    def _look_again(self, frame: Frame, image: Image, points: Image, focus: Direction | None) -> bool:
        """True where a part was looked at beside the whole; both pictures are the frame reduced."""
        self._last = None  # until there is a new one: a still view must not rest on an older picture
        embedding, probabilities = self.score_image(image)
        part = None
        if not 0 <= frame.captured_at_s - self._compared_s < COMPARE_S:
            part = self._compare(points, frame.captured_at_s)
        self._last = embedding, self._lit(probabilities) if self._glows else probabilities
        self._turn = part is not None and not (self._turn and focus is not None)
        if part is not None and self._turn:
            come = self._part(part.cut(frame.image, *self._model.input_size))
            self._come = self._come if come is None else self._stricter(come)
        return self._turn

    def _part(self, image: Image) -> Probabilities | None:
        try:
            return self.score_image(image)[1]
        except NotFiniteError:
            return None

    def _compare(self, points: Image, now: float) -> Region | None:
        """What has changed in the view: whether something glows, and the part where something has come."""
        self._compared_s = now
        self._glows = self._glow is not None and self._glow.step(points, now)
        part = self._arrivals.find(points, now) if self._arrivals else None
        if part is None:
            self._come = None
        return part

    def _lit(self, probabilities: Probabilities) -> Probabilities:
        """What a glow means for the hazards that glow."""
        lit = probabilities.copy()
        for one, sign in self._glowing:
            lit[one] = boost_fire(float(lit[one]), float(lit[sign]))
        return lit

    def _stricter(self, probabilities: Probabilities) -> Probabilities:
        """Of what comes by itself only, its log-odds lowered by STRICTNESS."""
        odds_against = (1 - probabilities) * np.float32(math.exp(STRICTNESS))
        return np.asarray(self._arriving * probabilities / (probabilities + odds_against), np.float32)

    def _reduced(self, image: Image) -> Image:
        """Made smaller as the model would do first anyway, so that comparing costs next to nothing."""
        width, height = (max(side, POINTS // 2) for side in self._model.input_size)
        return reduced(image, *fitted(image, width, height))

    def score_image(self, image: Image) -> Look:
        """Embedding and calibrated probabilities of one picture. Raises NotFiniteError."""
        self.encoded += 1
        embedding = self._finite(self._model.encode(image))
        return embedding, self._finite(self._calibration.probabilities(self._bank.scores(embedding)))

    def _finite(self, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        if not np.isfinite(numbers).all():
            self.broken += 1
            raise NotFiniteError(f"{self._model.name} on {self._model.device}: numbers that are not finite")
        return numbers
