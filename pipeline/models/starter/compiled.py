"""The starter's network, compiled for each shape of input when a picture of that shape first comes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from common.memory import return_free_memory
from pipeline.models.starter.compiled_file import processor_mark, read_compiled, write_compiled
from pipeline.models.starter.errors import damaged
from pipeline.models.starter.graph_file import GraphFile, GraphPlace, graph_key, write_graph
from pipeline.models.starter.heads import Heads
from pipeline.models.starter.input_ranges import InputRanges
from pipeline.models.starter.input_size import WIDE

log = logging.getLogger(__name__)

UNUSED_RUNS = 3000
"""So many pictures of other shapes, two minutes at 25 a second, and a network is given up: it takes 50 MB."""


@dataclass(slots=True)
class _Compiled:
    request: Any
    file: GraphFile | None
    """Holds the weights; must live as long as the request. None if they are in memory."""
    last_run: int = 0


class CompiledNetworks:
    """Used by one thread. Compiling takes a sixth of a second on a CPU; a camera sends one shape.

    A network that is no longer used is given up: a camera of another shape than the usual one, or one that
    sent a single odd picture, must not keep the memory of two for ever.
    """

    def __init__(
        self,
        checkpoint: Path,
        heads: Callable[[], Heads],
        device: str,
        threads: int,
        cache_dir: Path | None,
        fingerprint: str = "",
        unused_runs: int = UNUSED_RUNS,
        ranges: InputRanges | None = None,
    ) -> None:
        """Compile for wide pictures, which most cameras send. Raises StarterUnusableError.

        `heads`: reads the heads, which are not kept. `fingerprint`: over the bytes of the checkpoint, the
        heads and the ranges. With it and a cache folder, the graph is built once and then read from a file,
        on the CPU. `ranges`: compute in 8 bits.
        """
        self._checkpoint, self._heads, self._device = checkpoint, heads, device
        self._ranges = ranges
        self._options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if threads:
            self._options["INFERENCE_NUM_THREADS"] = threads
        if cache_dir and device != "CPU":  # compiling for the CPU is quick; a kept blob could only go stale
            self._options["CACHE_DIR"] = str(cache_dir / "openvino")
        self._graphs_in = cache_dir / "graphs" if cache_dir and fingerprint and device == "CPU" else None
        self._fingerprint = fingerprint
        self._unused_runs = unused_runs
        self._runs = 0
        self._compiled = {WIDE: self._compile(WIDE)}

    def run(self, picture: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embeddings and evidence, one row a part, of a picture (height, width, 3) of an input size.

        The arrays are lost at the next call. Raises StarterUnusableError.
        """
        size = picture.shape[1], picture.shape[0]
        if size not in self._compiled:
            self._compiled[size] = self._compile(size)
        compiled = self._compiled[size]
        self._runs += 1
        compiled.last_run = self._runs
        self._give_up_unused()
        request = compiled.request
        request.infer([picture[None]])
        embeddings, evidence = (np.asarray(request.get_output_tensor(i).data, np.float32) for i in (0, 1))
        return embeddings, evidence

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of each input that a network is ready for."""
        return tuple(self._compiled)

    def _give_up_unused(self) -> None:
        since = self._runs - self._unused_runs
        unused = [size for size, compiled in self._compiled.items() if compiled.last_run < since]
        for size in unused:
            del self._compiled[size]
        if unused:
            return_free_memory()

    def _compile(self, size: tuple[int, int]) -> _Compiled:
        import openvino as ov

        core = ov.Core()
        file = None
        if self._graphs_in is None or self._ranges is None:
            graph, file = self._graph(core, size)
            request = core.compile_model(graph, self._device, self._options).create_infer_request()
            # Its memory is given back below.
            del graph
        else:
            request = self._compiled_in_8_bits(core, size, self._graphs_in).create_infer_request()
        # The first inference allocates its memory: here, and not with the first frame.
        request.infer([np.zeros((1, size[1], size[0], 3), np.uint8)])
        if file is not None:
            file.release_memory()
        return_free_memory()
        return _Compiled(request, file, self._runs)

    def _compiled_in_8_bits(self, core: Any, size: tuple[int, int], folder: Path) -> Any:
        """The network from its file, else compiled and written into it.

        Compiling 8 bits takes three times as long as 32, of which a file of the graph would save nothing.
        """
        key = graph_key(f"{self._fingerprint} {processor_mark(core)} {sorted(self._options.items())}")
        path = folder / f"starter-{size[0]}x{size[1]}-{key[:32]}.network"
        try:
            if (stored := read_compiled(core, path, self._options)) is not None:
                return stored
            network = core.compile_model(self._build(size), self._device, self._options)
            write_compiled(network, path)
        # A full or read-only disk costs time, nothing else.
        except OSError as error:
            log.warning("the network is compiled anew at each start: %s", error)
            network = core.compile_model(self._build(size), self._device, self._options)
        return network

    def _graph(self, core: Any, size: tuple[int, int]) -> tuple[Any, GraphFile | None]:
        """The graph, and the file that holds its weights; None if they are in memory."""
        if self._graphs_in is None:
            return self._build(size), None
        try:
            place = GraphPlace(self._graphs_in, *size, graph_key(self._fingerprint))
            if stored := _stored(core, place):
                return stored
            graph = self._build(size)
            write_graph(graph, place)
            return _stored(core, place) or (graph, None)
        # A full or read-only disk costs memory and time, nothing else.
        except OSError as error:
            log.warning("the network is built anew at each start: %s", error)
            return self._build(size), None

    def _build(self, size: tuple[int, int]) -> Any:
        # Imported here: a graph that is read from its file needs no opset and no checkpoint.
        from pipeline.models.starter.checkpoint import CheckpointError, read_checkpoint
        from pipeline.models.starter.network import build_network

        try:
            return build_network(read_checkpoint(self._checkpoint), size, self._heads(), self._ranges)
        except CheckpointError as error:
            raise damaged(self._checkpoint, error) from error


def _stored(core: Any, place: GraphPlace) -> tuple[Any, GraphFile] | None:
    """The graph in a file; None if there is none, or none that is intact."""
    # Whatever is wrong with it, it is built again and replaced.
    with suppress(FileNotFoundError, ValueError, RuntimeError):
        file = GraphFile(place.path)
        return file.read(core), file
    return None
