"""Tiny vision-language models, made once and kept between test runs.

They lie in $WATCHWORD_TEST_CACHE, else ~/.cache/watchword-tests, under names that depend on their recipes.
What is missing is made two at a time, each in a process of its own; whoever finds another run at it waits.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.conversion import vlm
from tests.pipeline.description.vlm import chat_templates, tiny_architectures, tiny_learning, tiny_vlm

ROOT = Path(__file__).parents[4]
LONGEST_S = 900.0
PARTS = ("transformers", "optimum-intel", "openvino", "openvino-genai", "torch")
TRAINED = ("llava", "qwen2.5-vl")
ARCHITECTURES = ("smolvlm2-500m", "deepseek-vl-7b", "deepseek-vl-1.3b", "llama-3.2-11b-vision", "qwen3-vl-2b")
DONE = "made.json"
"""Stands in a folder that is complete."""


def cache() -> Path:
    """The folder of what tests keep."""
    return Path(os.environ.get("WATCHWORD_TEST_CACHE") or Path.home() / ".cache/watchword-tests")


def tiny(architecture: str) -> Path:
    """Folder with `torch/` and `openvino/`, trained; a minute or two the first time. Skips without torch."""
    recipe = _recipe(tiny_vlm.__file__)
    folders = {name: cache() / f"tiny-{name}-{recipe}" for name in TRAINED}
    _make_all({folder: ("tests.pipeline.description.vlm.tiny_vlm", name) for name, folder in folders.items()})
    return folders[architecture]


def architecture(name: str) -> Path:
    """Folder of transformers with a tiny model of that one's architecture, trained if it is in `LEARNT`.

    Skips without torch.
    """
    parts = (tiny_architectures, tiny_learning, chat_templates, tiny_vlm)
    recipe = _recipe(*(part.__file__ for part in parts))
    folders = {each: cache() / f"architecture-{each}-{recipe}" for each in ARCHITECTURES}
    _make_all(
        {
            folder: ("tests.pipeline.description.vlm.tiny_architectures", each)
            for each, folder in folders.items()
        }
    )
    return folders[name]


def converted(name: str) -> Path:
    """The same, as the model store converts it."""
    source = architecture(name)
    folder = cache() / f"converted-{source.name}-{_recipe(vlm.__file__, __file__)}"
    with _alone(folder):
        if not (folder / DONE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            vlm.export(source, folder, "int8", cache() / f"{folder.name}.log")
            (folder / DONE).write_text("{}", encoding="ascii")
    return folder


def _recipe(*files: str | None) -> str:
    """A short name of what is made from these sources with what is installed here."""
    try:
        versions = [f"{part} {metadata.version(part)}" for part in PARTS]
    except metadata.PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed: run script/setup --prepare")
    sources = b"".join(Path(file).read_bytes() for file in files if file)
    return hashlib.sha256(sources + " ".join(versions).encode()).hexdigest()[:12]


def _make_all(wanted: dict[Path, tuple[str, str]]) -> None:
    missing = [folder for folder in wanted if not (folder / DONE).is_file()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda folder: _make(folder, *wanted[folder]), missing))


def _make(folder: Path, module: str, name: str) -> None:
    with _alone(folder):
        if (folder / DONE).is_file():
            return  # another run made it while we waited
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = ["nice", "-n", "10", sys.executable, "-m", module, name, str(folder)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        if not (folder / DONE).is_file():
            (folder / DONE).write_text("{}", encoding="ascii")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process makes a folder at a time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
