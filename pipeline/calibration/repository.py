"""Which calibration a model runs with: the user's own in the state folder, else that of heads fitted here,
else the shipped one, else one made without labels.

One place decides, so that the daemon, `evaluate`, `calibrate` and `teach` cannot disagree.
"""

from __future__ import annotations

import logging
from pathlib import Path

from common.atomic_file import commit, stage, write
from pipeline.calibration.line import THRESHOLD
from pipeline.calibration.table import (
    Calibration,
    CalibrationError,
    CalibrationTable,
    Fit,
    read_calibration,
    shipped_starter,
)
from pipeline.models.base import ZERO_SHOT_LOG_ODDS, ImageTextModel
from pipeline.models.embedding_heads import FOLDER as HEADS
from pipeline.store.errors import StoreError
from pipeline.store.store import Store
from pipeline.types import PromptSet

log = logging.getLogger(__name__)

STARTER = "starter"
FOLDER = "calibration"
ZERO_SHOT = ".zero-shot"
"""Ends the name of a calibration without labels, made when a model was tried on this machine."""
NOT_MEASURED = "zero-shot; not measured on labelled pictures"


def zero_shot_fit(bound: float, provenance: str) -> Fit:
    """The fit of a model's own log-odds that passes one half at `bound`."""
    return Fit(slope=1.0, offset=-round(bound, 4), threshold=THRESHOLD, provenance=provenance)


_UNMEASURED = zero_shot_fit(ZERO_SHOT_LOG_ODDS, "none: nine to one in the model's own odds")


