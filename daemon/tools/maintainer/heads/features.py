"""Features that the frozen backbone finds in the training pictures: as they are (version 0) and augmented."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from capture.frame import Image
from daemon.tools.maintainer.heads.augment import augmented
from daemon.tools.maintainer.heads.training_set import Rows, pictures_of
from pipeline.models.preprocess import letterbox
from pipeline.models.starter.checkpoint import read_checkpoint
from pipeline.models.starter.heads import CLASSES, FEATURES
from pipeline.models.starter.input_ranges import InputRanges
from pipeline.models.starter.input_size import SIZES, input_size
from pipeline.models.starter.network import build_network

PHOTOGRAPH_VERSIONS = 4
FRAME_VERSIONS = 2
"""Versions of a picture, the plain one included; frames of a clip are versions of each other anyway."""
THREADS = 2
"""Fixed: sums in another order have other last digits."""
FLOATS = {
    "PERFORMANCE_HINT": "LATENCY",
    # Full precision: a processor with bf16 would give other features.
    "INFERENCE_PRECISION_HINT": "f32",
    "INFERENCE_NUM_THREADS": THREADS,
}
"""OpenVINO's options for the same numbers in every run."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Of N pictures."""

    pooled: list[NDArray[np.float16]]
    """(N, D) a version; the higher versions of a frame repeat its lower ones."""
    probabilities: NDArray[np.float32]
    """(N, CLASSES) of version 0."""


def extract(folder: Path, rows: Rows, checkpoint: Path) -> Features:
    """All versions of all pictures: some ten milliseconds each on two cores."""
    backbone = Backbone(checkpoint)
    shape = len(rows.names), FEATURES
    pooled = [np.zeros(shape, np.float16) for _ in range(PHOTOGRAPH_VERSIONS)]
    probabilities = np.zeros((len(rows.names), CLASSES), np.float32)
    for row, image in enumerate(pictures_of(folder, rows.names)):
        versions = PHOTOGRAPH_VERSIONS if rows.photographs[row] else FRAME_VERSIONS
        for version in range(versions):
            picture = augmented(image, rows.names[row], version) if version else image
            classes, features = backbone.look(picture)
            # Training draws a version for every row, so a row with fewer versions repeats them.
            for slot in range(version, PHOTOGRAPH_VERSIONS, versions):
                pooled[slot][row] = features
            if version == 0:
                probabilities[row] = classes
    return Features(pooled, probabilities)


class Backbone:
    """The network without heads, ready for every shape of picture; with `ranges` in 8 bits."""

    def __init__(self, checkpoint: Path, ranges: InputRanges | None = None) -> None:
        tensors = read_checkpoint(checkpoint)
        self._requests = {size: _request(build_network(tensors, size, ranges=ranges)) for size in SIZES}

    def look(self, picture: Image) -> tuple[NDArray[Any], NDArray[Any]]:
        """Class probabilities (CLASSES,) and pooled features (D,)."""
        size = input_size(picture.shape[1], picture.shape[0])
        request = self._requests[size]
        request.infer([letterbox(picture, *size)[None]])
        classes, pooled = (np.array(request.get_output_tensor(index).data[0]) for index in range(2))
        return classes, pooled


def _request(network: ov.Model) -> Any:
    return ov.Core().compile_model(network, "CPU", FLOATS).create_infer_request()


def write_features(features: Features, cache: Path) -> None:
    """Write features to a file, so that heads can be trained again in minutes."""
    arrays = {f"pooled_{version}": array for version, array in enumerate(features.pooled)}
    np.savez(cache, probabilities=features.probabilities, **arrays)  # type: ignore[arg-type]


def read_features(cache: Path) -> Features:
    """Features written by `write_features`."""
    with np.load(cache, allow_pickle=False) as arrays:
        pooled = [arrays[f"pooled_{version}"] for version in range(PHOTOGRAPH_VERSIONS)]
        return Features(pooled, arrays["probabilities"])
