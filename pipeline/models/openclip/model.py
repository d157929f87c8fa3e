"""`ImageTextModel` over a folder that holds a converted open_clip model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from capture.frame import Image
from pipeline.models.base import EmbeddingGeometry, PromptBank
from pipeline.models.openclip.bank import bank_of
from pipeline.models.openclip.devices import compile_tested, read_golden
from pipeline.models.openclip.model_config import (
    GOLDEN_FILE,
    TEXT_FILE,
    TOKENIZER_FILE,
    ModelConfig,
    ModelUnusableError,
    read_model_config,
)
from pipeline.models.openclip.tokens import TokenEncoder
from pipeline.models.preprocess import letterbox, resize
from pipeline.models.prompts import digest
from pipeline.models.text_cache import CachedTexts, Vectors
from pipeline.types import Encoding, PromptSet

_SCHEME = "openclip-odds-1"
"""Part of the fingerprint; changed with anything that changes scores."""
GEOMETRY = EmbeddingGeometry(scene_distance=0.25, settle_distance=0.08)
"""Of CLIP's embeddings, in which unrelated photographs lie about 0.5 apart."""


class OpenClipModel:
    """Both towers in OpenVINO. Used by one thread.

    `device` is `best`, or OpenVINO device names in order of preference with commas; those that are not there
    are skipped, and those that compute something else than the reference are logged and skipped.
    """

    geometry = GEOMETRY

    def __init__(
        self, folder: Path, device: str = "CPU", threads: int = 0, cache_dir: Path | None = None
    ) -> None:
        import openvino as ov

        self._recipe = read_model_config(folder)
        for name in self._recipe.sha256:
            if not (folder / name).is_file():
                raise ModelUnusableError(f"{folder}: no {name}; run `watchword models pull {folder.name}`")
        self.fingerprint = digest(_SCHEME, self._recipe.identity)
        self._request, self._device = compile_tested(
            ov.Core(),
            folder / self._recipe.image,
            device,
            _options(threads, cache_dir),
            read_golden(folder / GOLDEN_FILE),
            self._recipe.least_cosine,
        )
        recipe = self._recipe
        self._texts = CachedTexts(lambda: TextTower(folder, recipe), digest(recipe.sha256), cache_dir)

    @property
    def name(self) -> str:
        return self._recipe.name

    @property
    def device(self) -> str:
        return self._device

    @property
    def input_size(self) -> tuple[int, int]:
        return self._recipe.width, self._recipe.height

    def encode(self, image: Image) -> Encoding:
        """The whole picture, letterboxed or stretched as the model was trained; without parts."""
        fit = letterbox if self._recipe.fit == "letterbox" else resize
        self._request.infer([fit(image, *self.input_size)[None]])
        return Encoding(np.array(self._request.get_output_tensor(0).data[0], np.float32))

    def bind(self, prompts: PromptSet) -> PromptBank:
        """Tens of milliseconds a prompt never seen; with a cache folder, some milliseconds in all."""
        texts = sorted({*prompts.contrast, *(text for _, own in prompts.hazards for text in own)})
        rows = dict(zip(texts, self._texts.encode(texts), strict=True))
        return bank_of(prompts, rows, self._recipe.logit_scale, self.fingerprint)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit rows (N, D) in the space of the pictures."""
        return self._texts.encode(texts)


class TextTower:
    """Words to unit rows, one by one, so that a text's numbers do not depend on its neighbours."""

    def __init__(self, folder: Path, recipe: ModelConfig) -> None:
        import openvino as ov

        self._tokens = TokenEncoder(folder / TOKENIZER_FILE, recipe.tokens)
        self._dimension = recipe.dimension
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self._request = ov.Core().compile_model(folder / TEXT_FILE, "CPU", options).create_infer_request()

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self._dimension), np.float32)
        for row, ids in zip(rows, self._tokens.encode(texts), strict=True):
            self._request.infer([ids[None]])
            row[:] = self._request.get_output_tensor(0).data[0]
        return rows


def _options(threads: int, cache_dir: Path | None) -> dict[str, Any]:
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    if cache_dir:
        options["CACHE_DIR"] = str(cache_dir / "openvino")
    return options
