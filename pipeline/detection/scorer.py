"""Model, words, taught pictures and calibration fitted together: from an embedding to probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.calibration.few_shot import FOLDER as TAUGHT
from pipeline.calibration.few_shot import (
    FewShotBank,
    FewShotHazard,
    few_shot_names,
    identity,
    path_of,
    read_few_shot,
    require_compatible,
)
from pipeline.calibration.repository import FOLDER as CALIBRATIONS
from pipeline.calibration.repository import CalibrationRepository
from pipeline.calibration.table import Calibration, CalibrationTable
from pipeline.hazards import Hazard, from_settings, prompt_set
from pipeline.models.base import ImageTextModel, PromptBank
from pipeline.models.prompts import hazard_fingerprints
from pipeline.settings import HazardSettings
from pipeline.types import PromptSet

TAUGHT_THRESHOLD = 0.5
"""Of a hazard without words, where nobody has calibrated it."""


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """What turns embeddings into probabilities, in the order of the hazards."""

    bank: PromptBank
    calibration: Calibration


def build_scorer(
    model: ImageTextModel,
    hazards: Sequence[Hazard],
    calibrations: CalibrationRepository,
    state: Path,
    *,
    own: bool = True,
    table: CalibrationTable | None = None,
) -> Scorer:
    """`own`: with the user's own thresholds, where there are some. `table`: with this calibration instead.

    Raises CalibrationError, TeachError where what the state folder holds belongs to something else.
    """
    prompts = prompt_set(hazards)
    words = model.bind(prompts)
    if table is not None:
        own, calibration = False, table.bind(model.name, model.fingerprint, prompts)
    elif own:
        calibration = calibrations.bind(model, prompts)
    else:
        calibration = calibrations.base(model).bind(model.name, model.fingerprint, prompts)
    taught = read_all_few_shot(model, hazards, state, prompts)
    if not taught:
        return Scorer(words, calibration)
    kept_table = calibrations.own(model.name) if own else None
    kept = {name: fit.threshold for name, fit in kept_table.hazards.items()} if kept_table else {}
    thresholds = {one.hazard: kept.get(one.hazard, TAUGHT_THRESHOLD) for one in taught}
    thresholds |= dict(zip(calibration.names, calibration.thresholds.tolist(), strict=True))
    names = [hazard.name for hazard in hazards]
    return Scorer(FewShotBank(names, words, calibration, taught), identity(names, thresholds))


def load_hazards(settings: Mapping[str, HazardSettings], state: Path) -> tuple[Hazard, ...]:
    """The enabled hazards; those that were taught need no words. Raises HazardError."""
    return from_settings(settings, few_shot_names(state))


def state_version(state: Path) -> frozenset[tuple[str, int]]:
    """Changes whenever a calibration or something taught does."""
    files = (*state.glob(f"{CALIBRATIONS}/*.json"), *state.glob(f"{TAUGHT}/*.json"))
    return frozenset((str(path), path.stat().st_mtime_ns) for path in files)


def read_all_few_shot(
    model: ImageTextModel, hazards: Sequence[Hazard], state: Path, prompts: PromptSet
) -> tuple[FewShotHazard, ...]:
    """What was taught of these hazards. Raises TeachError where it does not fit."""
    known = set(few_shot_names(state))
    found = tuple(read_few_shot(path_of(state, one.name)) for one in hazards if one.name in known)
    marks = prompt_fingerprints(model, prompts)
    for taught in found:
        require_compatible(taught, model.name, model.fingerprint, marks.get(taught.hazard, ""))
    return found


def prompt_fingerprints(model: ImageTextModel, prompts: PromptSet) -> dict[str, str]:
    """The fingerprint of each hazard's words for this model."""
    return dict(zip(prompts.names, hazard_fingerprints(model.fingerprint, prompts), strict=True))
