"""The model store of the running program: its folder, the shipped catalogue and the converter."""

from __future__ import annotations

from pathlib import Path

from pipeline.conversion.preparer import OpenClipConverter
from pipeline.store.catalogue.shipped import shipped_catalogue
from pipeline.store.store import Store


def model_store(root: Path) -> Store:
    """The store in `root`. Imports no conversion library: the converter does so when it converts."""
    return Store(root=root, catalogue=shipped_catalogue(), preparer=OpenClipConverter())
