"""The models on this machine: list, pull, verify, remove, and where their files are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from common.files import delete, replace_folder
from common.memory import available_bytes
from common.progress import Progress, SilentProgress
from pipeline.store import disk
from pipeline.store.catalogue.catalogue import Catalogue, CatalogueEntry
from pipeline.store.catalogue.naming import find_entry
from pipeline.store.errors import ConsentError, NotInstalledError
from pipeline.store.inspection import (
    ListedModel,
    StoreFinding,
    check_bytes,
    check_sizes,
    is_sound,
    listed,
    not_pinned,
)
from pipeline.store.installer import Installer, source_of
from pipeline.store.lock import exclusive
from pipeline.store.manifest import (
    MANIFEST_NAME,
    Manifest,
    ManifestError,
    finished_model,
    read_manifest,
)
from pipeline.store.memory_check import costs, require_memory
from pipeline.store.preparer import Converter
from pipeline.store.source import FetchJob, Source

LOCK_TIMEOUT_S = 900.0
"""Seconds a pull waits for another one of the same model."""


@dataclass(frozen=True, slots=True)
class PullOptions:
    """Options of a pull besides the name."""

    offline_dir: Path | None = None
    """Folder of files carried over by hand: then no network is touched."""
    consent: bool = False
    """The terms of a licence that asks for it are agreed to."""
    frames: Path | None = None
    """Video or folder of pictures from which a conversion may learn to compute in 8 bits."""
    anyway: bool = False
    """Pull it even if there is too little memory for it."""
    both: bool = False
    """Keep a describer's own weights beside the converted ones, so that both can be run and compared."""


