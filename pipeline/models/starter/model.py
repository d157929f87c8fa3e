"""The starter: an ImageNet classifier and a sentence encoder as one image-text model.

What a picture shows is a distribution over the classifier's 1000 classes. What a prompt means is a row of
weights: each class is shared out among all prompts and contrast scenes by a softmax over the cosine
similarity of their sentence vectors, with one more rival that stands for everything nobody named. The share
of the picture's distribution that falls to a hazard's prompts, as log-odds, is the hazard's raw score. It
is a relative of ConSE (Norouzi et al., 2013), turned round: the words are spread over the classes, not the
classes over the words.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.models.base import PromptBank, Scores
from pipeline.models.preprocess import letterbox
from pipeline.models.prompts import contrast_prompts, digest
from pipeline.models.starter.blank_images import blank_images
from pipeline.models.starter.checkpoint import CheckpointError, read_checkpoint
from pipeline.models.starter.errors import StarterUnusableError, damaged
from pipeline.models.starter.network import CLASSES, SIDE, build_network
from pipeline.models.starter.text_encoder import TextEncoder
from pipeline.models.text_cache import CachedTexts, Vectors
from pipeline.types import Embedding, PromptSet

log = logging.getLogger(__name__)

NETWORK_FILE = "efficientnet-lite2.pth"
TEXT_FILE = "minilm.onnx"
TOKENIZER_FILE = "tokenizer.json"
NAMES_FILE = "imagenet1k_clean_names.json"
FILES = (NETWORK_FILE, TEXT_FILE, TOKENIZER_FILE, NAMES_FILE)
"""What the folder of the starter model must hold."""

_SHARPNESS = 40.0
"""Softmax sharpness over cosine similarities."""
_BACKGROUND = 0.55
"""Cosine similarity of the rival that stands for everything nobody named; a class must be closer to count."""
_KNOWN = 0.5
"""A hazard that no class belongs to by at least this share is unknown to the classifier."""
_FLOOR = 1e-6
"""Smallest share told apart: the classifier's own noise is about here."""
_EMPTY = 0.85
"""Likeness to an empty picture from which a view counts for less; photographs stay below it."""
_EMPTY_STEEPNESS = 40.0
"""Log-odds lost per unit of likeness beyond that: two at 0.90, four at 0.95."""
_SCHEME = "halved-5/linear-2/letterbox-260/sqrt/share-2"
"""Part of the fingerprint; changed with anything that changes scores."""


@dataclass(frozen=True, slots=True, eq=False)
class ShareBank:
    """Prompts as shares of classes. `scores` is the log-odds of the share of a picture that is the hazard."""

    names: tuple[str, ...]
    fingerprint: str
    shares: NDArray[np.float32]
    """(H, 1000): how much of each class each hazard is."""
    empty: Vectors
    """(E, 1000): embeddings of pictures that show nothing."""

    def scores(self, embedding: Embedding) -> Scores:
        share = np.clip(self.shares @ (embedding * embedding), _FLOOR, 1 - _FLOOR)
        emptiness = max(0.0, float((self.empty @ embedding).max()) - _EMPTY)
        return np.asarray(np.log(share / (1 - share)) - _EMPTY_STEEPNESS * emptiness, np.float32)


