"""Makes the calibration that is shipped with the starter.

A calibration has a line (slope and offset) for each hazard. The scores of the heads are calibrated log-odds
already, so their lines change nothing. Hazards that users add are recognised by words, and their scores are
not calibrated. They share one generic line: the median of the lines that fit the built-in hazards if these
are recognised by their words too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.calibration.line import RULES, THRESHOLD, Line, fit_line
from pipeline.calibration.table import CalibrationTable, Fit
from pipeline.hazards import Hazard, builtin, from_settings, prompt_set
from pipeline.models.prompts import hazard_fingerprints
from pipeline.models.starter.heads import Heads
from pipeline.models.starter.model import StarterModel, fingerprint_of
from pipeline.settings import HazardSettings
from pipeline.types import Encoding, PromptSet

FOOTAGE_THRESHOLD = 0.6
"""Threshold of all hazards in footage. A compromise, chosen by `tune_alerts` on footage and made clips of the
folds, without people signing: thresholds of 0.37, 0.5, 0.6 and 0.7 announce 72, 66, 60 and 57 % of the
hazards within a second, and give 45, 27, 21 and 15 false alerts an hour.
"""


def calibration_of(
    model: Path,
    heads_file: Path,
    heads: Heads,
    probabilities: NDArray[np.float32],
    shown: NDArray[np.float32],
) -> CalibrationTable:
    """Return the calibration of these heads.

    `model`: folder of the starter model. `probabilities` (N, CLASSES): the classifier's output for N
    photographs. `shown` (N, H): 1 if the photograph shows the hazard, else 0.
    """
    hazards = from_settings({name: HazardSettings(**raw) for name, raw in builtin().items()})
    fingerprint, prompts = fingerprint_of(model, heads_file), prompt_set(hazards)
    prompt_marks = dict(zip(prompts.names, hazard_fingerprints(fingerprint, prompts), strict=True))
    fits = {
        name: Fit(
            slope=1,
            offset=0,
            threshold=FOOTAGE_THRESHOLD,
            picture_threshold=round(float(limit), 4),
            fingerprint=prompt_marks[name],
            provenance=f"a trained head; {int(shown[:, column].sum())} photographs of it",
        )
        for column, (name, limit) in enumerate(zip(heads.hazards, heads.threshold, strict=True))
    }
    generic = _generic(StarterModel(model), hazards, prompts, probabilities, shown)
    return CalibrationTable(
        model=StarterModel.name, model_fingerprint=fingerprint, generic=generic, hazards=fits
    )


def _generic(
    model: StarterModel,
    hazards: tuple[Hazard, ...],
    prompts: PromptSet,
    probabilities: NDArray[np.float32],
    shown: NDArray[np.float32],
) -> Fit:
    """Return the line of a hazard that is recognised by its words alone."""
    bank = model.bind(PromptSet(prompts.hazards, prompts.contrast))
    # The starter scores words on the class probabilities alone, so the embedding can be empty.
    nothing = np.zeros(0, np.float32)
    scores = np.array([bank.scores(Encoding(nothing, row)) for row in probabilities], np.float64)
    harmless = ~shown.any(1)
    lines = [
        fit_line(
            scores[harmless, column],
            np.ones(int(harmless.sum())),
            scores[shown[:, column] > 0, column],
            RULES[hazard.severity],
        )
        for column, hazard in enumerate(hazards)
    ]
    return _median(lines)


def _median(lines: list[Line]) -> Fit:
    # Medians of slope and boundary: an offset has no meaning without its own slope.
    slope = round(float(np.median([one.slope for one in lines])), 4)
    boundary = float(np.median([one.boundary for one in lines]))
    return Fit(
        slope=slope,
        offset=round(-slope * boundary, 4),
        threshold=THRESHOLD,
        provenance="medians of the built-in hazards, recognised by their words",
    )
