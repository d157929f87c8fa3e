"""Models that the catalogue does not list, named by where they come from."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from pipeline.store.catalogue.catalogue import Catalogue, CatalogueEntry
from pipeline.store.errors import StoreError, UnknownModelError
from pipeline.store.manifest import HubSource, Kind, LocalSource, Manifest, finished_model, first_problem

CONFIG = "open_clip_config.json"
WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
"""As open_clip's own repositories call them, the safest format first."""
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
"""Of models that do not use CLIP's own tokenizer, which comes with open_clip."""
UNKNOWN_LICENCE = "see the source"


def is_spec(text: str) -> bool:
    """True if a name states the source of a model."""
    return ":" in text


def find_entry(
    name: str, catalogue: Catalogue, recorded: Callable[[str], Manifest | None], carried: Path | None
) -> tuple[CatalogueEntry, Path | None]:
    """Resolve a name, and the folder of files that were carried over, if any.

    In this order: the catalogue, a source, the finished model that was carried over, the installed one
    (`recorded`). Raises UnknownModelError, FetchError if the carried-over folder is broken.
    """
    if entry := catalogue.get(name):
        return entry, carried
    if is_spec(name):
        entry = entry_of(name)
        folder = Path(entry.source.folder) if isinstance(entry.source, LocalSource) else carried
        finished = finished_model(folder)
        return (entry_from(finished), folder) if finished else (entry, carried)
    known = finished_model(carried) or recorded(name)
    if known and known.name == name:
        return entry_from(known), carried
    return catalogue.require(name), carried


def entry_of(spec: str) -> CatalogueEntry:
    """`local-dir:FOLDER`, `hf-hub:OWNER/NAME[@REVISION]` or `open_clip:ARCHITECTURE/WEIGHTS` as an entry.

    Raises UnknownModelError if it is none of these.
    """
    schema, _, rest = spec.partition(":")
    makers = {"local-dir": _local, "hf-hub": _hub, "open_clip": _open_clip}
    if schema not in makers or not rest:
        raise UnknownModelError(
            f"{spec!r} is no source; write local-dir:FOLDER, hf-hub:OWNER/NAME or "
            "open_clip:ARCHITECTURE/WEIGHTS"
        )
    try:
        return makers[schema](rest)
    except ValidationError as error:
        raise UnknownModelError(f"{spec!r} cannot be used: {first_problem(error)}") from None


def entry_from(manifest: Manifest) -> CatalogueEntry:
    """The entry to fetch to get an installed model again."""
    return CatalogueEntry(
        name=manifest.name,
        kind=manifest.kind,
        summary="Added by hand.",
        licence=manifest.licence,
        source=manifest.source,
        files=() if manifest.conversion else manifest.files,
        prepare="openclip" if manifest.conversion else None,
        consent=manifest.consent,
    )


def _local(folder: str) -> CatalogueEntry:
    path = Path(folder).expanduser().absolute()
    return _image_text(path.name, LocalSource(folder=str(path)), f"From {path}.")


def _hub(rest: str) -> CatalogueEntry:
    repo, _, revision = rest.partition("@")
    source = HubSource(
        repo=repo, revision=revision or None, files=(CONFIG,), weights=WEIGHTS, optional=TOKENIZER
    )
    return _image_text(repo.rpartition("/")[2], source, f"From the hub's {repo}.")


def _open_clip(rest: str) -> CatalogueEntry:
    architecture, _, weights = rest.partition("/")
    try:
        # Imported here: it brings torch, which only this kind of source needs.
        import open_clip
    except ImportError:
        raise StoreError('open_clip is not installed; run `pip install "watchword[prepare]"`') from None
    known = open_clip.get_pretrained_cfg(architecture, weights)
    repo = str((known or {}).get("hf_hub", "")).strip("/")
    if not repo:
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "nothing"
        raise UnknownModelError(f"open_clip has no {weights!r} of {architecture!r} on the hub; it has {tags}")
    return _hub(repo).model_copy(update={"name": slug(f"{architecture}-{weights}")})


def _image_text(name: str, source: HubSource | LocalSource, summary: str) -> CatalogueEntry:
    return CatalogueEntry(
        name=slug(name),
        kind=Kind.IMAGE_TEXT,
        summary=summary,
        licence=UNKNOWN_LICENCE,
        source=source,
        prepare="openclip",
    )


def slug(text: str) -> str:
    """A name the store accepts."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:64]
