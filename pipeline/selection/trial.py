"""The trial of a model before `auto` takes it: it must run, keep up, and stay quiet on harmless views."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.calibration.repository import NOT_MEASURED, zero_shot_fit
from pipeline.calibration.table import CalibrationTable
from pipeline.models.base import ZERO_SHOT_LOG_ODDS, ImageTextModel
from pipeline.models.prompts import hazard_fingerprints
from pipeline.selection.harmless import HarmlessView
from pipeline.selection.vote import Voter
from pipeline.store.machine_record import MachineRecord, read_record, record_path, write_record
from pipeline.types import PromptSet

log = logging.getLogger(__name__)

LEAST_FRAMES_PER_S = 8.0
"""Frames a second that `auto` requires of a model: a walker moves 15 cm between two frames."""
WORSE = 0.25
"""Share of the harmless views by which the false alarms of a model may exceed the starter's. Below that its
thresholds are raised instead.
"""
_SPARE = 0.5
"""Log-odds that a threshold is raised above the highest score of a harmless view."""
# The first runs of a model allocate memory and fill caches, so they are not timed.
_SECONDS, _ROUNDS, _WARM = 0.6, 3, 3
_DOES_NOT_RUN, _TOO_SLOW = "it does not run", "too slow here"


class ModelTrial(MachineRecord, frozen=True):
    """The result of a trial; `machine` is processor, device and threads."""

    fingerprint: str = ""
    """Of the model; empty if it could not be loaded."""
    failed: str = ""
    """Why it does not run; one line."""
    device: str = ""
    precision: str = ""
    frames_per_s: float = Field(0.0, ge=0)
    """With the starter beside it, as it would run."""
    views: int = 0
    """Harmless views."""
    false_views: int = 0
    """Of them, those with a false alarm of the model at the thresholds of a model that was never measured."""
    starter_false_views: int | None = None
    """The same of the starter; None if it is not here."""
    made_at: str = ""

    def turned_down(self, *, measured: bool) -> str:
        """Why `auto` does not take the model; empty if it may.

        `measured`: it was fitted or calibrated with labels, which say more than harmless views.
        """
        if self.failed:
            return f"{_DOES_NOT_RUN}: {self.failed}"
        if self.frames_per_s < LEAST_FRAMES_PER_S:
            return f"{_TOO_SLOW}: {self.frames_per_s:.1f} frames/s, {LEAST_FRAMES_PER_S:g} are needed"
        # Without a starter to compare with, a model must raise few false alarms on its own.
        starter = self.starter_false_views or 0
        if not measured and self.false_views > starter + WORSE * self.views:
            return (
                "worse than the starter on harmless views: false alarms on "
                f"{self.false_views} of {self.views}, the starter's on {starter}"
            )
        return ""

    @property
    def speed(self) -> str:
        """`21.4 frames/s on CPU in int8`."""
        return f"{self.frames_per_s:.1f} frames/s on {self.device} in {self.precision}"


def cure(name: str, reason: str) -> str:
    """Return the remedy for a model that was rejected for `reason`."""
    if reason.startswith(_DOES_NOT_RUN):
        return f"watchword models pull {name}"
    forced = f"pipeline.model = {name!r} uses it all the same"
    if reason.startswith(_TOO_SLOW):  # the machine may have been busy during the trial
        return f"{forced}, `watchword models pull {name}` tries it again"
    return forced


def with_cure(name: str, reason: str) -> str:
    """The reason, with what to do about it unless it says so itself."""
    return with_remedy(reason, cure(name, reason))


def with_remedy(reason: str, remedy: str) -> str:
    """The reason, with the remedy unless it says so itself."""
    return reason if remedy in reason else f"{reason}; {remedy}"


def trial_path(state: Path, model: str) -> Path:
    """The file of a model's trial."""
    return record_path(state, model, "trial")


def read_trial(state: Path, model: str) -> ModelTrial | None:
    """None if there is none, or if it cannot be read (logged)."""
    return read_record(trial_path(state, model), ModelTrial, "the model is tried again")


