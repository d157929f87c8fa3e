"""`ImageTextModel` over a folder that holds a converted open_clip model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from pipeline.models.base import EmbeddingGeometry, PromptBank
from pipeline.models.openclip.bank import PairLogit, bank_of
from pipeline.models.openclip.devices import compile_tested, device_order, read_golden
from pipeline.models.openclip.model_config import (
    GOLDEN_FILE,
    TEXT_FILE,
    TOKENIZER_FILE,
    ModelConfig,
    ModelUnusableError,
    read_model_config,
)
from pipeline.models.openclip.precision import available, choose_precision, graph_of, hint
from pipeline.models.openclip.prompts import in_templates, prompt_file_digest, prompt_sides
from pipeline.models.openclip.tokens import TokenEncoder, reads_korean
from pipeline.models.precision import Precision
from pipeline.models.preprocess import letterbox, resize
from pipeline.models.prompts import digest
from pipeline.models.text_cache import CachedTexts, Vectors
from pipeline.types import Encoding, PromptSet

log = logging.getLogger(__name__)

_SCHEME = "openclip-odds-2"
"""Part of the fingerprint; changed with anything that changes scores."""
GEOMETRY = EmbeddingGeometry(scene_distance=0.25, settle_distance=0.08)
"""Of CLIP's embeddings, in which unrelated photographs lie about 0.5 apart."""


class OpenClipModel:
    """Both towers in OpenVINO. Used by one thread.

    `device` is `best`, or OpenVINO device names in order of preference with commas; those that are not there
    are skipped, and those that compute something else than the reference are logged and skipped. On the CPU
    the fastest precision that agrees with the reference is used.
    """

    geometry = GEOMETRY

    def __init__(
        self,
        folder: Path,
        device: str = "CPU",
        threads: int = 0,
        cache_dir: Path | None = None,
        precision: Precision | None = None,
    ) -> None:
        """`precision`: use this one on the CPU, without a trial. Raises ModelUnusableError."""
        config = self._config = read_model_config(folder)
        for name in config.sha256:
            if not (folder / name).is_file():
                raise ModelUnusableError(f"{folder}: no {name}; run `watchword models pull {folder.name}`")
        self._request, self._device, self.precision = _compile(
            folder, config, device, _options(threads, cache_dir), cache_dir, precision
        )
        self.fingerprint = digest(
            _SCHEME,
            config.identity,
            prompt_file_digest(),
            # Floats agree so closely that scores do not change; 8 bits have scores of their own.
            "8 bits" if self.precision == Precision.INT8 else "floats",
        )
        self._texts = CachedTexts(lambda: TextTower(folder, config), digest(config.sha256), cache_dir)
        self._korean = reads_korean(TokenEncoder(folder / TOKENIZER_FILE, config.tokens))

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def device(self) -> str:
        return self._device

    def input_size(self, width: int, height: int) -> tuple[int, int]:  # noqa: ARG002
        """The same for every picture."""
        return self._config.width, self._config.height

    def encode(self, image: Image) -> Encoding:
        """The whole picture, letterboxed or stretched as the model was trained; without parts."""
        fit = letterbox if self._config.fit == "letterbox" else resize
        # A copy: the next inference overwrites the request's output.
        return Encoding(np.array(self.infer(fit(image, self._config.width, self._config.height))))

    def infer(self, picture: Image) -> NDArray[np.float32]:
        """The bare network: BGR uint8 of its input size to a unit embedding (D,), lost at the next call."""
        self._request.infer([picture[None]])
        return np.asarray(self._request.get_output_tensor(0).data[0], np.float32)

    def bind(self, prompts: PromptSet) -> PromptBank:
        """Tens of milliseconds a sentence never seen; with a cache folder, some milliseconds in all."""
        sides = prompt_sides(prompts, korean=self._korean)
        # Sorted: the cache of texts is keyed by the list.
        texts = sorted({text for side in sides for text in (*side.own, *side.rivals)})
        logit = PairLogit(self._config.logit_scale, self._config.logit_bias)
        fingerprint = digest(self.fingerprint, prompts.hazards, prompts.contrast, sorted(prompts.shipped))
        return bank_of(sides, self._vectors(texts), logit, fingerprint)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit rows (N, D) in the space of the pictures, each text as it is."""
        return self._texts.encode(texts)

    def _vectors(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Unit vector of each text: the mean over its templates."""
        sentences = {text: in_templates(text) for text in texts}
        order = sorted({one for many in sentences.values() for one in many})
        rows = dict(zip(order, self._texts.encode(order), strict=True)) if order else {}
        means = {text: np.mean([rows[one] for one in many], axis=0) for text, many in sentences.items()}
        # The mean of unit vectors is shorter than 1.
        return {text: np.asarray(mean / np.linalg.norm(mean), np.float32) for text, mean in means.items()}


class TextTower:
    """Words to unit rows, one by one, so that a text's numbers do not depend on its neighbours."""

    def __init__(self, folder: Path, config: ModelConfig) -> None:
        import openvino as ov

        self._tokens = TokenEncoder(folder / TOKENIZER_FILE, config.tokens)
        self._dimension = config.dimension
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self._request = ov.Core().compile_model(folder / TEXT_FILE, "CPU", options).create_infer_request()

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self._dimension), np.float32)
        for row, ids in zip(rows, self._tokens.encode(texts), strict=True):
            self._request.infer([ids[None]])
            row[:] = self._request.get_output_tensor(0).data[0]
        return rows


def _compile(
    folder: Path,
    config: ModelConfig,
    wanted: str,
    options: dict[str, Any],
    cache_dir: Path | None,
    precision: Precision | None,
) -> tuple[Any, str, str]:
    """An infer request, its device, and the precision that it computes in."""
    import openvino as ov

    core, golden = ov.Core(), read_golden(folder / GOLDEN_FILE)
    # Another device first, if one is wanted and there; the choice of a precision is the CPU's alone.
    if device_order(wanted, core.available_devices)[0] != "CPU":
        image = folder / config.image
        request, device = compile_tested(core, image, wanted, options, golden, config.least_cosine)
        if device != "CPU":
            return request, device, "float"
    if precision is not None and precision not in available(core, config):
        # Not an error: the name of another model in the settings must not leave the wearer without warnings.
        log.warning(
            "%s cannot compute in %s here; the fastest precision that agrees is used", config.name, precision
        )
        precision = None
    chosen = precision or choose_precision(core, folder, config, golden, options, cache_dir)
    least = config.least_cosine_int8 if chosen is Precision.INT8 else config.least_cosine
    graph = folder / graph_of(config, chosen)
    return *compile_tested(core, graph, "CPU", options, golden, least, hint(chosen)), chosen


def _options(threads: int, cache_dir: Path | None) -> dict[str, Any]:
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    if cache_dir:
        options["CACHE_DIR"] = str(cache_dir / "openvino")
    return options
