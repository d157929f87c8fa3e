"""The seam to what turns a source's files into a model that runs here."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.store.catalogue.catalogue import CatalogueEntry
from pipeline.store.disk import move
from pipeline.store.errors import PrepareError
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
        """Called before anything is fetched. Raises PrepareError where something is not installed."""
        ...

    def convert(
        self, entry: CatalogueEntry, fetched: Fetched, job: FetchJob, frames: Path | None
    ) -> ConvertedFiles:
        """Make the model in `job.into`. Raises PrepareError, OSError for the disk."""
        ...


class OpenClipConverter:
    """The one that comes with the program; needs the extra `prepare`. Converts describers too."""

    def __init__(self, needs: tuple[str, ...] = ("torch", "open_clip", "timm", "nncf")) -> None:
        self._needs = needs

    def require_ready(self, entry: CatalogueEntry) -> None:
        needs = ("torch", "transformers", "optimum", "nncf") if entry.prepare == "vlm" else self._needs
        missing = [name for name in needs if importlib.util.find_spec(name) is None]
        if missing:
            raise PrepareError(
                f"{entry.name} must be converted here, which needs {', '.join(missing)}: run "
                '`pip install "watchword[prepare]"`, or pull it on a machine that has it, '
                f"carry the model's folder over and run `watchword models pull {entry.name} --from FOLDER`"
            )

    def convert(
        self, entry: CatalogueEntry, fetched: Fetched, job: FetchJob, frames: Path | None
    ) -> ConvertedFiles:
        if entry.prepare == "vlm":
            from pipeline.conversion.vlm import convert_vlm

            return convert_vlm(entry, fetched, job)
        from pipeline.conversion.run import convert_open_clip

        return convert_open_clip(entry, fetched, job, frames)


def gather(job: FetchJob, fetched: Fetched) -> ConvertedFiles:
    """Without a conversion: the checked files themselves, copied where the user may want to keep them."""
    for file in fetched.files:
        if fetched.folder == job.keep:
            move(fetched.folder / file.name, job.into / file.name)
        elif fetched.folder != job.into:
            target = job.into / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fetched.folder / file.name, target)
    return ConvertedFiles(fetched.files)
