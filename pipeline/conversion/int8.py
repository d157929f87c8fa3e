"""The image tower in 8 bits: kept if it agrees with the reference; each machine measures if it is used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.conversion.torch_reference import Reference

AGREES = 0.98
"""Smallest cosine to the reference over frames that were not calibrated on."""


def quantise(graph: Any, reference: Reference, frames: Sequence[NDArray[np.uint8]]) -> Any:
    """The float graph (before pre-processing) in 8 bits, calibrated on frames of the network's size."""
    import nncf

    # Quantising the softmax of attention costs accuracy; nncf leaves it alone if it knows the architecture.
    attends = any("Attention" in type(module).__name__ for module in reference.model.visual.modules())
    return nncf.quantize(
        graph,
        nncf.Dataset([reference.normalised(frame) for frame in frames]),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER if attends else None,
        subset_size=len(frames),
    )


def request_for(path: Path) -> Any:
    """As the running program compiles it for the CPU."""
    import openvino as ov

    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(path, "CPU", options).create_infer_request()
