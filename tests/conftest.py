"""What tests of every room may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon import paths


@pytest.fixture(scope="session")
def models() -> Path:
    """The model store of this machine, with the starter and the demo clip in it."""
    store = Path(paths.resolved({}, os.environ)["models"])
    if not (store / "starter").is_dir() or not (store / "demo").is_dir():
        pytest.skip(f"no starter or demo in {store}: run script/setup")
    return store


@pytest.fixture(scope="session")
def media() -> Path:
    """The folder of labelled pictures and videos."""
    folder = Path(os.environ.get("WATCHWORD_MEDIA") or Path(__file__).parents[2] / "shared/media")
    if not folder.is_dir():
        pytest.skip(f"no labelled media in {folder}: set WATCHWORD_MEDIA")
    return folder
