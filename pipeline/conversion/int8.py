"""The image tower in 8 bits: kept if it agrees with the reference; each machine measures if it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.conversion.torch_reference import Reference
from pipeline.hazards import shipped_prompts
from pipeline.models.base import ZERO_SHOT_LOG_ODDS, Scores
from pipeline.models.openclip.bank import ContrastBank, PairLogit, bank_of
from pipeline.models.openclip.model import OpenClipModel
from pipeline.models.openclip.model_config import ModelConfig
from pipeline.models.openclip.prompts import prompt_sides
from pipeline.types import Encoding

AGREES = 0.98
"""Smallest cosine to the reference over frames that were not calibrated on."""
LEAST_ALIKE = 0.95
"""Share of these frames on which 8 bits must see exactly the hazards that 32 bits see."""
MOST_DRIFT = 1.0
"""Log-odds by which 19 of 20 scores may change at most: half of what parts a strict threshold of the vote
from a normal one. Frames without danger agree easily, so that the share alone would say little.
"""


@dataclass(frozen=True, slots=True)
class DecisionAgreement:
    """The agreement of two precisions on the same frames."""

    frames: int
    alike: int
    """Frames on which both see exactly the same hazards, at the threshold of a model without labels."""
    drift: float
    """95th percentile of the change of a hazard's log-odds."""

    @property
    def share(self) -> float:
        return round(self.alike / self.frames, 4) if self.frames else 0.0

    @property
    def agrees(self) -> bool:
        return self.share >= LEAST_ALIKE and self.drift <= MOST_DRIFT  # False for NaN

    def __str__(self) -> str:
        asked = f": not used, since {LEAST_ALIKE:.0%} of them and {MOST_DRIFT:g} are asked for"
        return (
            f"decide as 32 bits do on {self.alike} of {self.frames} frames; "
            f"19 of 20 log-odds change by at most {self.drift:.2f}{'' if self.agrees else asked}"
        )


def compare_decisions(exact: Scores, small: Scores) -> DecisionAgreement:
    """`exact`, `small`: log-odds (N, H) of the same N frames, in 32 and in 8 bits."""
    alike = ((exact >= ZERO_SHOT_LOG_ODDS) == (small >= ZERO_SHOT_LOG_ODDS)).all(axis=1)
    drift = float(np.percentile(np.abs(small - exact), 95)) if exact.size else 0.0
    return DecisionAgreement(len(exact), int(alike.sum()), round(drift, 4))


def _bank_without_templates(model: OpenClipModel, config: ModelConfig) -> ContrastBank:
    """The shipped hazards by their English words.

    Not by `bind`: both sides of the comparison read the same texts, and every template is an encoding more.
    """
    sides = prompt_sides(shipped_prompts(), korean=False)
    texts = sorted({text for side in sides for text in (*side.own, *side.rivals)})
    vectors = dict(zip(texts, model.encode_texts(texts), strict=True))
    return bank_of(sides, vectors, PairLogit(config.logit_scale, config.logit_bias), fingerprint="")


def decisions(
    model: OpenClipModel, config: ModelConfig, small: Any, frames: Sequence[NDArray[np.uint8]]
) -> DecisionAgreement:
    """How `small`, an infer request of the graph in 8 bits, decides beside `model` in 32, on frames held out.

    The frames have the network's size.
    """
    bank = _bank_without_templates(model, config)
    exact = np.stack([bank.scores(model.encode(frame)) for frame in frames])
    rounded = np.stack([bank.scores(Encoding(one)) for one in _embeddings(small, frames)])
    return compare_decisions(exact, rounded)


def quantise(graph: Any, reference: Reference, frames: Sequence[NDArray[np.uint8]]) -> Any:
    """The float graph (before pre-processing) in 8 bits, calibrated on frames of the network's size."""
    import nncf

    # Quantising the softmax of attention costs accuracy; nncf leaves it alone if it knows the architecture.
    attends = any("Attention" in type(module).__name__ for module in reference.model.visual.modules())
    return nncf.quantize(
        graph,
        nncf.Dataset([reference.normalised(frame) for frame in frames]),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER if attends else None,
        subset_size=len(frames),
    )


def _embeddings(request: Any, frames: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    """The embedding of each frame, which has the network's size."""
    rows = []
    for frame in frames:
        request.infer([frame[None]])
        rows.append(np.array(request.get_output_tensor(0).data[0], np.float32))
    return rows


def request_for(path: Path) -> Any:
    """As the running program compiles it for the CPU."""
    import openvino as ov

    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(path, "CPU", options).create_infer_request()
