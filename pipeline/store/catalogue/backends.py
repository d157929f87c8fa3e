"""The backends that generate descriptions: requirements of each, and the files it runs.

To add one: a module in pipeline/description/vlm/backends/ with `load(spec)`, a line in `BACKENDS`, and its
name in `describe.backend` (pipeline/settings.py). Nothing of a backend is imported before it is loaded, in a
process of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

OPENVINO_FILE = "openvino_language_model.xml"


@dataclass(frozen=True, slots=True)
class Backend:
    """One way to run a vision-language model."""

    module: str
    """Name of its module in pipeline/description/vlm/backends."""
    files: str = ""
    """Glob of the files in a model's folder that it runs; empty if it asks a server instead."""
    requires: str = ""
    """Package that must be installed."""

    @property
    def is_server(self) -> bool:
        """True if it sends pictures to a server and needs no files."""
        return not self.files

    def runs(self, folder: Path) -> bool:
        """True if a model's folder holds files for it."""
        return not self.is_server and any(folder.glob(self.files))


BACKENDS: Mapping[str, Backend] = {
    "openvino": Backend("openvino", files=OPENVINO_FILE, requires="openvino_genai"),
    "transformers": Backend("transformers", files="*.safetensors", requires="torch"),
    "openai": Backend("openai_server"),
}
"""By their name in `describe.backend`; the faster first."""


def _local(name: str) -> str:
    if name not in BACKENDS or BACKENDS[name].is_server:
        raise ValueError(f"no backend runs files under the name {name!r}")
    return name


LocalBackend = Annotated[str, AfterValidator(_local)]
"""Name of a backend that runs files."""


def backends_of(folder: Path) -> tuple[str, ...]:
    """The backends that run the files in a folder, the faster first; it may hold a model in several forms."""
    return tuple(name for name, backend in BACKENDS.items() if backend.runs(folder))
