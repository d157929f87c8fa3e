"""The image encoder against open_clip on torch, and against the processor's peak."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from capture.frame import Image
from daemon.bench.flops import flops
from daemon.bench.harness import Cost, Figure, at_least, interleave, percentile, timed, unmeasured
from daemon.bench.pipeline_under_test import picture
from daemon.config.settings import Settings
from pipeline.models.preprocess import letterbox

ARCHITECTURE = "ViT-B-32-256"
"""Compared like for like: the same network, both ways, with the same random weights."""
OVER_OPEN_CLIP, SHARE_OF_PEAK = "encoder.over_open_clip", "encoder.share_of_peak"
_SIDE = 256
_PEAK_SIDE = 2048


def measure(settings: Settings, samples: int) -> Iterator[Figure]:
    try:
        import open_clip
        import torch
    except ImportError:
        why = "needs torch and open_clip: script/setup --prepare"
        yield unmeasured(OVER_OPEN_CLIP, "ratio", at_least(1.5), why)
        yield unmeasured(SHARE_OF_PEAK, "ratio", at_least(0.6), why)
        return
    with _quiet():
        torch.manual_seed(0)
        network, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE, pretrained=None)
        network.eval()
        ours, operations = _ours(network.visual, settings.pipeline.threads)
    yield over_open_clip(_theirs(network, preprocess), ours, samples)
    yield share_of_peak(ours, operations, samples)


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip and torch talk a lot while they load."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def over_open_clip(
    theirs: Callable[[Image], object], ours: Callable[[Image], object], samples: int
) -> Figure:
    """Pictures a second from a 720p frame to an embedding, ours over open_clip's own way."""
    seen = picture(1280, 720)
    pairs = interleave(timed(lambda: theirs(seen)), timed(lambda: ours(seen)), samples, warmup=3)
    note = f"{ARCHITECTURE}, {1 / percentile(pairs.b, 50):.3g} pictures a second"
    return Figure.median(OVER_OPEN_CLIP, pairs.ratios, "ratio", at_least(1.5), note)


def share_of_peak(ours: Callable[[Image], object], operations: int, samples: int) -> Figure:
    """Operations a second of the network, over those of one large matrix product in the same run."""
    ready = picture(_SIDE, _SIDE)
    pairs = interleave(_matrix_product(), timed(lambda: ours(ready)), samples, warmup=3)
    scale = operations / (2 * _PEAK_SIDE**3)
    shares = [ratio * scale for ratio in pairs.ratios]
    note = f"of {2 * _PEAK_SIDE**3 / percentile(pairs.a, 50) / 1e9:.3g} GFLOP/s"
    return Figure.median(SHARE_OF_PEAK, shares, "ratio", at_least(0.6), note)


def _matrix_product() -> Cost:
    """By torch's library, on all cores; numpy's is held to one."""
    import torch

    a, b = (torch.rand(_PEAK_SIDE, _PEAK_SIDE) for _ in "ab")
    return timed(lambda: torch.mm(a, b))


def _theirs(network: Any, preprocess: Any) -> Callable[[Image], object]:
    """As open_clip's documentation does it: PIL, its transforms, torch without gradients."""
    import torch
    from PIL import Image as Pil

    def encode(image: Image) -> object:
        with torch.inference_mode():
            seen = preprocess(Pil.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)))
            return network.encode_image(seen[None], normalize=True)

    return encode


def _ours(visual: Any, threads: int) -> tuple[Callable[[Image], object], int]:
    """As the daemon does it: OpenCV's resize, everything else in the OpenVINO graph."""
    import openvino as ov
    import torch

    shape = (1, 3, _SIDE, _SIDE)
    with torch.no_grad():
        model = ov.convert_model(torch.export.export(visual, (torch.zeros(shape),)))
    model.reshape(list(shape))
    operations = flops(model)
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    request = ov.Core().compile_model(_taking_pictures(model), "CPU", options).create_infer_request()

    def encode(image: Image) -> object:
        request.infer([letterbox(image, _SIDE, _SIDE)[None]])
        embedding = np.array(request.get_output_tensor(0).data[0])
        return embedding / np.linalg.norm(embedding)

    return encode, operations


def _taking_pictures(model: Any) -> Any:
    """The model with BGR uint8 pictures as input and CLIP's normalisation inside."""
    from openvino import Layout, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    steps = PrePostProcessor(model)
    given = steps.input().tensor()
    given.set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(ColorFormat.BGR)
    steps.input().model().set_layout(Layout("NCHW"))
    work = steps.input().preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.RGB)
    work.mean([122.77, 116.75, 104.09]).scale([68.5, 66.63, 70.32])
    return steps.build()
