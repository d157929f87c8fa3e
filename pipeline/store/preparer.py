"""Interface of the converters, which make a model for this machine from the files of a source."""

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
    """The files of a converted model in the job's folder, and how they were made."""

    files: tuple[StoredFile, ...]
    precision: str | None = None
    conversion: Conversion | None = None


class Converter(Protocol):
    """Converts a model and checks the result. Both take minutes."""

    def require_ready(self, entry: CatalogueEntry) -> None:
        """Called before anything is downloaded. Raises PrepareError if a needed package is not installed."""
        ...

    def convert(
        self, entry: CatalogueEntry, fetched: Fetched, job: FetchJob, frames: Path | None
    ) -> ConvertedFiles:
        """Write the model to `job.into`. Raises PrepareError; OSError if the disk fails."""
        ...


def gather(job: FetchJob, fetched: Fetched) -> ConvertedFiles:
    """Put the fetched files into `job.into` unconverted. Files in a folder of the user are copied."""
    for file in fetched.files:
        # A file that we downloaded is moved, which needs no second copy on the disk.
        if fetched.folder == job.keep:
            move(fetched.folder / file.name, job.into / file.name)
        elif fetched.folder != job.into:
            target = job.into / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fetched.folder / file.name, target)
    return ConvertedFiles(fetched.files)