def write_trial(state: Path, trial: ModelTrial) -> None:
    """An unwritable folder costs another trial at the next start (logged)."""
    write_record(trial_path(state, trial.model), trial, "the model is tried again next time")


@dataclass(frozen=True, slots=True)
class Companion:
    """The starter, as it votes beside a model."""

    model: ImageTextModel
    voter: Voter
    """For the prompts of the trial."""


def try_model(
    model: ImageTextModel,
    starter: Companion | None,
    prompts: PromptSet,
    views: Iterable[HarmlessView],
    *,
    installed: str,
    machine: str,
) -> tuple[ModelTrial, CalibrationTable]:
    """Measure speed and harmless views; with the thresholds without labels that follow.

    `prompts`: the built-in hazards with their shipped words.
    """
    bank = model.bind(prompts)
    # Minus infinity: a hazard that no view is certainly without keeps the general bound.
    highest = np.full(len(prompts.names), -np.inf)
    count, false_views, starter_false_views = 0, 0, 0
    for view in views:
        absent = np.array([name in view.absent for name in prompts.names])
        scores = bank.scores(model.encode(view.image)).astype(np.float64)
        highest[absent] = np.maximum(highest[absent], scores[absent])
        count += 1
        false_views += bool((scores[absent] >= ZERO_SHOT_LOG_ODDS).any())
        if starter is not None:
            margins = starter.voter.margins(starter.model.encode(view.image))
            starter_false_views += bool((margins[absent] >= 0).any())
    result = ModelTrial(
        model=model.name,
        fingerprint=model.fingerprint,
        installed=installed,
        machine=machine,
        device=model.device,
        # Only models with several precisions have the attribute.
        precision=str(getattr(model, "precision", "float")),
        frames_per_s=round(frames_per_s([model, *([starter.model] if starter else [])]), 2),
        views=count,
        false_views=false_views,
        starter_false_views=starter_false_views if starter else None,
        made_at=_now(),
    )
    return result, zero_shot_table(model, prompts, highest)


def failed_trial(name: str, why: object, *, installed: str, machine: str) -> ModelTrial:
    """Of a model that could not be loaded or run."""
    # The errors of libraries can be pages long, and this becomes a line of a list.
    reason = " ".join(str(why).split())[:300]
    return ModelTrial(model=name, installed=installed, machine=machine, failed=reason, made_at=_now())


def frames_per_s(models: Sequence[ImageTextModel], clock: Callable[[], float] = time.perf_counter) -> float:
    """Pictures of 720p a second through all models in turn: the best of some rounds.

    A moment in which the machine does something else must not turn a model down for good.
    """
    # The content does not matter for the time; the size does, since a camera's pictures are scaled down
    # first.
    picture = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)

    def encode() -> None:
        for model in models:
            model.encode(picture)

    for _ in range(_WARM):
        encode()
    return max(_rate(encode, clock) for _ in range(_ROUNDS))


def _rate(encode: Callable[[], None], clock: Callable[[], float]) -> float:
    start, count = clock(), 0
    while (passed := clock() - start) < _SECONDS:
        encode()
        count += 1
    return count / passed


def zero_shot_table(
    model: ImageTextModel, prompts: PromptSet, highest: NDArray[np.float64]
) -> CalibrationTable:
    """Thresholds without labels: `highest` is each hazard's highest score on a view without it, (H,)."""
    marks = hazard_fingerprints(model.fingerprint, prompts)
    bounds = np.maximum(highest + _SPARE, ZERO_SHOT_LOG_ODDS)
    raised = bounds > ZERO_SHOT_LOG_ODDS
    fits = {
        name: zero_shot_fit(
            float(bound), f"{NOT_MEASURED}; {'raised by harmless views' if up else 'nine to one'}"
        ).model_copy(update={"fingerprint": mark})
        for name, mark, bound, up in zip(prompts.names, marks, bounds, raised, strict=True)
    }
    generic = zero_shot_fit(ZERO_SHOT_LOG_ODDS, f"{NOT_MEASURED}; nine to one")
    return CalibrationTable(
        model=model.name, model_fingerprint=model.fingerprint, generic=generic, hazards=fits
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