class CalibrationRepository:
    """The calibrations of a machine: `state` is the state folder, `store` holds the models."""

    def __init__(self, state: Path, store: Store) -> None:
        self._folder = state / FOLDER
        self._heads = state / HEADS
        self._store = store

    def place(self, model: str) -> Path:
        """The path of the user's own calibration of a model."""
        return self._folder / f"{model}.json"

    def known(self, model: str) -> bool:
        """True if the model was measured with labels, before it was shipped or here, for every hazard.

        A user's thresholds do not count: they were fitted on negatives only.
        """
        if self.shipped(model) is not None:
            return True
        try:
            tables = (self.own(model), self.of_heads(model))
        except CalibrationError as error:
            log.warning("%s", error)
            return False
        return any(table is not None and table.measured() for table in tables)

    def own(self, model: str) -> CalibrationTable | None:
        """The user's own. Raises CalibrationError if it is broken."""
        return read_calibration(self.place(model)) if self.place(model).is_file() else None

    def of_heads(self, model: str) -> CalibrationTable | None:
        """The one of heads that were fitted here. Raises CalibrationError if it is broken."""
        place = self.place_of_heads(model)
        return read_calibration(place) if place.is_file() else None

    def place_of_heads(self, model: str) -> Path:
        """The path of the calibration of a model's heads, beside the heads."""
        return self._heads / f"{model}.json"

    def zero_shot(self, model: str) -> CalibrationTable | None:
        """The one without labels, if the model was tried here; None if it is broken (logged)."""
        place = self.place_of_zero_shot(model)
        try:
            return read_calibration(place) if place.is_file() else None
        except CalibrationError as error:
            log.warning("%s", error)
            return None

    def place_of_zero_shot(self, model: str) -> Path:
        """The path of the calibration without labels."""
        return self._folder / f"{model}{ZERO_SHOT}.json"

    def shipped(self, model: str) -> CalibrationTable | None:
        """The one that comes with the program or in the model's folder."""
        if model == STARTER:
            return shipped_starter()
        try:
            manifest, folder = self._store.manifest(model), self._store.path(model)
        except StoreError:
            return None
        return read_calibration(folder / manifest.calibration) if manifest.calibration else None

    def base(self, model: ImageTextModel) -> CalibrationTable:
        """The base of a user's thresholds: fits to labels, else the best guess without labels."""
        fitted = self.of_heads(model.name)
        # Heads of another version of the model give other scores; their lines would be wrong.
        if fitted is not None and fitted.model_fingerprint == model.fingerprint:
            return fitted
        shipped = self.shipped(model.name)
        if shipped is not None:
            # Raises if it does not fit: then the model's files are damaged, and a guess would hide that.
            shipped.require(model.name, model.fingerprint)
            return shipped
        log.info("model %s: %s", model.name, NOT_MEASURED)
        guess = self.zero_shot(model.name)
        if guess is not None and guess.model_fingerprint == model.fingerprint:
            return guess
        return CalibrationTable(
            model=model.name, model_fingerprint=model.fingerprint, generic=_UNMEASURED, hazards={}
        )

    def lines(self, model: ImageTextModel, prompts: PromptSet) -> CalibrationTable:
        """The start of `calibrate`: `base`, with the lines that were fitted here at their thresholds."""
        base = self.base(model)
        try:
            own = self.own(model.name)
        except CalibrationError as error:
            log.warning("%s", error)
            return base
        if own is None or (own.model, own.model_fingerprint) != (model.name, model.fingerprint):
            return base
        unfit = own.mismatched(model.fingerprint, prompts)
        fitted = {
            name: fit.model_copy(update={"threshold": THRESHOLD})
            for name, fit in own.hazards.items()
            if fit.measured and name not in unfit
        }
        return base.model_copy(update={"hazards": {**base.hazards, **fitted}})

    def bind(self, model: ImageTextModel, prompts: PromptSet) -> Calibration:
        """The calibration to use. The user's own is set aside if it was made for another model (logged).

        Raises CalibrationError if it is broken.
        """
        own = self.own(model.name)
        if own is None:
            self._tell_lost(model.name)
        elif self.is_outdated(model):
            log.warning(
                "%s was made for model %s (%s), not for %s (%s): what was shipped is used; run `watchword "
                "calibrate` again",
                *(self.place(model.name), own.model, own.model_fingerprint[:12]),
                *(model.name, model.fingerprint[:12]),
            )
        else:
            return self._checked(own, model, prompts).bind(model.name, model.fingerprint, prompts)
        return self.base(model).bind(model.name, model.fingerprint, prompts)

    def is_outdated(self, model: ImageTextModel) -> bool:
        """True if the user's own was made for another model, or another version of it.

        Raises CalibrationError if it is broken.
        """
        own = self.own(model.name)
        return own is not None and (own.model, own.model_fingerprint) != (model.name, model.fingerprint)

    def _tell_lost(self, model: str) -> None:
        """Warn of a previous calibration without a current one: a write was interrupted."""
        if self._previous(model).is_file():
            log.warning(
                "%s is missing, though the calibration before it is there: what was shipped is used; "
                "`watchword calibrate --undo` brings that one back",
                self.place(model),
            )

    def _checked(self, own: CalibrationTable, model: ImageTextModel, prompts: PromptSet) -> CalibrationTable:
        """The user's own, with the fits of `base` for hazards that it was not made for (logged).

        Their thresholds were measured for other scores. The others still hold: a hazard that was added, or
        an update that words one anew, must not end all warnings.
        """
        if own.made:
            log.info("calibration of %s: from %s, %s", model.name, own.made.source, own.made.made_at)
        unfit = own.mismatched(model.fingerprint, prompts)
        if not unfit:
            return own
        log.warning(
            "%s: made for other hazards or other words (%s): what was shipped is used for these; run "
            "`watchword calibrate` again",
            self.place(model.name),
            ", ".join(unfit),
        )
        fitting = {name: fit for name, fit in own.hazards.items() if name not in unfit}
        base = self.base(model)
        return own.model_copy(
            update={"generic": base.generic, "hazards": {**base.hazards, **fitting}},
        )

    def write(self, table: CalibrationTable) -> Path:
        """Keep it as the user's own; the one before can be brought back once. Raises OSError.

        At every moment one of the two is in place, whole.
        """
        place = self.place(table.model)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Staged before the previous one is touched: if the disk is full, nothing has changed.
        part = stage(place, table.to_bytes())
        try:
            if place.is_file():
                write(self._previous(table.model), place.read_bytes())
        except OSError:
            part.unlink(missing_ok=True)
            raise
        commit(part, place)
        return place

    def require_place(self, model: str) -> None:
        """Raises OSError if `write` could not write now."""
        place = self.place(model)
        place.parent.mkdir(parents=True, exist_ok=True)
        # A trial write, before minutes of footage are scored for a result that could not be kept.
        stage(place, b"").unlink()

    def undo(self, model: str) -> str:
        """Restore the previous calibration and return its description. Raises CalibrationError, OSError."""
        place, previous = self.place(model), self._previous(model)
        if previous.is_file():
            # A rename: the previous one becomes the current one and there is no second step back.
            previous.replace(place)
            return "the calibration before it"
        if not place.is_file():
            raise CalibrationError(f"{place}: model {model} has no calibration of your own to undo")
        place.unlink()
        return "the shipped calibration"

    def _previous(self, model: str) -> Path:
        return self._folder / f"{model}.previous.json"
