"""MiniLM, a sentence encoder, read by OpenVINO; its answers are kept on disk.

Each text is encoded by itself: the network quantises its activations over the whole batch, so that in a batch
the numbers of one text would depend on its neighbours.
"""

from __future__ import annotations

import logging
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.prompt_bank import digest

log = logging.getLogger(__name__)

Vectors = NDArray[np.float32]
"""Unit sentence vectors, shape (N, 384)."""
_LONGEST = 128
"""Tokens; MiniLM was trained on 128."""
_KEPT = 16
"""Lists of texts remembered at most; the oldest go first."""


class TextEncoder:
    """Sentences to unit vectors: the mean over the last hidden state, as the model was trained."""

    def __init__(self, network: Path, tokenizer: Path) -> None:
        import openvino as ov
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self._request = ov.Core().compile_model(str(network), "CPU", options).create_infer_request()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Shape (N, 384), one unit row a text; the same text always gives the same row."""
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> NDArray[np.float32]:
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        self._request.infer(feed)
        mean = self._request.get_tensor("last_hidden_state").data[0].mean(0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)


class CachedTextEncoder:
    """Encodes lists of texts once and remembers them in a folder; a broken file is made anew and logged."""

    def __init__(self, network: Path, tokenizer: Path, fingerprint: str, folder: Path | None) -> None:
        self._network, self._tokenizer = network, tokenizer
        self._fingerprint, self._folder = fingerprint, folder
        self._encoder: TextEncoder | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As `TextEncoder.encode`, from disk where these very texts were encoded before."""
        path = self._folder and self._folder / f"texts-{digest(self._fingerprint, list(texts))[:32]}.npz"
        known = _load(path, len(texts)) if path else None
        if known is not None:
            return known
        vectors = self._loaded().encode(texts)
        if path:
            _save(path, vectors)
        return vectors

    def _loaded(self) -> TextEncoder:
        if self._encoder is None:
            self._encoder = TextEncoder(self._network, self._tokenizer)
        return self._encoder


def _load(path: Path, rows: int) -> Vectors | None:
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            vectors = np.asarray(stored["vectors"], np.float32)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s is broken (%s); encoding its texts again", path, error)
        return None
    if vectors.ndim != 2 or len(vectors) != rows or not np.isfinite(vectors).all():
        log.warning("%s is broken (%s for %d texts); encoding them again", path, vectors.shape, rows)
        return None
    return vectors


def _save(path: Path, vectors: Vectors) -> None:
    """Atomic: a reader sees the whole file or none. An unwritable folder costs time, nothing else."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            np.savez(part, vectors=vectors)
        Path(part.name).replace(path)
        _prune(path.parent)
    except OSError as error:
        log.warning(
            "%s cannot be written (%s); texts are encoded again at the next start", path, error.strerror
        )


def _prune(folder: Path) -> None:
    oldest_first = sorted(folder.glob("texts-*.npz"), key=lambda path: path.stat().st_mtime)
    for path in oldest_first[:-_KEPT]:
        path.unlink(missing_ok=True)
