"""An open_clip image tower with random weights, compiled as the daemon runs it, at each precision."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.frame import Image
from daemon.bench.encoder.flops import flops
from pipeline.models.openclip.precision import hint
from pipeline.models.precision import Precision
from pipeline.models.preprocess import letterbox

ARCHITECTURE = "ViT-B-32-256"
"""Compared like for like: the same network, both ways, with the same random weights."""
_SHOTS = 8
"""Pictures that 8 bits are calibrated on; speed does not depend on them."""


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence open_clip, torch and nncf, which talk a lot while they load and convert."""
    before = logging.root.manager.disable
    # Their loggers are created while they are imported, so only a global switch reaches them all.
    logging.disable(logging.WARNING)
    try:
        # nncf draws its progress on the standard output, between the figures.
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class CompiledEncoder:
    """A network as the daemon runs it: OpenCV's resize, everything else in the OpenVINO graph."""

    def __init__(self, graph: Any, precision: Precision, threads: int) -> None:
        import openvino as ov

        self.operations = flops(graph)
        # The untouched graph; the clone below gets the preprocessing.
        self.products = graph
        shape = graph.input(0).shape
        self._height, self._width = int(shape[2]), int(shape[3])
        options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", **hint(precision)}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        ready = _taking_pictures(graph.clone())
        self._request = ov.Core().compile_model(ready, "CPU", options).create_infer_request()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of its input."""
        return self._width, self._height

    def __call__(self, image: Image) -> NDArray[np.float32]:
        """The unit embedding (D,) of a BGR picture of any size."""
        return np.array(self.infer(letterbox(image, self._width, self._height)))

    def infer(self, picture: Image) -> NDArray[np.float32]:
        """The bare network: BGR uint8 of its input size to an embedding that is lost at the next call."""
        self._request.infer([picture[None]])
        return np.asarray(self._request.get_output_tensor(0).data[0], np.float32)


Encoders = Mapping[Precision, CompiledEncoder]


def encoders_of(network: Any, threads: int) -> Encoders:
    """An open_clip model's image tower at every precision of this processor, as a conversion makes it."""
    import openvino as ov

    from pipeline.conversion import int8
    from pipeline.conversion.images import drawn_images
    from pipeline.conversion.torch_reference import described
    from pipeline.conversion.towers import image_tower

    reference = described(network, None)
    graph = image_tower(reference)
    # Drawn pictures, and the same upside down, until there are enough.
    shots = [np.ascontiguousarray(p[::-1]) for p in drawn_images(reference.width, reference.height)]
    shots = [*shots, *drawn_images(reference.width, reference.height)][:_SHOTS]
    capabilities = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    graphs = {Precision.F32: graph}
    # OpenVINO names bf16 only if the processor computes it itself.
    if "BF16" in capabilities:
        graphs[Precision.BF16] = graph
    graphs[Precision.INT8] = int8.quantise(graph.clone(), reference, shots)
    return {precision: CompiledEncoder(one, precision, threads) for precision, one in graphs.items()}


def random_network() -> tuple[Any, Any]:
    """An open_clip model of ARCHITECTURE with the same random weights in every run, and its preprocessing.

    Raises ImportError without torch and open_clip.
    """
    with quiet_libraries():
        import open_clip
        import torch

        torch.manual_seed(0)
        network, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE, pretrained=None)
    return network.eval(), preprocess


def _taking_pictures(model: Any) -> Any:
    """The model with BGR uint8 pictures as input and CLIP's normalisation inside."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    steps = PrePostProcessor(model)
    given = steps.input().tensor()
    given.set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(ColorFormat.BGR)
    steps.input().model().set_layout(Layout("NCHW"))
    work = steps.input().preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.RGB)
    # CLIP's mean and standard deviation, times 255.
    work.mean([122.77, 116.75, 104.09]).scale([68.5, 66.63, 70.32])
    return steps.build()
