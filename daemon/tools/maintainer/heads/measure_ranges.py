"""Measures the ranges by which the backbone computes in 8 bits, on some of the training photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from capture.frame import Image
from daemon.tools.maintainer.heads.features import FLOATS
from daemon.tools.maintainer.heads.training_set import Rows, pictures_of
from pipeline.models.preprocess import letterbox
from pipeline.models.starter.checkpoint import read_checkpoint
from pipeline.models.starter.input_ranges import InputRange, InputRanges
from pipeline.models.starter.input_size import SIZES, input_size
from pipeline.models.starter.network import build_network

PHOTOGRAPHS = 300
"""As many as `nncf` reads; they lie evenly in the list, which is sorted by source."""
_CONVOLUTIONS = ("Convolution", "GroupConvolution")
_FIGURES = 3
"""Outputs of a probe for each convolution: smallest value, largest value, means of the channels."""


def measured_ranges(folder: Path, rows: Rows, checkpoint: Path) -> InputRanges:
    """Means over photographs of the smallest and largest input of each convolution, and of its channels."""
    tensors = read_checkpoint(checkpoint)
    probes = {size: _Probe(build_network(tensors, size)) for size in SIZES}
    seen: dict[str, list[NDArray[np.float64]]] = {}
    for picture in _some_photographs(folder, rows):
        size = input_size(picture.shape[1], picture.shape[0])
        for name, row in probes[size].look(letterbox(picture, *size)):
            seen.setdefault(name, []).append(row)
    means = {name: np.mean(found, axis=0).astype(np.float32) for name, found in seen.items()}
    return {name: InputRange(float(row[0]), float(row[1]), row[2:]) for name, row in means.items()}


def _some_photographs(folder: Path, rows: Rows) -> Iterator[Image]:
    names = [name for name, still in zip(rows.names, rows.photographs, strict=True) if still]
    return pictures_of(folder, tuple(names[:: max(1, len(names) // PHOTOGRAPHS)][:PHOTOGRAPHS]))


class _Probe:
    """A network that tells what enters its convolutions."""

    def __init__(self, network: ov.Model) -> None:
        layers = [op for op in network.get_ordered_ops() if op.get_type_name() in _CONVOLUTIONS]
        self._names = [layer.get_friendly_name() for layer in layers]
        figures = [figure for layer in layers for figure in _figures(layer.input_value(0))]
        probe = ov.Model(figures, network.get_parameters())
        self._request = ov.Core().compile_model(probe, "CPU", FLOATS).create_infer_request()

    def look(self, picture: Image) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """For each convolution its name and (2 + C,): smallest, largest, mean of each channel."""
        self._request.infer([picture[None]])
        for index, name in enumerate(self._names):
            outputs = range(_FIGURES * index, _FIGURES * (index + 1))
            yield name, np.concatenate([self._output(output) for output in outputs])

    def _output(self, index: int) -> NDArray[np.float64]:
        return np.array(self._request.get_output_tensor(index).data, np.float64).ravel()


def _figures(inputs: Any) -> list[Any]:
    return [
        ops.reduce_min(inputs, [1, 2, 3]),
        ops.reduce_max(inputs, [1, 2, 3]),
        ops.reduce_mean(inputs, [2, 3]),
    ]
