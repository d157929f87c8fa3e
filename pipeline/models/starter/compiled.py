"""The starter's network, compiled for each shape of input when a picture of that shape first comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from common.memory import return_free_memory
from pipeline.models.starter.checkpoint import CheckpointError, read_checkpoint
from pipeline.models.starter.errors import damaged
from pipeline.models.starter.heads import Heads
from pipeline.models.starter.input_size import WIDE
from pipeline.models.starter.network import build_network
from pipeline.models.starter.weight_file import WeightFile, move_weights


class CompiledNetworks:
    """Used by one thread. Compiling takes a third of a second on a CPU; a camera sends one shape."""

    def __init__(
        self, checkpoint: Path, heads: Heads, device: str, threads: int, cache_dir: Path | None
    ) -> None:
        """Compile for wide pictures, which most cameras send. Raises StarterUnusableError."""
        self._checkpoint, self._heads, self._device = checkpoint, heads, device
        self._options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if threads:
            self._options["INFERENCE_NUM_THREADS"] = threads
        if cache_dir and device != "CPU":  # compiling for the CPU is quick; a kept blob could only go stale
            self._options["CACHE_DIR"] = str(cache_dir / "openvino")
        self._weights_in = cache_dir if device == "CPU" else None
        self._weights: list[WeightFile] = []
        self._requests = {WIDE: self._compile(WIDE)}

    def run(self, picture: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embeddings and evidence, one row a part, of a picture (height, width, 3) of an input size.

        The arrays are lost at the next call. Raises StarterUnusableError.
        """
        size = picture.shape[1], picture.shape[0]
        if size not in self._requests:
            self._requests[size] = self._compile(size)
        request = self._requests[size]
        request.infer([picture[None]])
        embeddings, evidence = (np.asarray(request.get_output_tensor(i).data, np.float32) for i in (0, 1))
        return embeddings, evidence

    def _compile(self, size: tuple[int, int]) -> Any:
        import openvino as ov

        try:
            # Read again for each shape: another shape seldom comes, and kept tensors would take 25 MB for
            # ever.
            network = build_network(read_checkpoint(self._checkpoint), size, self._heads)
        except CheckpointError as error:
            raise damaged(self._checkpoint, error) from error
        weights = move_weights(network, self._weights_in)
        request = ov.Core().compile_model(network, self._device, self._options).create_infer_request()
        # Its memory is given back below.
        del network
        # The first inference allocates its memory: here, and not with the first frame.
        request.infer([np.zeros((1, size[1], size[0], 3), np.uint8)])
        if weights is not None:
            weights.release_memory()
            self._weights.append(weights)
        return_free_memory()
        return request
