"""Where the starter model's files are, for tests that need the real ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.models.starter.model import FILES


def starter_folder() -> Path:
    """`$WATCHWORD_STARTER`, else the store's own folder; skips loudly where neither holds the model."""
    default = Path.home() / ".local/share/watchword/models/starter"
    folder = Path(os.environ.get("WATCHWORD_STARTER", default))
    if not all((folder / name).is_file() for name in FILES):
        pytest.skip(f"STARTER MODEL MISSING in {folder}: run `watchword models pull starter`")
    return folder


def require_exact_products() -> None:
    """Skip loudly where the processor cannot add products of 8 bits without overflow."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    if not {"avx512_vnni", "avx_vnni", "amx_int8"} & set(flags):
        pytest.skip("NO VNNI ON THIS PROCESSOR: 8 bits are not exact here, and not used")
