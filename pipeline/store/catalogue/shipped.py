"""The describers as the model store knows them: where their files come from, and what is made of them."""

from __future__ import annotations

from pipeline.store.catalogue.catalogue import CatalogueEntry, Figures
from pipeline.store.catalogue.vlms import VlmEntry, known_models
from pipeline.store.manifest import HubSource, Kind

PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.jinja", "tokenizer.model")
CONVERTED_PATTERNS = ("*.json", "*.xml", "*.bin", "*.txt", "*.jinja")


def store_entries() -> tuple[CatalogueEntry, ...]:
    """One entry a model, in the order of the list."""
    return tuple(map(_entry, known_models().values()))


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
    )
