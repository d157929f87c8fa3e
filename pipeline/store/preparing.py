"""The seam to what turns a source's files into a model that runs here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.store.catalogue import Entry
from pipeline.store.disk import move
from pipeline.store.manifest import Conversion, StoredFile
from pipeline.store.progress import Progress
from pipeline.store.source import Fetched, Job


@dataclass(frozen=True, slots=True)
class Made:
    """The files of a model as they now lie in the job's folder."""

    files: tuple[StoredFile, ...]
    precision: str | None = None
    conversion: Conversion | None = None


class Preparer(Protocol):
    """Converts and checks; slow. Raises PrepareError."""

    def __call__(
        self, entry: Entry, fetched: Fetched, into: Path, work: Path, progress: Progress, frames: Path | None
    ) -> Made: ...


def convert(
    entry: Entry, fetched: Fetched, into: Path, work: Path, progress: Progress, frames: Path | None
) -> Made:
    """The one that comes with the program; needs the extra `prepare`."""
    from pipeline.prepare.run import convert_open_clip

    return convert_open_clip(entry, fetched, into, work, progress, frames)


def gather(job: Job, fetched: Fetched) -> Made:
    """Without a conversion: the checked files themselves, copied where the user may want to keep them."""
    for file in fetched.files:
        if fetched.folder == job.keep:
            move(fetched.folder / file.name, job.into / file.name)
        elif fetched.folder != job.into:
            target = job.into / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fetched.folder / file.name, target)
    return Made(fetched.files)
