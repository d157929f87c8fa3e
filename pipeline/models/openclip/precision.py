"""The precisions of a converted model, and their trial on this machine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.models.openclip.devices import GoldenImages, self_test
from pipeline.models.openclip.model_config import ModelConfig
from pipeline.models.precision import Precision, PrecisionTrial, interleaved_ms, remember, remembered
from pipeline.models.prompts import digest

log = logging.getLogger(__name__)

LEAST_FLOAT_COSINE = 0.999
"""Cosine that 32 and 16 bits must reach on every reference picture, against torch in 32 bits."""


def available(core: Any, config: ModelConfig) -> tuple[Precision, ...]:
    """The precisions that this processor and this model have."""
    fast_16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return (
        Precision.F32,
        *((Precision.BF16,) if fast_16 else ()),
        *((Precision.INT8,) if config.int8 else ()),
    )


def graph_of(config: ModelConfig, precision: Precision) -> str:
    """Name of the image tower's graph."""
    return config.int8 if precision is Precision.INT8 and config.int8 else config.image


def hint(precision: Precision) -> Mapping[str, str]:
    """OpenVINO's option for the CPU; the floats of an 8-bit graph stay at 32 bits."""
    return {"INFERENCE_PRECISION_HINT": "bf16" if precision is Precision.BF16 else "f32"}


def try_precisions(
    core: Any, folder: Path, config: ModelConfig, golden: GoldenImages, options: Mapping[str, Any]
) -> tuple[PrecisionTrial, ...]:
    """Agreement and interleaved times of every precision on the CPU that compiles; others are logged."""
    requests = {}
    for one in available(core, config):
        graph, own = folder / graph_of(config, one), {**options, **hint(one)}
        try:
            requests[one] = core.compile_model(graph, "CPU", own).create_infer_request()
        except RuntimeError as error:
            log.warning("%s does not compile in %s: %s", graph, one, str(error).strip().splitlines()[-1])
    picture = golden.pictures[:1]
    times = interleaved_ms({one: partial(request.infer, [picture]) for one, request in requests.items()})
    return tuple(
        PrecisionTrial(
            precision=one,
            cosine=self_test(request, golden),
            least=config.least_cosine_int8 if one is Precision.INT8 else LEAST_FLOAT_COSINE,
            ms=times[one],
        )
        for one, request in requests.items()
    )


def choose_precision(
    core: Any,
    folder: Path,
    config: ModelConfig,
    golden: GoldenImages,
    options: Mapping[str, Any],
    cache_dir: Path | None,
) -> Precision:
    """The remembered choice for this model on this processor, else a trial, which is logged."""
    path = cache_dir and cache_dir / f"precision-{_key(core, config, options)}.json"
    known = remembered(path)
    return known or remember(path, config.name, try_precisions(core, folder, config, golden, options))


def _key(core: Any, config: ModelConfig, options: Mapping[str, Any]) -> str:
    import openvino as ov

    processor = str(core.get_property("CPU", "FULL_DEVICE_NAME"))
    return digest(
        config.identity, config.sha256, processor, ov.__version__, options.get("INFERENCE_NUM_THREADS", 0)
    )[:32]
