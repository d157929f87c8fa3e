"""The precision in which the starter computes on the processor: 8 bits where they are faster and agree.

8 bits need instructions that add products without overflow (VNNI, AMX). With AVX2 alone sums overflow, which
the test pictures show.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pipeline.models.precision import Precision, PrecisionTrial, interleaved_ms, remember, remembered
from pipeline.models.prompts import digest
from pipeline.models.starter.agreement import agreement, test_pictures
from pipeline.models.starter.model import StarterModel, ranges_mark

PRECISIONS = (Precision.F32, Precision.INT8)
LEAST_COSINE = 0.96
"""Of the embeddings of the test pictures in 8 bits to those in 32. With VNNI the lowest is 0.985, and 99.9 %
of the decisions about training photographs are the same; without it the lowest is 0.90, and 99.8 % are.
"""


def load_on_cpu(
    folder: Path, threads: int, cache_dir: Path | None, wanted: Precision | None = None
) -> StarterModel:
    """The starter in the wanted precision; without one, as remembered for this processor, else after a trial.

    It has no 16 bits: where they are wanted, it computes in 32. Raises StarterUnusableError.
    """

    def load(precision: Precision) -> StarterModel:
        return StarterModel(folder, "CPU", threads, cache_dir, precision=precision)

    if wanted is not None:
        return load(wanted if wanted in PRECISIONS else Precision.F32)
    path = cache_dir and cache_dir / f"precision-{_key(threads)}.json"
    if (known := remembered(path)) is not None:
        return load(known)
    trials = _trials({precision: load(precision) for precision in PRECISIONS})
    # Loaded anew: those of the trial hold networks for the shapes of the test pictures.
    return load(remember(path, StarterModel.name, trials))


def _trials(models: dict[Precision, StarterModel]) -> list[PrecisionTrial]:
    picture, exact = test_pictures()[0], models[Precision.F32]
    times = interleaved_ms({one: partial(model.encode, picture) for one, model in models.items()})
    return [
        PrecisionTrial(one, agreement(model, exact), LEAST_COSINE, times[one])
        for one, model in models.items()
    ]


def _key(threads: int) -> str:
    """Raises StarterUnusableError."""
    import openvino as ov

    processor = str(ov.Core().get_property("CPU", "FULL_DEVICE_NAME"))
    return digest(StarterModel.name, ranges_mark(), processor, ov.__version__, threads)[:32]
