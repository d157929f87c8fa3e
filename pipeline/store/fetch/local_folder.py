"""A model in a folder of this machine, as its training or another tool left it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.store.errors import FetchError
from pipeline.store.fetch.hub import describe
from pipeline.store.manifest import LocalSource
from pipeline.store.source import Fetched, FetchJob

ENDINGS = (".json", ".safetensors", ".bin", ".pth", ".pt", ".txt", ".model", ".xml")
"""The files of a model. Other files in the folder are ignored."""


@dataclass(frozen=True, slots=True)
class FolderFetcher:
    """A `Source` over a folder; nothing is copied before it is needed."""

    name: str
    source: LocalSource
    licence: str

    def fetch(self, job: FetchJob) -> Fetched:
        """The folder itself with its present files. Raises FetchError if it holds no model."""
        folder = job.carried or Path(self.source.folder)
        if not folder.is_dir():
            raise FetchError(f"{self.name}: {folder} is no folder")
        names = sorted(
            path.name for path in folder.iterdir() if path.suffix in ENDINGS and path.name[0] != "."
        )
        if not names:
            raise FetchError(f"{self.name}: {folder} holds no model")
        try:
            files = tuple(describe(folder, name, self.licence) for name in names)
        except OSError as error:
            raise FetchError(f"{self.name}: {error.filename} cannot be read: {error.strerror}") from None
        job.require_room(sum(file.size for file in files))
        return Fetched(self.source, folder, files)
