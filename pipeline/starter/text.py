"""MiniLM, a sentence encoder, read by OpenVINO.

Each text is encoded by itself: the network quantises its activations over the whole batch, so that in a batch
the numbers of one text would depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.text_cache import Vectors

_LONGEST = 128
"""Tokens; MiniLM was trained on 128."""


class TextEncoder:
    """Sentences to unit vectors: the mean over the last hidden state, as the model was trained."""

    def __init__(self, network: Path, tokenizer: Path) -> None:
        import openvino as ov
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)
        options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
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
