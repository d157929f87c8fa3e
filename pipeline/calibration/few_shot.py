"""Hazards taught by pictures: their stored form, and how they are recognised beside words.

A picture resembles the examples where a kernel density over them exceeds one over harmless pictures: `s(e) =
log mean_i exp(B (e.p_i - 1)) - log mean_j exp(B (e.n_j - 1))` with unit embeddings. The kernel is that of
Tip-Adapter's cache (Zhang et al., ECCV 2022), here with a cache of harmless pictures too; the log-ratio of
two Parzen estimates is the Bayes score of the two classes. In standard deviations of harmless pictures'
scores it is added to the log-odds of the hazard's words. Words alone may still recognise it, so that teaching
takes nothing away.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from common import atomic_file
from common.errors import WatchwordError
from pipeline.calibration.table import Calibration
from pipeline.models.base import PromptBank, Scores
from pipeline.models.prompts import digest
from pipeline.types import Embedding, Encoding

FOLDER = "taught"
_FORGOTTEN = ".forgotten"
SHARPNESS = 4.0
"""B: an example at cosine 0.9 counts 0.67, one at 0.5 counts 0.14. In one trial on the starter's embedding 3
to 12 made little difference; no command repeats that trial yet.
"""
LOGIT_PER_DEVIATION = 2.0
"""Log-odds per standard deviation of the harmless, as in the calibration of words."""
UNSEEN = -12.0
"""Log-odds of a hazard nothing speaks for."""

Vectors = NDArray[np.float32]
"""Unit rows (N, D)."""


class TeachError(WatchwordError):
    """A lesson cannot be used or learnt; the message has the cure."""


class LabelledEmbedding(BaseModel, frozen=True, extra="forbid"):
    """One picture as the model saw it; the picture itself is not kept."""

    name: str
    vector: str
    """Unit embedding as little-endian float16, base64."""

    @classmethod
    def of(cls, name: str, embedding: Embedding) -> LabelledEmbedding:
        return cls(name=name, vector=base64.b64encode(embedding.astype("<f2").tobytes()).decode())


class Estimate(BaseModel, frozen=True, extra="forbid"):
    """Leave-one-out: each picture scored by the lessons of the others."""

    like: int
    recognised_by_words: int
    recognised: int
    unlike: int
    false_by_words: int
    false: int


class FewShotHazard(BaseModel, frozen=True, extra="forbid"):
    """A file of the folder `taught`: examples of one hazard, for exactly one model."""

    version: Literal[1] = 1
    hazard: str
    model: str
    model_fingerprint: str
    words: str
    """Fingerprint of the words it was taught beside; empty if it has none."""
    centre: float = Field(allow_inf_nan=False)
    """Mean score of harmless pictures."""
    deviation: float = Field(gt=0, allow_inf_nan=False)
    """Standard deviation of it."""
    boundary: float = Field(allow_inf_nan=False)
    """Combined log-odds at which the probability is one half."""
    estimate: Estimate
    made_at: str
    made_by: str
    like: tuple[LabelledEmbedding, ...] = Field(min_length=1)
    unlike: tuple[LabelledEmbedding, ...] = Field(min_length=1)

    @property
    def fingerprint(self) -> str:
        return digest(self.model_dump(mode="json", exclude={"estimate", "made_at", "made_by"}))

    def write(self, state: Path) -> Path:
        """Atomic. Raises OSError."""
        place = path_of(state, self.hazard)
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic_file.write(place, self.model_dump_json(indent=1) + "\n")
        # After the lesson is in place: a kill between the two leaves a mark too many and no lesson too few.
        place.with_suffix(_FORGOTTEN).unlink(missing_ok=True)
        return place


def path_of(state: Path, hazard: str) -> Path:
    """The file of a taught hazard."""
    return state / FOLDER / f"{hazard}.json"


def few_shot_names(state: Path) -> tuple[str, ...]:
    """The hazards that have been taught here, for any model; reads no file."""
    return tuple(sorted(path.stem for path in (state / FOLDER).glob("*.json")))


def forgotten_names(state: Path) -> tuple[str, ...]:
    """The hazards that were taught here once and then removed; reads no file."""
    return tuple(sorted(path.stem for path in (state / FOLDER).glob(f"*{_FORGOTTEN}")))


def forget(state: Path, hazard: str) -> bool:
    """Remove the lessons of a hazard; False if nothing was. Raises OSError.

    A mark stays, so that a section of the settings that leans on the lessons is recognised as such.
    """
    place = path_of(state, hazard)
    if not place.is_file():
        return False
    # The mark first: after a kill between the two nothing has been lost.
    place.with_suffix(_FORGOTTEN).touch()
    place.unlink()
    return True


def read_few_shot(path: Path) -> FewShotHazard:
    """Raises TeachError."""
    again = f"teach it again, or remove it with `watchword teach {path.stem} --remove`"
    try:
        taught = FewShotHazard.model_validate_json(path.read_bytes())
        lengths = {len(vector(one)) for one in (*taught.like, *taught.unlike)}
    except OSError as error:
        raise TeachError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise TeachError(f"{path}: nothing taught ({where}: {first['msg']}); {again}") from error
    except (ValueError, binascii.Error) as error:
        raise TeachError(f"{path}: holds a broken picture ({error}); {again}") from error
    if taught.hazard != path.stem or len(lengths) != 1:
        raise TeachError(f"{path}: is not what was taught of {path.stem}; {again}")
    return taught


def vector(example: LabelledEmbedding) -> Embedding:
    """The unit embedding. Raises ValueError."""
    row = np.frombuffer(base64.b64decode(example.vector, validate=True), "<f2").astype(np.float32)
    norm = float(np.linalg.norm(row))
    if not norm or not np.isfinite(norm):
        raise ValueError(f"{example.name} has no direction")
    # float16 rounds, so that the stored vector is a little longer or shorter than 1.
    return np.asarray(row / norm, np.float32)


def is_outdated(taught: FewShotHazard, model: str, fingerprint: str) -> bool:
    """True if it was taught to another model, or to another version of it: its pictures mean nothing here."""
    return (taught.model, taught.model_fingerprint) != (model, fingerprint)


def require_same_words(taught: FewShotHazard, words: str) -> None:
    """Raises TeachError if it was taught beside other words. `words`: the fingerprint of the present ones."""
    if taught.words != words:
        raise TeachError(
            f"hazard {taught.hazard} has other words than when it was taught; teach it again, or remove it "
            f"with `watchword teach {taught.hazard} --remove`"
        )


def density(affinities: NDArray[np.float64], sharpness: float = SHARPNESS) -> NDArray[np.float64]:
    """Log of the mean over the last axis, of cosines (..., N): the log of a Parzen estimate."""
    return np.asarray(np.log(np.exp(sharpness * (affinities - 1)).mean(-1)), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class KernelScore:
    """The lessons of one hazard, ready to be compared."""

    column: int
    centre: float
    deviation: float
    boundary: float
    like: Vectors
    unlike: Vectors

    @classmethod
    def of(cls, taught: FewShotHazard, column: int) -> KernelScore:
        rows = (np.stack([vector(one) for one in side]) for side in (taught.like, taught.unlike))
        return cls(column, taught.centre, taught.deviation, taught.boundary, *rows)

    def log_odds(self, embedding: Embedding, words: float) -> float:
        """Combined with the log-odds of its words, 0 if it has none."""
        cosines = (np.asarray(side @ embedding, np.float64) for side in (self.like, self.unlike))
        mine, theirs = (float(density(one)) for one in cosines)
        return words + LOGIT_PER_DEVIATION * (mine - theirs - self.centre) / self.deviation - self.boundary


class FewShotBank:
    """A `PromptBank` whose scores are log-odds already: words by their calibration, or pictures, the
    surer.
    """

    def __init__(
        self,
        names: Sequence[str],
        words: PromptBank,
        calibration: Calibration,
        taught: Iterable[FewShotHazard],
    ) -> None:
        """`names` are all hazards; one that is neither in `words` nor in `taught` is never recognised."""
        self.names = tuple(names)
        self._words, self._slopes, self._offsets = words, calibration.slopes, calibration.offsets
        self._columns = np.array([self.names.index(name) for name in words.names], np.intp)
        taught = tuple(taught)
        self._pictures = tuple(KernelScore.of(one, self.names.index(one.hazard)) for one in taught)
        self._worded = frozenset(self._columns.tolist())
        self.fingerprint = digest(words.fingerprint, [one.fingerprint for one in taught])

    def scores(self, encoding: Encoding) -> Scores:
        out = np.full(len(self.names), UNSEEN, np.float32)
        out[self._columns] = self._slopes * self._words.scores(encoding) + self._offsets
        for one in self._pictures:
            # Without words UNSEEN stands there, which would outweigh every picture.
            words = float(out[one.column]) if one.column in self._worded else 0.0
            # The larger: teaching must never make a hazard harder to recognise than by its words.
            out[one.column] = max(float(out[one.column]), one.log_odds(encoding.embedding, words))
        return out


def identity(
    names: Sequence[str], thresholds: Mapping[str, float], picture_thresholds: Mapping[str, float]
) -> Calibration:
    """The calibration of scores that are log-odds already."""
    count = len(names)
    return Calibration(
        tuple(names),
        np.ones(count, np.float32),
        np.zeros(count, np.float32),
        np.array([thresholds[name] for name in names], np.float32),
        np.array([picture_thresholds[name] for name in names], np.float32),
    )
