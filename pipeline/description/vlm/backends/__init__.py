"""The generators of text, one module each behind the `Generator` seam; run in the child process only."""

from __future__ import annotations

from importlib import import_module

from pipeline.description.vlm.job import Generator, ModelLoadError, ModelSpec
from pipeline.store.catalogue.backends import BACKENDS


def load(spec: ModelSpec) -> Generator:
    """The generator that a spec names. Imports its libraries only now. Raises ModelLoadError."""
    if spec.backend not in BACKENDS:
        raise ModelLoadError(f"there is no backend {spec.backend!r}")
    generator: Generator = import_module(f"{__name__}.{BACKENDS[spec.backend].module}").load(spec)
    return generator
