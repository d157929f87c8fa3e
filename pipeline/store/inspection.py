"""The state of a model in the store, and its defects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from common.files import sha256_of
from pipeline.store.catalogue.catalogue import CatalogueEntry, Figures
from pipeline.store.manifest import (
    MANIFEST_NAME,
    HubSource,
    Manifest,
    ManifestError,
    StoredFile,
    read_manifest,
)
from pipeline.store.recipe import TOOLS


class ModelState(StrEnum):
    """The state of a model in the store, by names and sizes; `verify` reads every byte."""

    READY = "ready"
    ABSENT = "not here"
    DAMAGED = "damaged"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One line of the list: a model that is known, installed or both."""

    name: str
    kind: str
    summary: str
    licence: str
    state: ModelState
    size: int
    """Bytes in the store, or those it would take; 0 if unknown."""
    figures: Figures | None = None
    default: bool = False


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """Something that is wrong with a model in the store."""

    model: str
    file: Path
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}; run `watchword models pull {self.model}`"


def check_sizes(place: Path) -> tuple[StoreFinding, ...]:
    """The defects of the model in a folder, by names and sizes."""
    return tuple(_findings(place, _size_problem))


def check_bytes(place: Path) -> tuple[StoreFinding, ...]:
    """The defects of the model in a folder, reading every byte."""
    return tuple(_findings(place, _read_problem))


def not_pinned(place: Path, entry: CatalogueEntry | None) -> tuple[StoreFinding, ...]:
    """That the model in a folder is another than the catalogue's; its manifest can be read."""
    if is_current(entry, read_manifest(place)):
        return ()
    return (StoreFinding(place.name, place, "is not what this version pins"),)


def is_sound(place: Path, entry: CatalogueEntry) -> bool:
    """True if the folder holds the pinned files of the catalogue, byte for byte."""
    try:
        manifest = read_manifest(place)
    except (ManifestError, OSError):
        return False
    return is_current(entry, manifest) and not check_bytes(place)


def is_current(entry: CatalogueEntry | None, manifest: Manifest) -> bool:
    """True if an installed model is the one that this version pins."""
    if entry is None:
        return True
    if entry.prepare and (manifest.conversion is None or manifest.conversion.tool != TOOLS[entry.prepare]):
        return False
    wanted, there = entry.source, manifest.source
    if isinstance(wanted, HubSource) and isinstance(there, HubSource):
        # The commit decides: in a manifest the names and hashes have been resolved, in the catalogue they may
        # not be.
        return wanted.revision in (None, there.revision)
    return wanted == there and entry.files in ((), manifest.files)


def listed(place: Path, entry: CatalogueEntry | None) -> ListedModel:
    """One line of the list; `entry` is None if the catalogue does not know the model."""
    try:
        manifest = read_manifest(place)
    except (ManifestError, OSError) as error:
        state = ModelState.DAMAGED if isinstance(error, ManifestError) else ModelState.ABSENT
        return _line(place.name, entry, entry, state)
    if check_sizes(place):
        return _line(place.name, entry, manifest, ModelState.DAMAGED)
    return _line(
        place.name, entry, manifest, ModelState.READY if is_current(entry, manifest) else ModelState.OUTDATED
    )


def _line(
    name: str, entry: CatalogueEntry | None, facts: CatalogueEntry | Manifest | None, state: ModelState
) -> ListedModel:
    summary = entry.summary if entry else ""
    if facts is None:
        return ListedModel(name, "?", summary, "?", state, 0)
    figures, default = (entry.figures, entry.default) if entry else (None, False)
    size = sum(file.size for file in facts.files) or (figures.store if figures else 0)
    return ListedModel(name, facts.kind, summary, facts.licence, state, size, figures, default)


def _findings(place: Path, problem_of: Callable[[Path, StoredFile], str]) -> Iterator[StoreFinding]:
    try:
        manifest = read_manifest(place)
    except (ManifestError, OSError) as error:
        problem = str(error) if isinstance(error, ManifestError) else "is missing"
        yield StoreFinding(place.name, place / MANIFEST_NAME, problem)
        return
    for file in manifest.files:
        if problem := problem_of(place / file.name, file):
            yield StoreFinding(place.name, place / file.name, problem)


def _size_problem(path: Path, wanted: StoredFile) -> str:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if size == wanted.size else f"has {size} bytes instead of {wanted.size}"


def _read_problem(path: Path, wanted: StoredFile) -> str:
    if problem := _size_problem(path, wanted):
        return problem
    try:
        same = sha256_of(path) == wanted.sha256
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if same else "has other bytes than those checked when it was pulled"
