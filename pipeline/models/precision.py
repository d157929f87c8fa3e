"""Which precision an image-text model computes in here: the fastest that agrees with the reference.

Whether 16 or 8 bits are faster, and whether 8 bits are right, depends on the processor's instructions (AMX,
AVX-512 with bf16 and VNNI, AVX2), so it is measured where the model runs, at the first start, and remembered
in the cache folder.
"""

from __future__ import annotations

import json
import logging
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from common import atomic_file

log = logging.getLogger(__name__)

INT8_GAIN = 0.9
"""Share of the time of the fastest float precision that 8 bits may take at most, to be worth their error."""
_WARM, _ROUNDS = 3, 9


class Precision(StrEnum):
    """Of the arithmetic of an image encoder on the CPU."""

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


def interleaved_ms(runs: Mapping[Precision, Callable[[], object]]) -> dict[Precision, float]:
    """The median time of one call in each precision, in milliseconds."""
    times: dict[Precision, list[float]] = {one: [] for one in runs}
    # Interleaved, not one after the other: a change of the processor's clock then meets all of them alike.
    for turn in range(_WARM + _ROUNDS):
        for one, run in runs.items():
            start = time.perf_counter()
            run()
            if turn >= _WARM:
                times[one].append((time.perf_counter() - start) * 1000)
    # The median: a single interruption by another process must not decide.
    return {one: statistics.median(took) for one, took in times.items()}


def remembered(path: Path | None) -> Precision | None:
    """The choice in a file of `remember`; None without an intact file."""
    if path is None:
        return None
    try:
        return Precision(json.loads(path.read_text(encoding="utf-8"))["precision"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s is broken (%s); measuring again", path, error)
        return None


def remember(path: Path | None, model: str, trials: Sequence[PrecisionTrial]) -> Precision:
    """Choose from trials, log it, and write the choice into the file, if there is to be one."""
    chosen = fastest(trials)
    log.info("model %s computes in %s here (%s)", model, chosen, "; ".join(map(str, trials)))
    if path is not None:
        told = {"precision": chosen, "trials": [str(one) for one in trials]}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_file.write(path, json.dumps(told, indent=1) + "\n")
        # It costs time at the next start, nothing else.
        except OSError as error:
            log.warning("%s cannot be written (%s); measured again at the next start", path, error.strerror)
    return chosen
