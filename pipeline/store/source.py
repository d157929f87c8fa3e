"""The seam to wherever a model's files come from."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pipeline.store import manifest
from pipeline.store.progress import Progress


class Source(Protocol):
    """Delivers the files of one model."""

    @property
    def bytes_needed(self) -> int:
        """Room on the disk for the files and for everything temporary; 0 where unknown beforehand."""
        ...

    def fetch(
        self, into: Path, work: Path, progress: Progress, carried: Path | None = None
    ) -> manifest.Source:
        """Put every file into the empty folder `into`, checked; `work` is for what is temporary.

        `carried` is a folder of files brought by hand: then no network is touched. Returns what the manifest
        says about the source (revisions resolved). Raises FetchError, OSError for the disk.
        """
        ...
