"""Chooses and loads the image-text model of the settings; `auto` takes the best that is fit for it here."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import cv2

from common.errors import WatchwordError
from daemon.config.settings import Settings
from daemon.wiring.store import open_calibrations, open_store
from pipeline.calibration.repository import NOT_MEASURED, CalibrationRepository
from pipeline.calibration.table import CalibrationTable
from pipeline.hazards import shipped_prompts
from pipeline.models.base import ImageTextModel, WrappedModel
from pipeline.models.embedding_heads import (
    EmbeddingHeadsError,
    FittedModel,
    heads_path,
    read_embedding_heads,
)
from pipeline.models.loader import AUTO, STARTER, fell_back, load_image_text, require_chosen
from pipeline.selection.harmless import harmless_views
from pipeline.selection.trial import (
    Companion,
    ModelTrial,
    failed_trial,
    read_trial,
    try_model,
    with_cure,
    write_trial,
)
from pipeline.selection.vote import Voter, VotingModel
from pipeline.store.errors import NotInstalledError, StoreError
from pipeline.store.inspection import ListedModel, ModelState
from pipeline.store.manifest import Kind
from pipeline.store.store import Store

log = logging.getLogger(__name__)

_USABLE = (ModelState.READY, ModelState.OUTDATED)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The running model, its measurements, and the models that `auto` rejected."""

    name: str
    turned_down: Mapping[str, str]
    """Reason by name."""


def choose_model(settings: Settings, failed: Mapping[str, str] = MappingProxyType({})) -> ModelChoice:
    """The model of that name; for `auto` the first that is fit for it, tried here if it was not yet.

    `failed`: models that do not run though their trials say so, with the reasons. Raises StoreError.
    """
    store = open_store(settings)
    if settings.pipeline.model != AUTO:
        return ModelChoice(require_chosen(store, settings.pipeline.model), {})
    turned_down: dict[str, str] = {}
    for name in candidates(store, open_calibrations(settings)):
        reason = failed.get(name) or _turned_down(settings, name)
        if not reason:
            return ModelChoice(name, turned_down)
        turned_down[name] = reason
    # The starter is not among the candidates: it is the last resort and needs no trial.
    if not any(line.name == STARTER and line.state in _USABLE for line in store.list()):
        raise NotInstalledError(
            f"no image-text model that can be used is in {store.root}; run `watchword models pull {STARTER}`"
            + "".join(f"; {name}: {reason}" for name, reason in turned_down.items())
        )
    return ModelChoice(STARTER, turned_down)


def candidates(store: Store, calibrations: CalibrationRepository) -> tuple[str, ...]:
    """The candidates of `auto` before the starter: models measured with labels first, then in the list's
    order.

    Every model that is here was pulled on purpose.
    """
    here = [line.name for line in store.list() if _may_run(line)]
    # A stable sort on one flag: within each half the order of the list stays.
    return tuple(sorted(here, key=lambda name: not calibrations.known(name)))


def _may_run(line: ListedModel) -> bool:
    here = line.state is not ModelState.ABSENT
    # "?" is an unreadable manifest: the trial will fail and name the damage.
    return here and line.kind in (Kind.IMAGE_TEXT, "?") and line.name != STARTER


def _turned_down(settings: Settings, name: str) -> str:
    trial = read_current_trial(settings, name) or run_trial(settings, name)
    return trial.turned_down(measured=open_calibrations(settings).known(name))


def turned_down_models(settings: Settings) -> Mapping[str, str]:
    """The reason of each model that a trial here has turned down. Tries none."""
    store, calibrations = open_store(settings), open_calibrations(settings)
    reasons = {}
    for name in candidates(store, calibrations):
        if trial := read_current_trial(settings, name):
            reasons[name] = trial.turned_down(measured=calibrations.known(name))
    return {name: reason for name, reason in reasons.items() if reason}


def read_current_trial(settings: Settings, name: str) -> ModelTrial | None:
    """The trial of a model as it is installed now, on this machine; None if there is none."""
    trial = read_trial(settings.paths.state, name)
    # Another download of the model or another processor invalidates what was measured.
    current = trial is not None and (trial.installed, trial.machine) == _circumstances(settings, name)
    return trial if current else None


def run_trial(settings: Settings, name: str) -> ModelTrial:
    """Load a model, measure it, and keep the outcome with the thresholds that follow. Takes seconds."""
    log.info("model %s is tried on this machine", name)
    trial, table = measure_trial(settings, name)
    if table is not None:
        with suppress(OSError):  # `write_trial` says that the folder cannot be written
            place = open_calibrations(settings).place_of_zero_shot(name)
            # The folder exists only once something has been calibrated.
            place.parent.mkdir(parents=True, exist_ok=True)
            table.write(place)
    write_trial(settings.paths.state, trial)
    return trial


def measure_trial(settings: Settings, name: str) -> tuple[ModelTrial, CalibrationTable | None]:
    """Load a model and measure it as `run_trial` does, but keep nothing. None if it does not run."""
    installed, machine = _circumstances(settings, name)
    try:
        return try_model(
            _load(settings, name),
            _companion(settings),
            shipped_prompts(),
            harmless_views(_demo(settings)),
            installed=installed,
            machine=machine,
        )
    # A failed trial is kept as well, so that a broken model is not loaded again at every start.
    except (WatchwordError, OSError, RuntimeError, ValueError) as error:
        return failed_trial(name, error, installed=installed, machine=machine), None


