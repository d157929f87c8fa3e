"""Trying the image tower in 8 bits: kept only where it is faster on this very machine and agrees."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.conversion.torch_reference import Reference
from pipeline.models.openclip.devices import GoldenImages, self_test

AGREES = 0.98
"""Smallest cosine to the reference over frames that were not calibrated on."""
FASTER = 0.9
"""Share of the 16-bit time that an 8-bit graph may take at most to be worth its error."""
_WARM, _ROUNDS = 3, 15


@dataclass(frozen=True, slots=True)
class Int8Trial:
    """Figures of a trial."""

    cosine: float
    ms: float
    ms_16: float

    @property
    def worth_it(self) -> bool:
        return self.cosine >= AGREES and self.ms <= FASTER * self.ms_16


def quantise(graph: Any, reference: Reference, frames: Sequence[NDArray[np.uint8]]) -> Any:
    """The float graph (before pre-processing) in 8 bits, calibrated on frames of the network's size."""
    import nncf

    attends = any("Attention" in type(module).__name__ for module in reference.model.visual.modules())
    return nncf.quantize(
        graph,
        nncf.Dataset([reference.normalised(frame) for frame in frames]),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER if attends else None,
        subset_size=len(frames),
    )


def compare(path_8: Path, path_16: Path, held_out: GoldenImages) -> Int8Trial:
    """Agreement with the reference on held-out frames; medians of interleaved runs on the CPU."""
    eight, sixteen = request_for(path_8), request_for(path_16)
    times: dict[int, list[float]] = {8: [], 16: []}
    picture = held_out.pictures[:1]
    for turn in range(_WARM + _ROUNDS):
        for bits, request in ((8, eight), (16, sixteen)):
            start = time.perf_counter()
            request.infer([picture])
            if turn >= _WARM:
                times[bits].append((time.perf_counter() - start) * 1000)
    return Int8Trial(self_test(eight, held_out), statistics.median(times[8]), statistics.median(times[16]))


def request_for(path: Path) -> Any:
    """As the running program compiles it for the CPU."""
    import openvino as ov

    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(path, "CPU", options).create_infer_request()
