"""Choosing the device a graph runs on: an ordered list, each tried on golden pictures, never OpenVINO's AUTO.

A device can compile a graph without complaint and compute nonsense; so none is believed unasked.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.models.openclip.model_config import ModelUnusableError

log = logging.getLogger(__name__)

BEST_FIRST = ("NPU", "GPU", "CPU")
"""By frames a watt on Intel machines that have them all."""
_META = ("AUTO", "MULTI", "HETERO", "BATCH")


@dataclass(frozen=True, slots=True, eq=False)
class GoldenImages:
    """Pictures with the embeddings that the reference gives them."""

    pictures: NDArray[np.uint8]
    """(K, H, W, 3), BGR."""
    embeddings: NDArray[np.float32]
    """(K, D), unit rows."""


def device_order(wanted: str, present: Sequence[str]) -> tuple[str, ...]:
    """The devices to try: those named (`best`, or names with commas) that are there, the CPU last.

    Raises ModelUnusableError for OpenVINO's choosers of devices: their choice cannot be tested beforehand.
    """
    names = BEST_FIRST if wanted.lower() in ("best", "auto") else tuple(wanted.replace(" ", "").split(","))
    for name in names:
        if name.upper().startswith(_META):
            raise ModelUnusableError(f"device {name!r} chooses for itself; name CPU, GPU, NPU or best")
    there = [
        name for name in names if any(found == name or found.startswith(f"{name}.") for found in present)
    ]
    # The CPU always comes last, so that there is a device even if none of the named ones is present.
    return tuple(dict.fromkeys([*there, "CPU"]))


def compile_tested(
    core: Any,
    graph: Path,
    wanted: str,
    options: dict[str, Any],
    golden: GoldenImages,
    least_cosine: float,
    precision: Mapping[str, str] = MappingProxyType({"INFERENCE_PRECISION_HINT": "f32"}),
) -> tuple[Any, str]:
    """An infer request on the first device that computes the golden embeddings, and that device's name.

    `precision`: option for the CPU; other devices choose for themselves.
    """
    for device in device_order(wanted, core.available_devices):
        try:
            # GPU and NPU choose their own precision; the self-test below judges whether it is good enough.
            exact = precision if device == "CPU" else {}
            request = core.compile_model(graph, device, {**options, **exact}).create_infer_request()
            cosine = self_test(request, golden)
        except RuntimeError as error:
            log.warning("%s does not run on %s: %s", graph.name, device, str(error).splitlines()[0])
            continue
        if cosine >= least_cosine:
            log.info("%s runs on %s, golden pictures at cosine %.5f", graph.name, device, cosine)
            return request, device
        log.warning("%s on %s computes something else: cosine %.3f; not used", graph.name, device, cosine)
    raise ModelUnusableError(f"{graph.parent}: no device here computes this model right; pull it again")


def self_test(request: Any, golden: GoldenImages) -> float:
    """The smallest cosine between a request's embeddings and the golden ones."""
    worst = 1.0
    for picture, expected in zip(golden.pictures, golden.embeddings, strict=True):
        request.infer([picture[None]])
        got = request.get_output_tensor(0).data[0].astype(np.float32)
        norm = float(np.linalg.norm(got))
        # A zero or infinite vector has no direction: -1 fails every limit.
        cosine = float(got @ expected) / norm if np.isfinite(norm) and norm > 0 else -1.0
        worst = min(worst, cosine)
    return worst


def read_golden(path: Path) -> GoldenImages:
    """Raises ModelUnusableError."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return GoldenImages(stored["pictures"], stored["embeddings"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ModelUnusableError(f"{path} cannot be read: {error}; pull the model again") from None
