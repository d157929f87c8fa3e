"""From a frame to its assessment: resize, encode, score, calibrate. The hot path of the danger lane."""

from __future__ import annotations

from typing import Protocol

from capture.frame import Frame, Image
from capture.shrink import halved
from pipeline.image_text import ImageTextModel, Scores, TextBank
from pipeline.preprocess import crops, fitted
from pipeline.stillness import Stillness
from pipeline.types import Assessment, CropReading, Direction, Embedding, Probabilities

Look = tuple[Embedding, Probabilities]


class Calibrated(Protocol):
    """Turns raw scores into probabilities, both of shape (H,)."""

    def probabilities(self, scores: Scores) -> Probabilities: ...


class Assessor:
    """One model, its bound prompts and their calibration. Used by one thread."""

    def __init__(
        self,
        model: ImageTextModel,
        bank: TextBank,
        calibration: Calibrated,
        stillness: Stillness | None = None,
    ) -> None:
        self._model = model
        self._bank = bank
        self._calibration = calibration
        self._stillness = stillness
        self._last: Look | None = None
        self.encoded = 0
        """Encodings so far, parts of frames included."""

    def assess(self, frame: Frame, focus: Direction | None = None) -> Assessment:
        """Score the whole frame and, where `focus` names one, that part of it too."""
        embedding, probabilities = self._whole(frame)
        reading = None
        if focus is not None:
            reading = CropReading(focus, self.look(crops(frame.image)[focus])[1])
        return Assessment(frame.seq, frame.captured_at_s, embedding, probabilities, reading)

    def _whole(self, frame: Frame) -> Look:
        image = self._reduced(frame.image)
        still = self._stillness is not None and self._stillness.still(image, frame.captured_at_s)
        if not still or self._last is None:
            self._last = self.look(image)
        return self._last

    def _reduced(self, image: Image) -> Image:
        """Halved as the model would do first anyway, so that looking for stillness costs next to nothing."""
        return halved(image, *fitted(image, *self._model.input_size))

    def look(self, image: Image) -> Look:
        """Embedding and calibrated probabilities of one picture."""
        self.encoded += 1
        embedding = self._model.encode(image)
        return embedding, self._calibration.probabilities(self._bank.scores(embedding))
