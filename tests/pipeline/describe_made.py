"""Tiny trained vision-language models, made once and kept between test runs.

They lie in $WATCHWORD_TEST_CACHE, else ~/.cache/watchword-tests, under a name that depends on their recipe.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.pipeline import tiny_vlm

ROOT = Path(__file__).parents[2]
LONGEST_S = 900.0
PARTS = ("transformers", "optimum-intel", "openvino", "openvino-genai", "torch")


def cache() -> Path:
    """The folder of what tests keep."""
    return Path(os.environ.get("WATCHWORD_TEST_CACHE") or Path.home() / ".cache/watchword-tests")


def tiny(architecture: str) -> Path:
    """Folder with `torch/` and `openvino/`; takes a minute or two the first time. Skips without torch."""
    try:
        versions = [f"{part} {metadata.version(part)}" for part in PARTS]
    except metadata.PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed: run script/setup --prepare")
    recipe = Path(tiny_vlm.__file__).read_bytes() + " ".join(versions).encode()
    folder = cache() / f"tiny-{architecture}-{hashlib.sha256(recipe).hexdigest()[:12]}"
    if not (folder / "made.json").is_file():
        _make(architecture, folder)
    return folder


def _make(architecture: str, folder: Path) -> None:
    """In a place of its own first, so that nobody finds half a model."""
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    draft.mkdir(parents=True)
    command = ["nice", "-n", "10", sys.executable, "-m", "tests.pipeline.tiny_vlm", architecture, str(draft)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    try:
        draft.rename(folder)
    except OSError:
        assert (folder / "made.json").is_file()  # another run was faster