class StarterModel:
    """`ImageTextModel` over plain files in a folder. Used by one thread.

    The embedding is the square root of the class distribution: a unit vector whose dot product with another
    is their Bhattacharyya coefficient, so that cosine distance tells scenes apart and squaring gives the
    distribution.
    """

    name = "starter"

    def __init__(
        self, folder: Path, device: str = "CPU", threads: int = 0, cache_dir: Path | None = None
    ) -> None:
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise StarterUnusableError(f"{folder}: no {missing[0]}; run `watchword models pull starter`")
        self.fingerprint = _fingerprint(folder)
        self.device = device
        self._classes = _class_names(folder / NAMES_FILE)
        text_mark = digest(*(_sha256(folder / name) for name in (TEXT_FILE, TOKENIZER_FILE)))
        self._texts = CachedTexts(
            lambda: TextEncoder(folder / TEXT_FILE, folder / TOKENIZER_FILE), text_mark, cache_dir
        )
        self._request = _compile(folder / NETWORK_FILE, device, threads, cache_dir)
        self._empty: Vectors = np.stack([self.encode(picture) for picture in blank_images(SIDE)])

    @property
    def input_size(self) -> tuple[int, int]:
        return SIDE, SIDE

    def encode(self, image: Image) -> Embedding:
        """Whole picture, letterboxed, to the square root of its class distribution: (1000,), unit norm."""
        return np.sqrt(self.infer(letterbox(image, SIDE, SIDE)))

    def infer(self, picture: Image) -> NDArray[np.float32]:
        """The bare network: BGR uint8 of `input_size` to class probabilities (1000,), lost at next call."""
        self._request.infer([picture[None]])
        return np.asarray(self._request.get_output_tensor(0).data[0], np.float32)

    def bind(self, prompts: PromptSet) -> PromptBank:
        """Some seconds for prompts never seen, else some milliseconds (with a cache folder).

        Logs each hazard that no class resembles: the starter can never see it.
        """
        texts = sorted({*prompts.contrast, *(text for _, own in prompts.hazards for text in own)})
        rows = dict(zip(texts, self._texts.encode(texts), strict=True))
        classes = self._texts.encode([f"a {name}" for name in self._classes])
        shares = [
            _share(classes, _stack(rows, own), _stack(rows, contrast_prompts(own, prompts.contrast)))
            for _, own in prompts.hazards
        ]
        for name, share in zip(prompts.names, shares, strict=True):
            if share.max() < _KNOWN:
                log.warning(
                    "hazard %s: the starter model knows nothing like it and will never warn of it", name
                )
        return ShareBank(
            names=prompts.names,
            fingerprint=digest(self.fingerprint, prompts.hazards, prompts.contrast),
            shares=np.asarray(shares, np.float32).reshape(len(shares), CLASSES),
            empty=self._empty,
        )


def _share(classes: Vectors, own: Vectors, others: Vectors) -> NDArray[np.float32]:
    """Share of each class that falls to `own` rather than to `others` or the background: (1000,), 0 to 1."""
    mine, theirs = (np.exp(_SHARPNESS * (classes @ side.T - 1)).sum(1) for side in (own, others))
    nobody = np.exp(_SHARPNESS * (_BACKGROUND - 1))
    return np.asarray(mine / (mine + theirs + nobody), np.float32)


def _stack(rows: dict[str, NDArray[np.float32]], texts: tuple[str, ...]) -> Vectors:
    return np.stack([rows[text] for text in texts]) if texts else np.zeros((0, 384), np.float32)


def _compile(checkpoint: Path, device: str, threads: int, cache_dir: Path | None) -> Any:
    import openvino as ov

    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    if (
        cache_dir and device != "CPU"
    ):  # the CPU compiles in a third of a second; a kept blob could only go stale
        options["CACHE_DIR"] = str(cache_dir / "openvino")
    try:
        network = build_network(read_checkpoint(checkpoint))
    except CheckpointError as error:
        raise damaged(checkpoint, error) from error
    return ov.Core().compile_model(network, device, options).create_infer_request()


def _class_names(path: Path) -> list[str]:
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StarterUnusableError(
            f"{path}: not JSON ({error}); run `watchword models pull starter`"
        ) from error
    if (
        not isinstance(names, list)
        or len(names) != CLASSES
        or not all(isinstance(name, str) for name in names)
    ):
        raise StarterUnusableError(f"{path}: not {CLASSES} class names; run `watchword models pull starter`")
    return names


def _fingerprint(folder: Path) -> str:
    return digest(
        _SCHEME,
        _SHARPNESS,
        _BACKGROUND,
        _EMPTY,
        _EMPTY_STEEPNESS,
        *(_sha256(folder / name) for name in FILES),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
