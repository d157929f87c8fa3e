"""The models we know of, pinned."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import ValidationError, model_validator

from pipeline.store.errors import StoreError, UnknownModelError
from pipeline.store.manifest import (
    Kind,
    Name,
    Size,
    Source,
    StoredFile,
    Strict,
    Text,
    WheelSource,
    first_problem,
)


class Figures(Strict, frozen=True):
    """Estimated needs of a model in bytes, its backends and its languages."""

    download: Size
    """Bytes to download."""
    store: Size
    """Bytes in the store."""
    memory: dict[str, Size]
    """While it answers, by backend; the first is the one a pull makes it for."""
    languages: tuple[Text, ...]
    converting: Size = 0
    """Memory of its conversion; 0 if there is none."""

    @property
    def answering(self) -> int:
        """Memory while it answers, as a pull makes it."""
        return next(iter(self.memory.values()))


class CatalogueEntry(Strict, frozen=True):
    """One model of the catalogue: its kind, and the files that make it up."""

    name: Name
    kind: Kind
    summary: Text
    licence: Text
    source: Source
    files: tuple[StoredFile, ...] = ()
    """The pinned files in the store; empty if a conversion makes them."""
    prepare: Literal["openclip", "vlm"] | None = None
    """The conversion of the source's files into those in the store."""
    consent: Text | None = None
    """Terms that must be agreed to before it is fetched."""
    figures: Figures | None = None
    architecture: Text | None = None
    """open_clip's name of the network; `bench encoder` measures it with random weights."""
    default: bool = False
    """The model of its kind that the program recommends, and uses if the settings name none."""

    @model_validator(mode="after")
    def _wheel_members_are_pinned(self) -> Self:
        if isinstance(self.source, WheelSource):
            taken = [item.file for wheel in self.source.wheels for item in wheel.members]
            if sorted(taken) != sorted(file.name for file in self.files):
                raise ValueError("the members of the wheels and the pinned files differ")
        return self


class Catalogue:
    """Known models in order of preference."""

    def __init__(self, entries: tuple[CatalogueEntry, ...]) -> None:
        self._entries = {entry.name: entry for entry in entries}

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self._entries.values())

    def get(self, name: str) -> CatalogueEntry | None:
        return self._entries.get(name)

    def require(self, name: str) -> CatalogueEntry:
        """Raises UnknownModelError with the nearest name."""
        if entry := self.get(name):
            return entry
        near = difflib.get_close_matches(name, self._entries, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(self._entries)}"
        raise UnknownModelError(f"no model is called {name!r}; {hint}")


def parse_catalogue(text: str) -> Catalogue:
    """Read TOML with one table a model. Raises StoreError with the key that is wrong."""
    try:
        tables = tomllib.loads(text)
        return Catalogue(tuple(_entry(name, table) for name, table in tables.items()))
    except tomllib.TOMLDecodeError as error:
        raise StoreError(f"the catalogue of models is broken: {error}") from None


def _entry(name: str, table: object) -> CatalogueEntry:
    if not isinstance(table, Mapping):
        raise StoreError(f"the catalogue of models is broken: {name} is not a table")
    try:
        # Through JSON: strict models take a list for a tuple only from there.
        return CatalogueEntry.model_validate_json(json.dumps({"name": name, **table}, default=str))
    except ValidationError as error:
        raise StoreError(f"the catalogue of models is broken: {name}.{first_problem(error)}") from None
