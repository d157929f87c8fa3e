"""The vision-language models of the catalogue: needs, languages and sizes of each."""

from __future__ import annotations

import difflib
import json
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, Field

from common.memory import RESERVE_BYTES, gigabytes
from pipeline.store.catalogue.backends import LocalBackend

CONVERSION_BYTES_PER_WEIGHT = 3.0
"""Memory a conversion to 4 bits takes that is not a mapped file, over the number of weights.

Measured with random weights in true size: 2.6 with qwen3-vl-2b (published in 16 bits), 2.9 with tiny-llava
(in 32 bits).
"""


class VlmEntry(BaseModel, frozen=True, extra="forbid"):
    """One model; sizes in gigabytes (1e9 bytes)."""

    name: str
    repo: str
    revision: str
    converted: str
    licence: str
    languages: tuple[str, ...]
    backends: tuple[LocalBackend, ...] = Field(min_length=1)
    parameters_b: float
    download_gb: float
    store_gb: dict[LocalBackend, float]
    memory_gb: dict[LocalBackend, float]
    summary: str
    default: bool = False
    gated: bool = False
    square: bool = False
    """It looks at the middle square only."""
    consent: str = ""
    """Terms that must be agreed to before it is pulled."""
    template: str = ""
    """Prompt format, if the model brings none."""

    @property
    def conversion_bytes(self) -> int:
        """Memory while it is converted for openvino; 0 if it is not."""
        if "openvino" not in self.backends or self.converted:
            return 0
        return round(self.parameters_b * CONVERSION_BYTES_PER_WEIGHT * 1e9)

    def needs_bytes(self, backend: str) -> int:
        """Memory while it answers."""
        return round(self.memory_gb[backend] * 1e9)


@cache
def known_models() -> dict[str, VlmEntry]:
    """By name, best first."""
    text = resources.files(__package__).joinpath("vlms.toml").read_text("utf-8")
    return {
        name: VlmEntry.model_validate_json(json.dumps({"name": name, **table}))
        for name, table in tomllib.loads(text).items()
    }


def nearest(name: str) -> str:
    """A hint for a name we do not know."""
    near = difflib.get_close_matches(name, known_models(), n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known_models())}"


def too_large(name: str, needed: int, available: int) -> str | None:
    """Why a model cannot be held, with the figures; None if it can."""
    if needed + RESERVE_BYTES <= available:
        return None
    smaller = [
        entry.name for entry in known_models().values() if entry.needs_bytes(entry.backends[0]) < needed
    ]
    instead = f"; smaller are {', '.join(smaller)}" if smaller else ""
    return (
        f"{name} needs {gigabytes(needed)} of memory and {gigabytes(RESERVE_BYTES)} must stay free, "
        f"but only {gigabytes(available)} is available{instead}"
    )


def weight_bytes(folder: Path) -> int:
    """Size of the files of a model that we do not know; a lower bound of its needs."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
