"""The trained heads of the starter: from the backbone's features to a calibrated score for each hazard.

A score has two parts. The larger comes from the features: a multi-layer perceptron with one hidden layer of
rectified linear units over the mean-pooled last feature map, scaled to a fixed length. Nets trained from
several seeds stand side by side in one hidden layer, so that averaging them costs one matrix product. The
smaller part is the evidence of the classifier: the probability of the classes that are the hazard, by a fixed
table, as log-odds. It knows kinds of things of which the training pictures show few.

The file is made by `script/train_starter`; MODEL_CARD.md describes the training and its figures.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import WatchwordError

Matrix = NDArray[np.float32]

HEADS_FILE = Path(__file__).with_name("heads.npz")
"""The shipped heads."""
FEATURES = 1280
"""Channels of the backbone's last feature map."""
CLASSES = 1000
EVIDENCE_FLOOR = 1e-4
"""Smallest probability of a hazard's classes; below it the classifier's output is noise."""
FORMAT = 2
"""Of the file; raised with anything that an older reader would misread."""
SMALLEST_LENGTH = 1e-6
"""A feature vector shorter than this belongs to a dead network, not to a picture."""
_LONGEST_FILE = 16_000_000
"""Bytes; the shipped file has about three million."""


class HeadsError(WatchwordError):
    """The file is not an intact file of heads; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Weights of all heads; H hazards, K hidden units, D features.

    Standardisation of the features is folded into the hidden layer, the calibration of the scores (Platt,
    1999; one slope and one offset for all hazards) into the output layer: scores are calibrated log-odds.
    """

    hazards: tuple[str, ...]
    hidden_weight: Matrix
    """(K, D)"""
    hidden_bias: Matrix
    """(K,)"""
    output_weight: Matrix
    """(H, K)"""
    output_bias: Matrix
    """(H,)"""
    classes: Matrix
    """(H, CLASSES): 1 where a class is the hazard, else 0."""
    class_slope: Matrix
    """(H,): log-odds per log-odds of the hazard's classes."""
    threshold: Matrix
    """(H,): calibrated probability from which a hazard counts as shown, between 0 and 1."""
    centre: Matrix
    """(D,): mean unit feature vector of the training photographs. Embeddings are taken from there, so that
    unrelated views are at a cosine of about 0."""

    def __post_init__(self) -> None:
        hazards, hidden = len(self.hazards), self.hidden_bias.shape[0] if self.hidden_bias.ndim else 0
        shapes = {
            "hidden_weight": (hidden, FEATURES),
            "hidden_bias": (hidden,),
            "output_weight": (hazards, hidden),
            "classes": (hazards, CLASSES),
            "centre": (FEATURES,),
            **dict.fromkeys(("output_bias", "class_slope", "threshold"), (hazards,)),
        }
        # Checked here once, so that a damaged file is refused at the start and not by a wrong score later.
        _expect(hazards > 0 and len(set(self.hazards)) == hazards, "hazards are missing or named twice")
        _expect(hidden > 0, "no hidden units")
        for name, shape in shapes.items():
            array = getattr(self, name)
            _expect(array.shape == shape, f"{name} has the shape {array.shape}, not {shape}")
            _expect(bool(np.isfinite(array).all()), f"{name} holds numbers that are not finite")
        _expect(bool(((self.threshold > 0) & (self.threshold < 1)).all()), "a threshold is not in (0, 1)")

    def scores(self, pooled: Matrix, probabilities: Matrix) -> Matrix:
        """Calibrated log-odds (..., H) of pooled features (..., D) and class probabilities (..., CLASSES)."""
        hidden = np.maximum(scaled(pooled) @ self.hidden_weight.T + self.hidden_bias, 0)
        seen = hidden @ self.output_weight.T + self.output_bias
        return np.asarray(seen + self.class_slope * class_log_odds(probabilities, self.classes), np.float32)

    def embeddings(self, pooled: Matrix) -> Matrix:
        """Unit vectors (..., D) of pooled features (..., D)."""
        return unit(unit(pooled) - self.centre)


def scaled(pooled: Matrix) -> Matrix:
    """Features of length sqrt(D): bright or sharp pictures excite all channels alike, which says nothing."""
    return np.asarray(pooled * np.asarray(np.sqrt(FEATURES) / _length(pooled), np.float32), np.float32)


def class_log_odds(probabilities: Matrix, classes: Matrix) -> Matrix:
    """Log-odds of the classes of each hazard: (..., CLASSES) to (..., H)."""
    # Clipped on both sides: log-odds of 0 and 1 are infinite.
    share = np.clip(probabilities @ classes.T, EVIDENCE_FLOOR, 1 - EVIDENCE_FLOOR)
    return np.asarray(np.log(share / (1 - share)), np.float32)


def unit(rows: Matrix) -> Matrix:
    """Rows (..., D) of length 1."""
    return np.asarray(rows / _length(rows), np.float32)


def _length(rows: Matrix) -> Matrix:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(np.maximum(length, SMALLEST_LENGTH), np.float32)


def read_heads(path: Path = HEADS_FILE) -> Heads:
    """The heads in a file written by `heads_bytes`. Raises HeadsError."""
    try:
        _expect(path.stat().st_size <= _LONGEST_FILE, "larger than any file of heads")
        with np.load(path, allow_pickle=False) as arrays:
            return _heads(dict(arrays))
    except OSError as error:
        raise HeadsError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (HeadsError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise HeadsError(f"{path}: not an intact file of heads ({error})") from error


def heads_bytes(heads: Heads) -> bytes:
    """A file of heads: a plain npz, matrices as float16; the same heads give the same bytes."""
    arrays: dict[str, NDArray[Any]] = {"format": np.array(FORMAT), "hazards": np.array(heads.hazards)}
    for name in _ARRAYS:
        array = getattr(heads, name)
        arrays[name] = array.astype(np.float16 if array.ndim == 2 else np.float32)
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for options
    return stream.getvalue()


_ARRAYS = tuple(field.name for field in fields(Heads) if field.name != "hazards")


def _heads(arrays: dict[str, NDArray[Any]]) -> Heads:
    _expect(arrays.keys() == {"format", "hazards", *_ARRAYS}, "arrays are missing or unknown")
    _expect(arrays["format"].shape == () and int(arrays["format"]) == FORMAT, "another format")
    names = arrays["hazards"]
    _expect(names.ndim == 1 and names.dtype.kind == "U", "hazards are no list of names")
    for name in _ARRAYS:
        _expect(arrays[name].dtype.kind == "f", f"{name} holds no numbers")
    return Heads(
        hazards=tuple(map(str, names)), **{name: arrays[name].astype(np.float32) for name in _ARRAYS}
    )


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise HeadsError(otherwise)
