"""The image encoder at each precision against open_clip on torch, and against the engine's own peak.

All networks have random weights, which compute as fast as published ones. How well 8 bits agree is no matter
here: a conversion measures that on real pictures.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from capture.frame import Image
from daemon.bench.encoder.flops import flops
from daemon.bench.harness import (
    Figure,
    Target,
    at_least,
    between,
    interleave,
    percentile,
    timed,
    unmeasured,
)
from daemon.bench.encoder.matrix_products import bare_products
from daemon.bench.pipeline_under_test import picture
from daemon.config.settings import Settings
from pipeline.models.openclip.precision import Precision, hint
from pipeline.models.preprocess import letterbox
from pipeline.store.catalogue.shipped import shipped_catalogue

ARCHITECTURE = "ViT-B-32-256"
"""Compared like for like: the same network, both ways, with the same random weights."""
OVER_OPEN_CLIP, SHARE_OF_PEAK = "encoder.over_open_clip", "encoder.share_of_peak"
_SIDE = 256
_SHOTS = 8
"""Pictures that 8 bits are calibrated on; speed does not depend on them."""
_SPARSE = 5
"""Samples of the networks that are only timed, at most."""
AVX2 = {Precision.F32: 1.8}
"""How many times as fast as open_clip on torch each precision has to be, on a processor with AVX2 only."""
VNNI = {Precision.F32: 1.8, Precision.BF16: 3.5, Precision.INT8: 5.0}
"""The same with AVX-512, VNNI and bf16."""


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    try:
        import open_clip
        import torch
    except ImportError:
        why = "needs torch and open_clip: script/setup --prepare"
        yield unmeasured(OVER_OPEN_CLIP, "ratio", at_least(1.8), why)
        yield unmeasured(SHARE_OF_PEAK, "ratio", between(0.6, 1.05), why)
        return
    with _quiet():
        # The same random weights in every run.
        torch.manual_seed(0)
        network, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE, pretrained=None)
        encoders = encoders_of(network.eval(), settings.pipeline.threads)
    yield from over_open_clip(_theirs(network, preprocess), encoders, samples)
    yield from shares_of_peak(encoders, settings.pipeline.threads, samples)
    for entry in shipped_catalogue():
        if entry.architecture:
            with _quiet():
                network = open_clip.create_model(entry.architecture, pretrained=None).eval()
                encoders = encoders_of(network, settings.pipeline.threads)
            yield from times(entry.name, encoders, min(samples, _SPARSE))


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip, torch and nncf talk a lot while they load."""
    # Their loggers are created while they are imported, so only a global switch reaches them all.
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


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

    def __call__(self, image: Image) -> object:
        self._request.infer([letterbox(image, self._width, self._height)[None]])
        return np.array(self._request.get_output_tensor(0).data[0])


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


def has_vnni() -> bool:
    """True if the processor multiplies 8-bit integers in its vector or matrix unit."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    flags = set(next((line for line in lines if line.startswith("flags")), "").split())
    return bool(flags & {"avx512_vnni", "avx_vnni", "amx_int8"})


def over_open_clip(theirs: Callable[[Image], object], encoders: Encoders, samples: int) -> Iterator[Figure]:
    """Pictures a second from a 720p frame to an embedding, each precision over open_clip's own way in f32.

    The first figure is that of the precision which is the fastest here.
    """
    seen, targets = picture(1280, 720), VNNI if has_vnni() else AVX2
    figures = {}
    for precision, ours in encoders.items():
        pairs = interleave(timed(partial(theirs, seen)), timed(partial(ours, seen)), samples, warmup=3)
        note = f"{ARCHITECTURE} in {precision}, {1 / percentile(pairs.b, 50):.3g} pictures a second"
        bound = targets.get(precision)
        target = at_least(bound) if bound else None
        figures[precision] = _over(f"{OVER_OPEN_CLIP}.{precision}", pairs.ratios, target, note)
    best = max(figures.values(), key=lambda one: one.value or 0)
    bound = max(targets.values())
    yield Figure(OVER_OPEN_CLIP, best.value, "ratio", at_least(bound), best.samples, best.spread, best.note)
    yield from figures.values()


def _over(name: str, ratios: Sequence[float], target: Target | None, note: str) -> Figure:
    return Figure.median(name, ratios, "ratio", target, note)


def shares_of_peak(encoders: Encoders, threads: int, samples: int) -> Iterator[Figure]:
    """Operations a second of the network, over those of its matrix products alone, in the same run.

    The products have the network's shapes and weights of their own, and run in the same engine at the same
    precision. At one picture a time they, not a large square product, are the limit: most of the time goes
    into reading weights. The first figure is the lowest share among the float precisions. 8 bits have no
    target: the softmax and normalisation left in floats weigh more, the faster the products are.
    """
    shares = {
        precision: _share_of_peak(precision, ours, threads, samples) for precision, ours in encoders.items()
    }
    floats = [one for precision, one in shares.items() if precision is not Precision.INT8]
    least = min(floats, key=lambda one: one.value or 0)
    target = between(0.6, 1.05)
    yield Figure(SHARE_OF_PEAK, least.value, "ratio", target, least.samples, least.spread, least.note)
    yield from shares.values()


def _share_of_peak(precision: Precision, ours: CompiledEncoder, threads: int, samples: int) -> Figure:
    run, operations = bare_products(ours.products, precision, threads)
    ready = picture(_SIDE, _SIDE)
    pairs = interleave(timed(run), timed(partial(ours, ready)), samples, warmup=3)
    # The two do different amounts of arithmetic: the ratio of times becomes one of rates.
    scale = ours.operations / operations
    note = f"in {precision}, of {operations / percentile(pairs.a, 50) / 1e9:.3g} GFLOP/s"
    name = f"{SHARE_OF_PEAK}.{precision}"
    return Figure.median(name, [ratio * scale for ratio in pairs.ratios], "ratio", None, note)


def times(name: str, encoders: Encoders, samples: int) -> Iterator[Figure]:
    """Milliseconds a 720p frame, at each precision."""
    seen = picture(1280, 720)
    for precision, encode in encoders.items():
        cost = timed(partial(encode, seen))
        # The first calls allocate memory and load the weights into the caches.
        for _ in range(2):
            cost()
        ms = [cost() * 1000 for _ in range(samples)]
        yield Figure.median(f"encoder.{name}.{precision}_ms", ms, "ms", note=f"in {precision}")


def _theirs(network: Any, preprocess: Any) -> Callable[[Image], object]:
    """As open_clip's documentation does it: PIL, its transforms, torch without gradients."""
    import torch
    from PIL import Image as Pil

    def encode(image: Image) -> object:
        with torch.inference_mode():
            seen = preprocess(Pil.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)))
            return network.encode_image(seen[None], normalize=True)

    return encode


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