class Store:
    """A folder with one folder a model; safe against kills, and against other processes."""

    def __init__(
        self,
        root: Path,
        catalogue: Catalogue,
        preparer: Converter,
        *,
        source_of: Callable[[CatalogueEntry], Source] = source_of,
        free_bytes: Callable[[Path], int] = disk.free_bytes,
        available: Callable[[], int] = available_bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        """`preparer` converts models whose entry asks for it; it may import its libraries late."""
        self.root = root
        self.catalogue = catalogue
        self._installer = Installer(source_of, preparer, now)
        self._free_bytes = free_bytes
        self._available = available
        self._lock_timeout_s = lock_timeout_s

    def require(self, name: str) -> None:
        """Raises UnknownModelError unless a model of this name is known or in the store."""
        self._known_place(name)

    def require_source(self, name: str, carried: Path | None = None) -> None:
        """Raises a StoreError unless `pull` knows this name, or finds it in the folder `carried`."""
        find_entry(name, self.catalogue, self._recorded, carried)

    def list(self) -> tuple[ListedModel, ...]:
        """Known models first, then those in the store that the catalogue does not know."""
        known = [entry.name for entry in self.catalogue]
        others = sorted(self._installed() - set(known))
        return tuple(listed(self.root / name, self.catalogue.get(name)) for name in (*known, *others))

    def path(self, name: str) -> Path:
        """The folder of a model whose files are all there, by size.

        Raises NotInstalledError or UnknownModelError.
        """
        place = self._installed_place(name)
        # The first defect is enough to refuse the model; `verify` lists them all.
        for finding in check_sizes(place):
            raise NotInstalledError(f"model {name!r}: {finding}")
        return place

    def manifest(self, name: str) -> Manifest:
        """The record of an installed model. Raises NotInstalledError or UnknownModelError."""
        return read_manifest(self.path(name))

    def pull(self, name: str, progress: Progress | None = None, options: PullOptions | None = None) -> Path:
        """Fetch a model unless it is here and sound; returns its folder, named after the model.

        `name` is one of the catalogue, one that is installed, or a source such as `local-dir:FOLDER`
        (see naming.py). Raises a StoreError; the store is then as it was.
        """
        options, progress = options or PullOptions(), progress or SilentProgress()
        entry, carried = find_entry(name, self.catalogue, self._recorded, options.offline_dir)
        place = self.root / entry.name
        with disk.store_faults(self.root):
            if self._is_all_there(place, entry, options):
                return place
            # Before the consent: a licence should not be accepted for a model that cannot run here.
            self._weigh(entry, carried, progress, options)
            if entry.consent and not options.consent:
                raise ConsentError(
                    f"{entry.name}: {entry.consent}; if you agree, run "
                    f"`watchword models pull {name} --accept-licence`"
                )
            self.root.mkdir(parents=True, exist_ok=True)
            with self._alone(entry.name, progress) as staging:
                if not self._is_all_there(place, entry, options):  # another process may have pulled it
                    self._pull(entry, staging, progress, replace(options, offline_dir=carried))
        return place

    def verify(self, name: str) -> tuple[StoreFinding, ...]:
        """Read every byte of an installed model; return its defects, empty if there are none.

        Pinned files are compared with the catalogue: the manifest may have been changed with them.
        """
        place = self._installed_place(name)
        return check_bytes(place) or not_pinned(place, self.catalogue.get(name))

    def remove(self, name: str) -> bool:
        """Delete a model from the store; False if it was not there."""
        place = self._known_place(name)
        with disk.store_faults(self.root):
            if not self.root.is_dir():
                return False
            with self._alone(name, SilentProgress()) as staging:
                # A half-finished download belongs to the model and would otherwise stay for ever.
                delete(self._keep(name))
                if not place.exists():
                    return False
                place.rename(staging)  # gone at once for everyone else, however long the deleting takes
        return True

    def _weigh(
        self, entry: CatalogueEntry, carried: Path | None, progress: Progress, options: PullOptions
    ) -> None:
        """Report the costs before anything is fetched. Raises TooLargeError if memory is too small."""
        made_here = finished_model(carried) is None
        if not options.anyway:
            require_memory(entry, self._available(), made_here=made_here)
        if made_here and (line := costs(entry)):
            progress.report(line)

    def _pull(self, entry: CatalogueEntry, staging: Path, progress: Progress, options: PullOptions) -> None:
        into, work, keep = staging / "files", staging / "work", self._keep(entry.name)
        into.mkdir(parents=True)
        work.mkdir()
        job = FetchJob(into, work, keep, progress, options.offline_dir, self._require_room, options.both)
        # On the disk when this returns: after a power failure a model is whole or absent.
        self._installer.fill(entry, job, options.frames)
        replace_folder(into, self.root / entry.name, staging / "old")
        delete(keep)

    def _is_all_there(self, place: Path, entry: CatalogueEntry, options: PullOptions) -> bool:
        """Sound, and in both forms if both are wanted and there are two."""
        if not is_sound(place, entry):
            return False
        return not (options.both and entry.prepare == "vlm") or any(place.glob("*.safetensors"))

    def _require_room(self, needed: int) -> None:
        disk.require_room(self.root, needed, self._free_bytes(self.root))

    # Kept between attempts, so that an interrupted download is resumed.
    def _keep(self, name: str) -> Path:
        return self.root / f".{name}.partial"

    @contextmanager
    def _alone(self, name: str, progress: Progress) -> Iterator[Path]:
        """Hold the model's lock; gives the name of a folder of our own, deleted before and after."""
        lock, staging = self.root / f".{name}.lock", self.root / f".{name}.pull"
        waiting = f"{name}: waiting for another process"
        with exclusive(lock, self._lock_timeout_s, lambda: progress.report(waiting)):
            # A pull that was killed has left its folder behind.
            delete(staging)
            try:
                yield staging
            finally:
                delete(staging)

    def _recorded(self, name: str) -> Manifest | None:
        try:
            return read_manifest(self.root / name) if name in self._installed() else None
        except ManifestError:
            return None

    def _installed_place(self, name: str) -> Path:
        place = self._known_place(name)
        if not (place / MANIFEST_NAME).is_file():
            what_to_do = f"run `watchword models pull {name}`"
            raise NotInstalledError(f"model {name!r} is not in {self.root}; {what_to_do}")
        return place

    def _known_place(self, name: str) -> Path:
        if name not in self._installed():
            self.catalogue.require(name)
        return self.root / name

    def _installed(self) -> set[str]:
        """Names of the folders with a manifest; nothing if the store is no folder."""
        found = (path.parent.name for path in self.root.glob(f"*/{MANIFEST_NAME}"))
        # Hidden folders belong to pulls that are under way.
        return {name for name in found if not name.startswith(".")}
