"""Raw scores become probabilities: two numbers a hazard (Platt, 1999), kept in a small readable file."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from common.atomic_file import write
from common.errors import WatchwordError
from pipeline.models.base import Scores
from pipeline.models.prompts import hazard_fingerprints
from pipeline.types import Probabilities, PromptSet

log = logging.getLogger(__name__)


class CalibrationError(WatchwordError):
    """A calibration cannot be used; the message names it and the cure."""


class FitQuality(BaseModel, frozen=True, extra="forbid"):
    """Figures of a line, each photograph scored by a line made without its source."""

    pictures: int
    """Photographs of the hazard, and from how many sources."""
    sources: int
    harmless: int
    """Photographs without it."""
    recall: float
    """At the threshold it was fitted for, one half."""
    false_alarms: int
    """Of those without it."""
    auc: float | None
    log_loss: float | None
    """In nats, photographs with and without it weighing the same."""


class Fit(BaseModel, frozen=True, extra="forbid"):
    """The calibration of one hazard: probability = 1 / (1 + exp(-(slope * score + offset)))."""

    slope: float = Field(gt=0, allow_inf_nan=False)
    offset: float = Field(allow_inf_nan=False)
    threshold: float = Field(ge=0, le=1)
    """Probability from which it counts as seen, in footage."""
    picture_threshold: float | None = Field(None, ge=0, le=1)
    """The same in a single picture; None: as in footage. Footage shows a thing again and again, and each look
    may be mistaken, so that it has to be surer.
    """
    fingerprint: str = ""
    """Of the model and the prompts it was fitted for."""
    provenance: str = ""
    """A description of the data it was fitted to."""
    measured: FitQuality | None = None
    """Set if slope and offset were fitted to labelled pictures (`watchword calibrate --labelled`)."""


class Provenance(BaseModel, frozen=True, extra="forbid"):
    """The origin of a user's own thresholds."""

    method: str
    source: str
    """The footage, credentials left out."""
    seconds: float
    frames: int
    false_alerts_per_hour: float
    """The budget that was asked for."""
    made_at: str
    made_by: str
    """Version of the program."""


class CalibrationTable(BaseModel, frozen=True, extra="forbid"):
    """A calibration file: one model, one fit a hazard, and one for hazards that have none of their own."""

    version: Literal[1] = 1
    model: str
    model_fingerprint: str
    generic: Fit
    hazards: Mapping[str, Fit] = {}
    made: Provenance | None = None
    """The origin of the thresholds; None if they were not fitted to a user's own footage."""

    def bind(self, model: str, model_fingerprint: str, prompts: PromptSet) -> Calibration:
        """The fits in the order of the prompts' hazards.

        A hazard without a fit for exactly its prompts (one of the user's own, or a built-in one with other
        words) gets the generic fit, which is logged. Raises CalibrationError for another model.
        """
        self.require(model, model_fingerprint)
        marks = zip(prompts.names, hazard_fingerprints(model_fingerprint, prompts), strict=True)
        fits = [self._fit(name, mark) for name, mark in marks]
        generic = [name for name, fit in zip(prompts.names, fits, strict=True) if fit is self.generic]
        if generic and self.hazards:  # a table without any fit is generic on purpose, and said so when made
            log.warning(
                "not calibrated, or with other prompts than they were calibrated with: %s; the generic "
                "calibration is used for them",
                ", ".join(generic),
            )
        return Calibration.of(prompts.names, fits)

    def require(self, model: str, model_fingerprint: str) -> None:
        """Raises CalibrationError if it was made for another model, or for another version of it.

        A shipped calibration fits the model as it is pulled: the model is at fault, and calibrating a damaged
        model would only hide the damage.
        """
        if (model, model_fingerprint) == (self.model, self.model_fingerprint):
            return
        remedy = "make a new one with `watchword calibrate`"
        if model == self.model:
            remedy = (
                f"the model may be damaged: `watchword models verify {model}` tells, "
                f"`watchword models pull {model}` mends it"
            )
        raise CalibrationError(
            f"the calibration was made for model {self.model} ({self.model_fingerprint[:12]}), not for "
            f"{model} ({model_fingerprint[:12]}); {remedy}"
        )

    def mismatched(self, model_fingerprint: str, prompts: PromptSet) -> tuple[str, ...]:
        """The hazards that have no fit here for exactly their words."""
        marks = zip(prompts.names, hazard_fingerprints(model_fingerprint, prompts), strict=True)
        return tuple(
            name for name, mark in marks if name not in self.hazards or self.hazards[name].fingerprint != mark
        )

    def unmeasured(self) -> tuple[str, ...]:
        """The hazards with words whose slope and offset were never fitted to labelled pictures."""
        return tuple(name for name, fit in self.hazards.items() if fit.fingerprint and not fit.measured)

    def measured(self) -> bool:
        """True if there is a hazard with words and all of them were fitted."""
        return not self.unmeasured() and any(fit.measured for fit in self.hazards.values())

    def _fit(self, name: str, fingerprint: str) -> Fit:
        own = self.hazards.get(name)
        return own if own is not None and own.fingerprint == fingerprint else self.generic

    def write(self, path: Path) -> None:
        """Atomic, and on the disk when it returns. Raises OSError."""
        write(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """The file's content."""
        return (self.model_dump_json(indent=1) + "\n").encode()


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Fits bound to hazards: arrays of shape (H,)."""

    names: tuple[str, ...]
    slopes: NDArray[np.float32]
    offsets: NDArray[np.float32]
    thresholds: Probabilities
    picture_thresholds: Probabilities
    measured: frozenset[str] = frozenset()
    """The hazards whose fit was measured on labelled pictures."""

    @classmethod
    def of(cls, names: tuple[str, ...], fits: list[Fit]) -> Calibration:
        slopes, offsets, thresholds = (
            np.array([getattr(fit, part) for fit in fits], np.float32)
            for part in ("slope", "offset", "threshold")
        )
        pictures = [fit.threshold if fit.picture_threshold is None else fit.picture_threshold for fit in fits]
        measured = frozenset(name for name, fit in zip(names, fits, strict=True) if fit.measured)
        return cls(names, slopes, offsets, thresholds, np.array(pictures, np.float32), measured)

    def probabilities(self, scores: Scores) -> Probabilities:
        """Scores of shape (..., H) to probabilities of the same shape, 0 to 1, rising with the score."""
        # The logistic function by tanh, which cannot overflow as exp can.
        return np.asarray(0.5 * (1 + np.tanh(0.5 * (self.slopes * scores + self.offsets))), np.float32)


def read_calibration(path: Path) -> CalibrationTable:
    """Raises CalibrationError if the file is missing or not a calibration."""
    try:
        return CalibrationTable.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise CalibrationError(
            f"{path}: not a calibration ({where}: {first['msg']}); make a new one with `watchword calibrate`"
        ) from error


def shipped_starter() -> CalibrationTable:
    """The calibration that comes with the starter model."""
    text = files("pipeline.models.starter").joinpath("calibration.json").read_text(encoding="utf-8")
    return CalibrationTable.model_validate(json.loads(text))
