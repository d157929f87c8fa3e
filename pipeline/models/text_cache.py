"""Encoded prompts, kept on disk: the second start does not encode them again."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from common.atomic_file import replacing
from pipeline.models.prompts import digest

log = logging.getLogger(__name__)

Vectors = NDArray[np.float32]
"""Unit vectors of texts, shape (N, D)."""
_KEPT = 16
"""Lists of texts remembered at most; the oldest go first."""


class Encoder(Protocol):
    """Turns texts into unit rows."""

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class CachedTexts:
    """Encodes lists of texts once and remembers them in a folder; a broken file is made anew and logged.

    The encoder is loaded when it is first needed. `fingerprint` stands for everything that its answers
    depend on.
    """

    def __init__(self, load: Callable[[], Encoder], fingerprint: str, folder: Path | None) -> None:
        self._load_encoder = load
        self._fingerprint, self._folder = fingerprint, folder
        self._encoder: Encoder | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Shape (N, D), from disk if these very texts were encoded before."""
        path = self._folder and self._folder / f"texts-{digest(self._fingerprint, list(texts))[:32]}.npz"
        known = _load(path, len(texts)) if path else None
        if known is not None:
            return known
        # Loaded at the first miss: with a warm cache a start needs no text encoder at all.
        self._encoder = self._encoder or self._load_encoder()
        vectors = self._encoder.encode(texts)
        if path:
            _save(path, vectors)
        return vectors


def _load(path: Path, rows: int) -> Vectors | None:
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            vectors = np.asarray(stored["vectors"], np.float32)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s is broken (%s); encoding its texts again", path, error)
        return None
    # A whole file can still hold the wrong thing, such as one that another version wrote.
    if vectors.ndim != 2 or len(vectors) != rows or not np.isfinite(vectors).all():
        log.warning("%s is broken (%s for %d texts); encoding them again", path, vectors.shape, rows)
        return None
    return vectors


def _save(path: Path, vectors: Vectors) -> None:
    """Atomic: a reader sees the whole file or none. An unwritable folder costs time, nothing else."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.savez(file, vectors=vectors)
        _prune(path.parent)
    except OSError as error:
        log.warning(
            "%s cannot be written (%s); texts are encoded again at the next start", path, error.strerror
        )


def _prune(folder: Path) -> None:
    oldest_first = sorted(folder.glob("texts-*.npz"), key=lambda path: path.stat().st_mtime)
    # Each change of prompts leaves a file behind, so the number is bounded.
    for path in oldest_first[:-_KEPT]:
        path.unlink(missing_ok=True)
