"""The seam to conversion: a source's files become a model that runs here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from common.files import move
from pipeline.store.catalogue.catalogue import CatalogueEntry
from pipeline.store.manifest import Conversion, StoredFile
from pipeline.store.source import Fetched, FetchJob


@dataclass(frozen=True, slots=True)
class ConvertedFiles:
    """The files of a model as they now lie in the job's folder."""

    files: tuple[StoredFile, ...]
    precision: str | None = None
    conversion: Conversion | None = None


class Converter(Protocol):
    """Converts and checks; slow."""

    def require_ready(self, entry: CatalogueEntry) -> None:
        """Called before anything is fetched. Raises PrepareError if something is not installed."""
        ...

    def convert(
        self, entry: CatalogueEntry, fetched: Fetched, job: FetchJob, frames: Path | None
    ) -> ConvertedFiles:
        """Make the model in `job.into`. Raises PrepareError, OSError for the disk."""
        ...


def gather(job: FetchJob, fetched: Fetched) -> ConvertedFiles:
    """Without a conversion: the checked files themselves, copied where the user may want to keep them."""
    for file in fetched.files:
        # Moved if we fetched it, copied if it is the user's own folder.
        if fetched.folder == job.keep:
            move(fetched.folder / file.name, job.into / file.name)
        elif fetched.folder != job.into:
            target = job.into / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fetched.folder / file.name, target)
    return ConvertedFiles(fetched.files)
