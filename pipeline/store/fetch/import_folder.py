"""A finished model folder from another machine's store: converted there, carried here, no torch needed."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.store.catalogue.catalogue import CatalogueEntry
from pipeline.store.errors import FetchError
from pipeline.store.inspection import check_bytes, is_current
from pipeline.store.manifest import MANIFEST_NAME, Manifest


def import_folder(folder: Path, manifest: Manifest, entry: CatalogueEntry, into: Path) -> Manifest:
    """Copy every file, checked; the manifest goes along as it was. Raises FetchError, OSError."""
    if manifest.name != entry.name or manifest.kind != entry.kind:
        raise FetchError(f"{folder} holds {manifest.name!r}, not {entry.name!r}")
    if not is_current(entry, manifest):
        raise FetchError(f"{folder} holds another version of {entry.name!r} than this program wants")
    for file in manifest.files:
        target = into / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(folder / file.name, target)
        except FileNotFoundError:
            continue  # named below
    shutil.copyfile(folder / MANIFEST_NAME, into / MANIFEST_NAME)
    # The first defect is reported; carrying the folder over again mends all of them.
    for finding in check_bytes(into):
        raise FetchError(f"{folder / finding.file.relative_to(into)}: {finding.problem}; carry it over again")
    return manifest
