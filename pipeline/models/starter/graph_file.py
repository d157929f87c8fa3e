"""The starter's graph in a file of the cache folder: read in a tenth of the time that building it takes.

The file holds OpenVINO's own format, a description and the weights, with a digest over both. Its name holds
a digest of all that shaped the graph, so a graph of other weights, other code or another OpenVINO is never
read. The weights stay in the file: OpenVINO keeps those of a graph as long as its compiled network lives, but
computes with copies of most, in an order of its own, so the originals are pages that Linux reads again if
they are ever needed.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import atomic_file
from pipeline.models.prompts import digest
from pipeline.models.starter.weight_file import LEAST, replace_constant

_HEADER = struct.Struct("<16s32sQ")
"""Mark, sha256 of all that follows it, and the length of the description in bytes."""
_HASHED_FROM = 48
_MARK = b"watchword graph1"
_PAGE = mmap.PAGESIZE
_CODE = (
    "network.py",
    "layers.py",
    "head_graph.py",
    "heads.py",
    "checkpoint.py",
    "input_size.py",
    "graph_file.py",
    "compiled_file.py",
)
"""The modules that shape the graph or its file."""


@dataclass(frozen=True, slots=True)
class GraphPlace:
    """The name of the file of one graph."""

    folder: Path
    width: int
    height: int
    key: str
    """Digest of all that shaped the graph; see `graph_key`."""

    @property
    def path(self) -> Path:
        """The file, which may not exist."""
        return self.folder / f"{self._shape}{self.key[:32]}.graph"

    @property
    def others(self) -> list[Path]:
        """The files of earlier graphs for the same input."""
        return [path for path in self.folder.glob(f"{self._shape}*.graph") if path != self.path]

    @property
    def _shape(self) -> str:
        return f"starter-{self.width}x{self.height}-"


class GraphFile:
    """An intact file of a graph, mapped into memory; it must live as long as what was compiled from it."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if there is none; ValueError if it is damaged."""
        with path.open("rb") as file:
            # Private: OpenVINO wants memory that can be written, though it writes nothing.
            self._map = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE)
        if len(self._map) < _HEADER.size:
            raise ValueError(f"{path}: too short for a graph")
        mark, wanted, self._length = _HEADER.unpack_from(self._map)
        self._start = _weights_start(self._length)
        with memoryview(self._map) as content:
            found = hashlib.sha256(content[_HASHED_FROM:]).digest()
        if mark != _MARK or found != wanted or self._start >= len(self._map):
            raise ValueError(f"{path}: not an intact graph")

    def read(self, core: Any) -> Any:
        """The `ov.Model`. Raises RuntimeError if this OpenVINO does not read it."""
        import openvino as ov

        description = self._map[_HEADER.size : _HEADER.size + self._length]
        weights = np.frombuffer(self._map, np.uint8, offset=self._start)
        graph = core.read_model(description, ov.Tensor(weights, shared_memory=True))
        for node in graph.get_ops():
            if node.get_type_name() == "Constant" and node.get_byte_size() < LEAST:
                # A copy in memory; see `LEAST`.
                replace_constant(node, ov.opset13.constant(np.array(node.data)))
        return graph

    def release_memory(self) -> None:
        """Keep the weights on disk only, until they are read again."""
        self._map.madvise(mmap.MADV_DONTNEED)


def graph_key(fingerprint: str) -> str:
    """Digest of all that shapes a graph: the model's files, our code and OpenVINO. Raises OSError."""
    import openvino as ov

    code = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _CODE]
    return digest(fingerprint, ov.get_version(), *code)


def write_graph(graph: Any, place: GraphPlace) -> None:
    """Write the file of an `ov.Model`, and delete those of earlier graphs. Raises OSError."""
    import openvino as ov

    place.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.folder) as folder:
        description, weights = Path(folder, "graph.xml"), Path(folder, "graph.bin")
        try:
            ov.serialize(graph, str(description), str(weights))
        except RuntimeError as error:
            raise OSError(f"{place.folder}: the graph cannot be written ({error})") from error
        content = _join(description.read_bytes(), np.fromfile(weights, np.uint8))
    # Not synchronised: a file that a power cut left incomplete is built again.
    atomic_file.write(place.path, content, durable=False)
    for other in place.others:
        with suppress(OSError):  # it costs disk space, nothing else
            other.unlink()


def _join(description: bytes, weights: NDArray[np.uint8]) -> bytes:
    padding = bytes(_weights_start(len(description)) - _HEADER.size - len(description))
    body = b"".join((description, padding, weights.tobytes()))
    # The length too: a wrong one would shift the weights.
    rest = _HEADER.pack(_MARK, b"", len(description))[_HASHED_FROM:] + body
    return _MARK + hashlib.sha256(rest).digest() + rest


def _weights_start(length: int) -> int:
    """The first byte of the weights: at a page, so that their alignment in memory is that in the file."""
    return -(-(_HEADER.size + length) // _PAGE) * _PAGE
