"""The model store of the running program: its folder, the shipped catalogue and the converter."""

from __future__ import annotations

from pathlib import Path

from daemon.config.settings import Settings
from pipeline.calibration.repository import CalibrationRepository
from pipeline.conversion.preparer import OpenClipConverter
from pipeline.store.catalogue.shipped import shipped_catalogue
from pipeline.store.store import Store


def model_store(root: Path) -> Store:
    """The store in `root`. Imports no conversion library: the converter does so when it converts."""
    # The catalogue and the converter are passed in: the store imports neither.
    return Store(root=root, catalogue=shipped_catalogue(), preparer=OpenClipConverter())


def open_store(settings: Settings) -> Store:
    """The model store of the settings."""
    return model_store(settings.paths.models)


def open_calibrations(settings: Settings) -> CalibrationRepository:
    """The user's and the shipped calibrations."""
    return CalibrationRepository(settings.paths.state, open_store(settings))
