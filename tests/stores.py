"""Model stores for tests, with the shipped catalogue and converter unless told otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.conversion.preparer import OpenClipConverter
from pipeline.store.catalogue.catalogue import Catalogue
from pipeline.store.catalogue.shipped import shipped_catalogue
from pipeline.store.preparer import Converter
from pipeline.store.store import Store


def store_at(
    root: Path, catalogue: Catalogue | None = None, preparer: Converter | None = None, **options: Any
) -> Store:
    """A store in `root`; `options` are the keyword arguments of `Store`."""
    return Store(root, catalogue or shipped_catalogue(), preparer or OpenClipConverter(), **options)
