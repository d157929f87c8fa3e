"""Weights of a network in a file of their own, so that they take memory only while they are read.

OpenVINO keeps the weights of a graph as long as its compiled network lives, and computes with copies in an
order of its own. Kept in a file, the originals are pages that Linux reads again if they are ever needed.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

_ALIGNMENT = 64
"""Bytes: a cache line, and as much as vector instructions want."""
LEAST = 16384
"""Bytes; a smaller array stays in memory. A compiled network reads some of these itself, and Linux brings up
to 2 MB back into memory with each page that is read.
"""


class WeightFile:
    """A nameless file of a fixed size that arrays are put into one after the other."""

    def __init__(self, folder: Path, size: int) -> None:
        """`size`: bytes, at least 1. Raises OSError, also if the disk is full."""
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # Reserved here: a disk that is full later would end the process amid the writing.
            os.posix_fallocate(file.fileno(), 0, size)
            self._map = mmap.mmap(file.fileno(), size)
        self._end = 0

    def put(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a copy of the array in the file. Raises ValueError if there is no room for it."""
        stored = np.frombuffer(self._map, array.dtype, array.size, self._end).reshape(array.shape)
        stored[...] = array
        self._end += _aligned(array.nbytes)
        return stored

    def release_memory(self) -> None:
        """Keep the arrays on disk only, until they are read again."""
        self._map.madvise(mmap.MADV_DONTNEED)


def move_weights(network: ov.Model, folder: Path | None) -> WeightFile | None:
    """Move the large weights of a graph into a file in that folder, before it is compiled.

    The file must live as long as the compiled network. Nothing is moved, and None returned, without a folder
    or if the file cannot be written.
    """
    large = [node for node in network.get_ops() if _is_large(node)]
    if folder is None or not large:
        return None
    try:
        weights = WeightFile(folder, sum(_aligned(node.data.nbytes) for node in large))
    # A full or read-only disk costs memory, nothing else.
    except OSError:
        return None
    for node in large:
        replace_constant(node, ops.constant(weights.put(node.data), shared_memory=True))
    return weights


def replace_constant(node: Any, other: Any) -> None:
    """Have all that reads one constant of a graph read another."""
    for reader in node.output(0).get_target_inputs():
        reader.replace_source_output(other.output(0))


def _is_large(node: Any) -> bool:
    return bool(node.get_type_name() == "Constant" and node.data.nbytes >= LEAST)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
