"""Which precision a converted model computes in here: the fastest that agrees with the reference.

Whether 16 or 8 bits are faster depends on the processor's instructions (AMX, AVX-512 with bf16 and VNNI,
AVX2), so it is measured where the model runs, at the first start, and remembered in the cache folder.
"""

from __future__ import annotations

import json
import logging
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from common import atomic_file
from pipeline.models.openclip.devices import GoldenImages, self_test
from pipeline.models.openclip.model_config import ModelConfig
from pipeline.models.prompts import digest

log = logging.getLogger(__name__)

LEAST_FLOAT_COSINE = 0.999
"""Cosine that 32 and 16 bits must reach on every reference picture, against torch in 32 bits."""
INT8_GAIN = 0.9
"""Share of the time of the fastest float precision that 8 bits may take at most, to be worth their error."""
_WARM, _ROUNDS = 3, 9


class Precision(StrEnum):
    """Of the arithmetic of the image tower on the CPU."""

    F32 = "f32"
    BF16 = "bf16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class PrecisionTrial:
    """The result of one precision on this machine."""

    precision: Precision
    cosine: float
    """The smallest over the golden pictures, against the reference."""
    least: float
    """The cosine that it must reach."""
    ms: float
    """Median time of one picture."""

    @property
    def agrees(self) -> bool:
        return self.cosine >= self.least  # False for NaN

    def __str__(self) -> str:
        verdict = "" if self.agrees else f", less than {self.least:g}: not used"
        return f"{self.precision} {self.ms:.1f} ms, cosine {self.cosine:.5f}{verdict}"


def fastest(trials: Sequence[PrecisionTrial]) -> Precision:
    """The fastest that agrees; 8 bits only for a gain; 32 bits if none agrees: the self-test then says so."""
    floats = [one for one in trials if one.agrees and one.precision is not Precision.INT8]
    best = min(floats, key=lambda one: one.ms, default=None)
    for one in trials:
        worth = best is None or one.ms <= INT8_GAIN * best.ms
        if one.precision is Precision.INT8 and one.agrees and worth:
            return Precision.INT8
    return best.precision if best else Precision.F32


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
    times: dict[Precision, list[float]] = {one: [] for one in requests}
    picture = golden.pictures[:1]
    # Interleaved, not one after the other: a change of the processor's clock then meets all of them alike.
    for turn in range(_WARM + _ROUNDS):
        for one, request in requests.items():
            start = time.perf_counter()
            request.infer([picture])
            if turn >= _WARM:
                times[one].append((time.perf_counter() - start) * 1000)
    return tuple(
        PrecisionTrial(
            precision=one,
            cosine=self_test(request, golden),
            least=config.least_cosine_int8 if one is Precision.INT8 else LEAST_FLOAT_COSINE,
            # The median: a single interruption by another process must not decide.
            ms=statistics.median(times[one]),
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
    if path and (known := _read(path)) is not None:
        return known
    trials = try_precisions(core, folder, config, golden, options)
    chosen = fastest(trials)
    log.info("model %s computes in %s here (%s)", config.name, chosen, "; ".join(map(str, trials)))
    if path:
        _remember(path, chosen, trials)
    return chosen


def _key(core: Any, config: ModelConfig, options: Mapping[str, Any]) -> str:
    import openvino as ov

    processor = str(core.get_property("CPU", "FULL_DEVICE_NAME"))
    return digest(
        config.identity, config.sha256, processor, ov.__version__, options.get("INFERENCE_NUM_THREADS", 0)
    )[:32]


def _read(path: Path) -> Precision | None:
    try:
        return Precision(json.loads(path.read_text(encoding="utf-8"))["precision"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s is broken (%s); measuring again", path, error)
        return None


def _remember(path: Path, chosen: Precision, trials: Sequence[PrecisionTrial]) -> None:
    """An unwritable folder costs time at the next start, nothing else."""
    told = {"precision": chosen, "trials": [str(one) for one in trials]}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_file.write(path, json.dumps(told, indent=1) + "\n")
    except OSError as error:
        log.warning("%s cannot be written (%s); measured again at the next start", path, error.strerror)
