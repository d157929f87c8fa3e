"""The same network in other engines: PyTorch and onnxruntime, on the tensors that the network takes.

Preprocessing is left out on both sides; `encoder.over_open_clip` includes it.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.install_hint import install_hint
from daemon.bench.encoder.compiled import Encoders, quiet_libraries
from daemon.bench.harness import Figure, interleave, paced, percentile, unmeasured
from daemon.bench.pipeline_under_test import picture
from daemon.bench.tables import NOT_THERE
from pipeline.models.precision import Precision

TORCH, ONNX = "encoder.over_torch", "encoder.over_onnxruntime"
_REASON = 160
"""Letters of a failure that are printed; an exporter may report pages."""


class NotThereError(Exception):
    """The engine cannot run the network here; the message says why."""


Run = Callable[[], object]


def over_runtimes(network: Any, encoders: Encoders, threads: int, samples: int) -> Iterator[Figure]:
    """Pictures a second of OpenVINO over those of each other engine at the same precision."""
    for precision in (Precision.F32, Precision.BF16):
        if precision in encoders:
            yield compare(f"{TORCH}.{precision}", partial(_torch, network, precision), encoders, samples)
    yield compare(f"{ONNX}.{Precision.F32}", partial(_onnxruntime, network, threads), encoders, samples)


def compare(name: str, make: Callable[[tuple[int, int]], Run], encoders: Encoders, samples: int) -> Figure:
    ours = encoders[Precision(name.rpartition(".")[2])]
    try:
        with quiet_libraries():
            theirs = make(ours.size)
    except NotThereError as error:
        return unmeasured(name, "ratio", None, f"{NOT_THERE}: {error}")
    pairs = interleave(paced(theirs), paced(partial(ours.infer, picture(*ours.size))), samples, warmup=3)
    theirs_ms, ours_ms = (1e3 * percentile(costs, 50) for costs in (pairs.a, pairs.b))
    note = f"network alone; {theirs_ms:.3g} ms against {ours_ms:.3g} ms"
    return Figure.median(name, pairs.ratios, "ratio", None, note)


def _torch(network: Any, precision: Precision, size: tuple[int, int]) -> Run:
    """PyTorch without compilation; in bf16 by its own autocast, as its documentation advises."""
    import torch

    seen = torch.zeros(1, 3, size[1], size[0])

    def run() -> object:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, precision is Precision.BF16):
            return network.encode_image(seen, normalize=True)

    return run


def _onnxruntime(network: Any, threads: int, size: tuple[int, int]) -> Run:
    """The image tower exported to ONNX, with every optimisation of onnxruntime. Raises NotThereError."""
    try:
        import onnxruntime
    except ImportError:
        raise NotThereError(f"onnxruntime is not installed: {install_hint('bench')}") from None
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory(prefix="ww") as folder:
        graph = Path(folder) / "tower.onnx"
        _export(network, graph, size)
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    given: Mapping[str, Any] = {session.get_inputs()[0].name: np.zeros((1, 3, size[1], size[0]), np.float32)}
    return lambda: session.run(None, given)


def _export(network: Any, graph: Path, size: tuple[int, int]) -> None:
    """Write the image tower as ONNX. Raises NotThereError."""
    import torch

    # Before the exporter, which finds it missing only after it has traced the network.
    if importlib.util.find_spec("onnx") is None:
        raise NotThereError(f"onnx, which writes the network, is not installed: {install_hint('bench')}")
    seen = torch.zeros(1, 3, size[1], size[0])
    fast = torch.backends.mha.get_fastpath_enabled()
    # ONNX has no operator for the fused attention, which a network uses in inference.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.inference_mode():
            # The exporter that traces: the other one needs a package that nothing else here does.
            torch.onnx.export(network.visual, (seen,), str(graph), dynamo=False)
    # The exporter raises errors of its own without a common base; the figure then says so.
    except Exception as error:
        reason = " ".join(str(error).split())[:_REASON]
        raise NotThereError(f"torch cannot export the network to ONNX here: {reason}") from None
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
