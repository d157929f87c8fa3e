"""An ONNX network in OpenVINO, for inputs of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Network:
    """One input, one output. Used by one thread."""

    def __init__(self, file: Path) -> None:
        """Raises RuntimeError if the file is no network."""
        import openvino as ov

        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self._request = ov.Core().compile_model(file, "CPU", options).create_infer_request()

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The output for an input; lost at the next call."""
        self._request.infer([batch])
        return np.asarray(self._request.get_output_tensor(0).data, np.float32)
