"""The catalogue that comes with this version: `catalogue.toml`, then the describers of `vlms.toml`."""

from __future__ import annotations

from importlib import resources

from pipeline.store.catalogue.catalogue import Catalogue, CatalogueEntry, Figures, parse_catalogue
from pipeline.store.catalogue.vlms import VlmEntry, known_models
from pipeline.store.manifest import HubSource, Kind

PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.jinja", "tokenizer.model")
CONVERTED_PATTERNS = ("*.json", "*.xml", "*.bin", "*.txt", "*.jinja")


def shipped_catalogue() -> Catalogue:
    """All models known to this version, in order of preference. Raises StoreError if a file is broken."""
    text = resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return Catalogue((*parse_catalogue(text), *map(_entry, known_models().values())))


def _entry(model: VlmEntry) -> CatalogueEntry:
    source = HubSource(
        repo=model.converted or model.repo,
        revision=model.revision or None,
        files=("config.json",),
        patterns=CONVERTED_PATTERNS if model.converted else PATTERNS,
    )
    return CatalogueEntry(
        name=model.name,
        kind=Kind.DESCRIBER,
        summary=model.summary,
        licence=model.licence,
        source=source,
        prepare="vlm" if "openvino" in model.backends and not model.converted else None,
        consent=model.consent or None,
        figures=_figures(model),
        default=model.default,
    )


def _figures(model: VlmEntry) -> Figures:
    return Figures(
        download=round(model.download_gb * 1e9),
        store=round(model.store_gb[model.backends[0]] * 1e9),
        memory={backend: model.needs_bytes(backend) for backend in model.backends},
        languages=model.languages,
        converting=model.conversion_bytes,
    )
