"""Combines model, prompts, taught pictures and calibration: a scorer turns encodings into probabilities."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.calibration.few_shot import FOLDER as TAUGHT
from pipeline.calibration.few_shot import (
    FewShotBank,
    FewShotHazard,
    few_shot_names,
    identity,
    is_outdated,
    path_of,
    read_few_shot,
    require_same_words,
)
from pipeline.calibration.repository import FOLDER as CALIBRATIONS
from pipeline.calibration.repository import NOT_MEASURED, STARTER, CalibrationRepository
from pipeline.calibration.table import Calibration, CalibrationTable
from pipeline.hazards import Hazard, from_settings, prompt_set
from pipeline.models.base import ImageTextModel, PromptBank, unknown_hazards
from pipeline.models.prompts import hazard_fingerprints
from pipeline.selection.vote import VoteBank, Voter, VotingModel
from pipeline.settings import HazardSettings
from pipeline.types import Probabilities, PromptSet

log = logging.getLogger(__name__)

TAUGHT_THRESHOLD = 0.5
"""Threshold of a hazard without words that has not been calibrated."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """The parts of the state folder that are not used: they were made for another model, or version of it."""

    lessons: tuple[str, ...] = ()
    """Hazards that were taught by pictures."""
    calibration: bool = False
    """The user's own calibration."""
    heads: bool = False
    """Heads that were fitted here."""
    unknown: tuple[str, ...] = ()
    """Hazards that the model can never recognise by their words and that were not taught by pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """Turns encodings into probabilities, in the order of the hazards."""

    bank: PromptBank
    calibration: Calibration
    outdated: Outdated = Outdated()
    note: str = ""
    """The basis of the probabilities, if the model was not measured on labelled pictures; else empty."""


def build_scorer(
    model: ImageTextModel,
    hazards: Sequence[Hazard],
    calibrations: CalibrationRepository,
    state: Path,
    *,
    own: bool = True,
    table: CalibrationTable | None = None,
) -> Scorer:
    """Build the scorer of the enabled hazards from the model and the files in the state folder.

    `own`: use the user's own thresholds if there are some. `table`: use this calibration instead.
    A calibration or a lesson that was made for another model is set aside, which is logged and returned.
    Raises CalibrationError, TeachError if one is broken or was made for other words.
    """
    prompts = prompt_set(hazards)
    words = model.bind(prompts)
    if table is not None:
        own, calibration = False, table.bind(model.name, model.fingerprint, prompts)
    elif own:
        calibration = calibrations.bind(model, prompts)
    else:
        calibration = calibrations.base(model).bind(model.name, model.fingerprint, prompts)
    # Only hazards with their shipped words count here: others were not measured for any model.
    unmeasured = [name for name in prompts.names if name in prompts.shipped - calibration.measured]
    note = NOT_MEASURED if model.name != STARTER and unmeasured else ""
    if isinstance(model, VotingModel) and unmeasured:
        starter = calibrations.bind(model.starter, prompts)
        words, calibration = _vote(model, words, calibration, starter, prompts)
        note = f"{NOT_MEASURED}; the starter votes on {_listed(unmeasured, prompts)}"
    taught, lessons = _lessons(model, hazards, state, prompts)
    known = {lesson.hazard for lesson in taught}
    outdated = Outdated(
        lessons,
        calibration=own and calibrations.is_outdated(model),
        unknown=tuple(name for name in unknown_hazards(words) if name not in known),
    )
    # Every hazard has words and none was taught, so the bank of the words is enough.
    if not taught and len(prompts.hazards) == len(hazards):
        return Scorer(words, calibration, outdated, note)
    # The user's thresholds of taught hazards: `calibration` has only the hazards with words.
    kept_table = calibrations.own(model.name) if own and not outdated.calibration else None
    kept = {name: fit.threshold for name, fit in kept_table.hazards.items()} if kept_table else {}
    names = [hazard.name for hazard in hazards]
    thresholds = {name: kept.get(name, TAUGHT_THRESHOLD) for name in names}
    pictures = thresholds | _by_name(calibration, calibration.picture_thresholds)
    # Last, so that a hazard with words keeps the threshold of its calibration.
    thresholds |= _by_name(calibration, calibration.thresholds)
    bank = FewShotBank(names, words, calibration, taught)
    return Scorer(bank, identity(names, thresholds, pictures), outdated, note)


def _by_name(calibration: Calibration, thresholds: Probabilities) -> dict[str, float]:
    return dict(zip(calibration.names, thresholds.tolist(), strict=True))


def _vote(
    model: VotingModel,
    words: PromptBank,
    calibration: Calibration,
    starter: Calibration,
    prompts: PromptSet,
) -> tuple[PromptBank, Calibration]:
    """Joint log-odds for the shipped hazards never measured with this model, and their thresholds."""
    voted = tuple(name for name in prompts.names if name in prompts.shipped - calibration.measured)
    bank = VoteBank(words, calibration, Voter(model.starter.bind(prompts), starter), voted)
    return bank, identity(
        calibration.names,
        _by_name(calibration, calibration.thresholds),
        _by_name(calibration, calibration.picture_thresholds),
    )


def _listed(names: Sequence[str], prompts: PromptSet) -> str:
    whole = frozenset(names) >= prompts.shipped
    return "every built-in hazard" if whole else ", ".join(names)


def load_hazards(settings: Mapping[str, HazardSettings], state: Path) -> tuple[Hazard, ...]:
    """The enabled hazards; those that were taught need no words. Raises HazardError."""
    return from_settings(settings, few_shot_names(state))


def state_version(state: Path) -> frozenset[tuple[str, int]]:
    """Return a value that changes whenever a calibration or a taught hazard changes."""
    files = (*state.glob(f"{CALIBRATIONS}/*.json"), *state.glob(f"{TAUGHT}/*.json"))
    # Times instead of contents: this is asked often, and a rewritten file has a new time.
    return frozenset((str(path), path.stat().st_mtime_ns) for path in files)


def _lessons(
    model: ImageTextModel, hazards: Sequence[Hazard], state: Path, prompts: PromptSet
) -> tuple[tuple[FewShotHazard, ...], tuple[str, ...]]:
    """The lessons of these hazards that fit the model, and the names of those that do not.

    Raises TeachError if one is broken or was taught beside other words.
    """
    known, fingerprints = set(few_shot_names(state)), prompt_fingerprints(model, prompts)
    fitting, outdated = [], []
    for name in (hazard.name for hazard in hazards if hazard.name in known):
        taught = read_few_shot(path_of(state, name))
        if is_outdated(taught, model.name, model.fingerprint):
            log.warning(
                "hazard %s was taught to %s (%s), not to %s (%s), and is not recognised by its pictures; "
                "teach it again, or remove it with `watchword teach %s --remove`",
                *(name, taught.model, taught.model_fingerprint[:12]),
                *(model.name, model.fingerprint[:12], name),
            )
            # Not an error: the other warnings must continue, and the daemon announces the lost hazard.
            outdated.append(name)
            continue
        require_same_words(taught, fingerprints.get(name, ""))
        fitting.append(taught)
    return tuple(fitting), tuple(outdated)


def prompt_fingerprints(model: ImageTextModel, prompts: PromptSet) -> dict[str, str]:
    """The fingerprint of each hazard's words for this model."""
    return dict(zip(prompts.names, hazard_fingerprints(model.fingerprint, prompts), strict=True))
