"""Trained heads for any image-text model: from its embedding to a calibrated score for each hazard.

The heads of the starter for embeddings of any width: a multi-layer perceptron with one hidden layer, nets
from several seeds side by side, standardisation and calibration (Platt, 1999) folded into the weights. They
are fitted by `watchword models fit` to pictures of the user's own and kept in the state folder.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import atomic_file
from common.errors import WatchwordError
from pipeline.models.base import (
    ImageTextModel,
    PromptBank,
    Scores,
    WrappedModel,
    unknown_hazards,
)
from pipeline.models.prompts import digest
from pipeline.types import Encoding, PromptSet

Matrix = NDArray[np.float32]
FOLDER = "heads"
FORMAT = 1
"""Of the file; raised with anything that an older reader would misread."""
# Bytes; bounds the memory that a wrong file in the state folder can take.
_LONGEST_FILE = 64_000_000


class EmbeddingHeadsError(WatchwordError):
    """The heads in the state folder cannot be used; the message has the cure."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingHeads:
    """Weights of all heads; H hazards, K hidden units, D the width of the embedding."""

    hazards: tuple[str, ...]
    model_fingerprint: str
    """Of the model whose embeddings they were fitted to."""
    hidden_weight: Matrix
    """(K, D)"""
    hidden_bias: Matrix
    """(K,)"""
    output_weight: Matrix
    """(H, K)"""
    output_bias: Matrix
    """(H,)"""

    def __post_init__(self) -> None:
        hazards, hidden = len(self.hazards), len(self.hidden_bias)
        shapes = {
            "hidden_weight": (hidden, self.hidden_weight.shape[-1]),
            "hidden_bias": (hidden,),
            "output_weight": (hazards, hidden),
            "output_bias": (hazards,),
        }
        _expect(0 < hazards == len(set(self.hazards)), "hazards are missing or named twice")
        for name, shape in shapes.items():
            array = getattr(self, name)
            _expect(array.shape == shape, f"{name} has the shape {array.shape}, not {shape}")
            _expect(bool(np.isfinite(array).all()), f"{name} holds numbers that are not finite")

    @property
    def fingerprint(self) -> str:
        weights = (getattr(self, name).tobytes().hex() for name in _ARRAYS)
        return digest(self.hazards, self.model_fingerprint, *weights)

    def scores(self, embeddings: Matrix) -> Matrix:
        """Calibrated log-odds (..., H) of unit embeddings (..., D)."""
        hidden = np.maximum(embeddings @ self.hidden_weight.T + self.hidden_bias, 0)
        return np.asarray(hidden @ self.output_weight.T + self.output_bias, np.float32)


_ARRAYS = tuple(one.name for one in fields(EmbeddingHeads) if one.name.startswith(("hidden", "output")))


def heads_path(state: Path, model: str) -> Path:
    """The file of a model's heads."""
    return state / FOLDER / f"{model}.npz"


def write_heads(heads: EmbeddingHeads, path: Path) -> None:
    """Atomic. Raises OSError."""
    arrays: dict[str, Any] = {name: getattr(heads, name) for name in _ARRAYS}
    stream = io.BytesIO()
    np.savez(
        stream,
        format=np.array(FORMAT),
        hazards=np.array(heads.hazards),
        model=np.array(heads.model_fingerprint),
        **arrays,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_file.write(path, stream.getvalue())


def read_embedding_heads(path: Path) -> EmbeddingHeads:
    """Raises EmbeddingHeadsError."""
    try:
        # Caught below, where the path and the cure are added.
        _expect(path.stat().st_size <= _LONGEST_FILE, "larger than any file of heads")
        with np.load(path, allow_pickle=False) as stored:
            _expect(int(stored["format"]) == FORMAT, "another format")
            return EmbeddingHeads(
                hazards=tuple(map(str, stored["hazards"])),
                model_fingerprint=str(stored["model"]),
                **{name: np.asarray(stored[name], np.float32) for name in _ARRAYS},
            )
    except OSError as error:
        raise EmbeddingHeadsError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (EmbeddingHeadsError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise EmbeddingHeadsError(
            f"{path}: not an intact file of heads ({error}); run `watchword models fit {path.stem}` again, "
            f"or `watchword models fit {path.stem} --remove`"
        ) from error


class FittedModel(WrappedModel):
    """A model with trained heads: an `ImageTextModel` that encodes as before and scores better."""

    def __init__(self, model: ImageTextModel, heads: EmbeddingHeads) -> None:
        """Raises EmbeddingHeadsError if the heads were fitted to another model."""
        if heads.model_fingerprint != model.fingerprint:
            raise EmbeddingHeadsError(
                f"the heads of {model.name} were fitted to another version of it; run `watchword models fit "
                f"{model.name}` again, or `watchword models fit {model.name} --remove`"
            )
        super().__init__(model)
        self.heads = heads
        self._fingerprint = digest(model.fingerprint, heads.fingerprint)

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def bind(self, prompts: PromptSet) -> PromptBank:
        """The shipped hazards that have a head are recognised by it, all others by words."""
        words = self.model.bind(prompts)
        columns = [
            (column, self.heads.hazards.index(name))
            for column, name in enumerate(prompts.names)
            # With other words the user means another thing than the pictures showed that the head was fitted
            # to.
            if name in prompts.shipped and name in self.heads.hazards
        ]
        return HeadBank(words, self.heads, tuple(columns))


@dataclass(frozen=True, slots=True, eq=False)
class HeadBank:
    """Scores of words, replaced by calibrated log-odds wherever there is a head."""

    words: PromptBank
    heads: EmbeddingHeads
    columns: tuple[tuple[int, int], ...]
    """Column of the scores and row of the head, one pair a hazard."""

    @property
    def names(self) -> tuple[str, ...]:
        return self.words.names

    @property
    def unknown(self) -> tuple[str, ...]:
        """The hazards that the words cannot recognise."""
        fitted = {self.names[column] for column, _ in self.columns}
        return tuple(name for name in unknown_hazards(self.words) if name not in fitted)

    @property
    def fingerprint(self) -> str:
        return digest(self.words.fingerprint, self.heads.fingerprint)

    def scores(self, encoding: Encoding) -> Scores:
        # A copy, because the next lines overwrite columns of an array that the other bank may keep.
        out = np.array(self.words.scores(encoding), np.float32)
        fitted = self.heads.scores(encoding.embedding)
        for column, row in self.columns:
            out[column] = fitted[row]
        return out


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise EmbeddingHeadsError(otherwise)
