"""The seam to wherever a model's files come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from common.progress import Progress
from pipeline.store import manifest
from pipeline.store.manifest import StoredFile


@dataclass(frozen=True, slots=True)
class FetchJob:
    """The arguments of a pull for its source."""

    into: Path
    """Empty folder on the store's disk that becomes the model's."""
    work: Path
    """Empty folder for what is temporary."""
    keep: Path
    """Folder kept after a failed pull, so that a long download can be resumed. It may not exist yet."""
    progress: Progress
    carried: Path | None
    """Folder of files brought by hand: then no network is touched."""
    require_room: Callable[[int], None]
    """Raises StoreUnusableError if so many bytes do not fit."""
    both: bool = False
    """Keep the source's own files beside the converted ones, if they can be run too."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Files that were checked, and where they are: in one of the job's folders or in the user's."""

    source: manifest.Source
    """For the manifest, revisions resolved."""
    folder: Path
    files: tuple[StoredFile, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


class Source(Protocol):
    """Delivers the files of one model."""

    def fetch(self, job: FetchJob) -> Fetched:
        """Get every file and check it. Raises FetchError or StoreUnusableError, OSError for the disk."""
        ...
