"""MiniLM, a sentence encoder, read by OpenVINO.

Each text is encoded by itself: the network quantises its activations over the whole batch, so that in a batch
the numbers of one text would depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.memory import return_free_memory
from pipeline.models.starter.errors import damaged
from pipeline.models.starter.weight_file import move_weights
from pipeline.models.text_cache import Vectors

_LONGEST = 128
"""Tokens; MiniLM was trained on 128."""


class TextEncoder:
    """Sentences to unit vectors: the mean over the last hidden state, as the model was trained.

    Raises StarterUnusableError, at any time, if one of the files is damaged.
    """

    def __init__(self, network: Path, tokenizer: Path, cache_dir: Path | None = None) -> None:
        """With a cache folder less memory is used."""
        import openvino as ov
        from tokenizers import Tokenizer

        self._network, self._words = network, tokenizer
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # the library raises nothing more precise
            raise damaged(tokenizer, error) from error
        # Padding would be counted in the mean over the tokens.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)
        options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        try:
            graph = ov.Core().read_model(str(network))
            self._weights = move_weights(graph, cache_dir)
            self._request = ov.Core().compile_model(graph, "CPU", options).create_infer_request()
        except RuntimeError as error:
            raise damaged(network, error) from error
        # Its memory is given back below.
        del graph
        if self._weights is not None:
            self._weights.release_memory()
        return_free_memory()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Shape (N, 384), one unit row a text; the same text always gives the same row."""
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> NDArray[np.float32]:
        try:
            ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        except Exception as error:  # as above
            raise damaged(self._words, error) from error
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        try:
            self._request.infer(feed)
            mean = self._request.get_tensor("last_hidden_state").data[0].mean(0)
        except RuntimeError as error:
            raise damaged(self._network, error) from error
        length = np.linalg.norm(mean)
        if not np.isfinite(length) or not length:
            raise damaged(self._network, "its answers are no numbers")
        return np.asarray(mean / length, np.float32)
