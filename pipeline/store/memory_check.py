"""Checks that this machine has the memory for a model, before gigabytes are downloaded."""

from __future__ import annotations

from common.memory import RESERVE_BYTES, gigabytes
from pipeline.store.catalogue.catalogue import CatalogueEntry
from pipeline.store.catalogue.vlms import too_large
from pipeline.store.errors import TooLargeError


def require_memory(entry: CatalogueEntry, available: int, *, made_here: bool) -> None:
    """Raises TooLargeError if a model could not answer here or, with `made_here`, not be converted."""
    if entry.figures is None:
        return
    why = too_large(entry.name, entry.figures.answering, available)
    if why is None and made_here:
        why = _inconvertible(entry, available)
    if why:
        raise TooLargeError(f"{why}; nothing was fetched; to pull it all the same, add --anyway")


def costs(entry: CatalogueEntry) -> str:
    """The costs of a pull, in one line; empty if no figures are known."""
    figures = entry.figures
    if figures is None:
        return ""
    needed, meanwhile = conversion_bytes(entry), figures.download + figures.store
    conversion = (
        f"; converting it needs about {gigabytes(needed)} of memory and {gigabytes(meanwhile)} of disk"
        if needed
        else ""
    )
    return (
        f"{entry.name}: about {gigabytes(figures.download)} to fetch{conversion}; then "
        f"{gigabytes(figures.store)} in the store and {gigabytes(figures.answering)} of memory to answer"
    )


def conversion_bytes(entry: CatalogueEntry) -> int:
    """Memory a conversion takes; 0 if there is none."""
    return entry.figures.converting if entry.figures and entry.prepare else 0


def _inconvertible(entry: CatalogueEntry, available: int) -> str | None:
    needed = conversion_bytes(entry)
    if not needed or needed + RESERVE_BYTES <= available:
        return None
    return (
        f"converting {entry.name} needs about {gigabytes(needed)} of memory and "
        f"{gigabytes(RESERVE_BYTES)} must stay free, but only {gigabytes(available)} is available; pull it "
        "on a larger machine, carry the model's folder over and run "
        f"`watchword models pull {entry.name} --from FOLDER`"
    )