def load_model(settings: Settings) -> ImageTextModel:
    """Load the image-text model of the settings, with its heads or the starter's vote.

    Raises StoreError, ModelUnusableError, StarterUnusableError, CalibrationError.
    """
    cv2.setNumThreads(2)  # two share the resizing of a frame; more would slow the encoder down
    choice, bare = _load_choice(settings)
    for name, reason in choice.turned_down.items():
        # At every start: the trial itself was logged only when it ran.
        log.warning("auto turns %s down: %s", name, with_cure(name, reason))
    model = with_heads(settings, bare)
    if fell_back(settings.pipeline.device, model.device):
        preferred = settings.pipeline.device
        log.warning("%s runs on %s, not on %s as preferred", model.name, model.device, preferred)
    # A measured model judges alone; one that was never measured gets the starter's vote beside it.
    if model.name == STARTER or open_calibrations(settings).known(model.name):
        log.info("model: %s", model.name)
        return model
    voting = _beside_starter(settings, model)
    log.info("model: %s (%s%s)", model.name, NOT_MEASURED, "; the starter votes" if voting else "")
    return voting or model


def _load_choice(settings: Settings) -> tuple[ModelChoice, ImageTextModel]:
    """`auto` goes on to the next model if one no longer runs: its files may be damaged since the trial."""
    failed: dict[str, str] = {}
    while True:
        choice = choose_model(settings, failed)
        try:
            return choice, load_bare(settings, choice.name)
        except (WatchwordError, OSError, RuntimeError, ValueError) as error:
            if settings.pipeline.model != AUTO or choice.name == STARTER:
                raise
            installed, machine = _circumstances(settings, choice.name)
            trial = failed_trial(choice.name, error, installed=installed, machine=machine)
            write_trial(settings.paths.state, trial)
            # Kept here too: the state folder may be read-only, and the same model would be chosen for ever.
            failed[choice.name] = trial.turned_down(measured=False)


def load_bare(settings: Settings, name: str) -> ImageTextModel:
    """A model by itself, in the precision of its trial here.

    Raises StoreError, ModelUnusableError, StarterUnusableError.
    """
    trial = read_current_trial(settings, name)
    # Measured again, another precision might win by a hair, and what was fitted to this one would be void.
    return _load(settings, name, trial.precision if trial else "")


def _load(settings: Settings, name: str, precision: str = "") -> ImageTextModel:
    """`precision`: the one of a trial; a precision of the settings is stronger."""
    wanted = settings.pipeline
    return load_image_text(
        store=open_store(settings),
        name=name,
        device=wanted.device,
        threads=wanted.threads,
        cache_dir=settings.paths.cache,
        precision=precision if wanted.precision == AUTO else wanted.precision,
    )


def with_heads(settings: Settings, model: ImageTextModel) -> ImageTextModel:
    """The model with the heads that were fitted to it here, if any; heads that do not fit are logged."""
    path = heads_path(settings.paths.state, model.name)
    if not path.is_file():
        return model
    try:
        return FittedModel(model, read_embedding_heads(path))
    except EmbeddingHeadsError as error:
        log.warning("%s; it judges without them", error)
        return model


def has_unused_heads(settings: Settings, model: ImageTextModel) -> bool:
    """True if heads were fitted here for a model of this name, and it runs without them: they do not fit."""
    loaded = model.model if isinstance(model, VotingModel) else model
    return not isinstance(loaded, FittedModel) and heads_path(settings.paths.state, model.name).is_file()


def precision_of(model: ImageTextModel) -> str:
    """The precision of a model's arithmetic, or of the model that it wraps; `float` if it has only one."""
    while isinstance(model, WrappedModel):
        model = model.model
    return str(getattr(model, "precision", "float"))


def _beside_starter(settings: Settings, model: ImageTextModel) -> ImageTextModel | None:
    """None if the starter is not here (logged)."""
    try:
        return VotingModel(model, load_bare(settings, STARTER))
    except (StoreError, WatchwordError) as error:
        log.warning("model %s judges alone, though never measured: %s", model.name, error)
        return None


def _companion(settings: Settings) -> Companion | None:
    try:
        starter = load_bare(settings, STARTER)
        calibration = open_calibrations(settings).bind(starter, shipped_prompts())
    except WatchwordError as error:
        log.warning("the starter cannot be compared with: %s", error)
        return None
    return Companion(starter, Voter(starter.bind(shipped_prompts()), calibration))


def _demo(settings: Settings) -> Path | None:
    with suppress(StoreError):
        return open_store(settings).path("demo") / "bikes.mp4"
    return None


def _circumstances(settings: Settings, name: str) -> tuple[str, str]:
    """The time of the pull, and the properties of the machine that affect speed."""
    wanted = settings.pipeline
    machine = f"{machine_name()}, {wanted.device}, {wanted.threads} threads"
    if wanted.precision != AUTO:
        machine += f", {wanted.precision}"
    return pulled_at(settings, name), machine


def pulled_at(settings: Settings, name: str) -> str:
    """The time at which a model was pulled; empty if it is outside the store, or damaged."""
    with suppress(StoreError, OSError):
        return open_store(settings).manifest(name).created_at
    return ""


def machine_name() -> str:
    """The processor, as Linux calls it, and its cores."""
    # The cores this process may use, not those of the machine: a service can be pinned to a few.
    return f"{_processor()}, {len(os.sched_getaffinity(0))} cores"


def _processor() -> str:
    with suppress(OSError):
        lines: Iterator[str] = iter(Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines())
        # ARM's /proc/cpuinfo has no "model name".
        return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")
    return "?"
