"""What tests of every room may ask for."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from daemon import paths
from tests.capture.servers import ffmpeg
from tests.daemon.living import own_cache, usual_priority

# How long an example takes says nothing on a machine that runs other tests beside it.
hypothesis.settings.register_profile("no-deadline", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("no-deadline")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: of two workers none is left alone with them at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Whatever a test sets up for logging ends with it: its stream is closed by then."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="module")
def usual_priorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Processes that step back for the daemon do not: beside other tests they would starve."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in usual_priority(tmp_path_factory.mktemp("usual")).items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def models() -> Path:
    """The model store of this machine, with the starter and the demo clip in it."""
    store = Path(paths.resolved({}, os.environ)["models"])
    if not (store / "starter").is_dir() or not (store / "demo").is_dir():
        pytest.skip(f"no starter or demo in {store}: run script/setup")
    return store


@pytest.fixture(scope="session")
def warm_cache() -> Path:
    """A cache folder of our own that is kept between tests and runs: words are encoded once."""
    return own_cache() / "watchword"


@pytest.fixture(scope="session")
def short_street(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first four seconds of the demo clip, as they are: some 100 frames, a cut at 1.2 s, then traffic."""
    clip = tmp_path_factory.mktemp("street") / "street.mp4"
    command = [
        ffmpeg(),
        "-v",
        "error",
        "-i",
        str(models / "demo/bikes.mp4"),
        "-t",
        "4",
        "-c",
        "copy",
        str(clip),
    ]
    subprocess.run(command, check=True, timeout=60)
    return clip


@pytest.fixture(scope="session")
def short_store(models: Path, short_street: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with the starter, and with the short street as its demo: one pass takes four seconds."""
    store = tmp_path_factory.mktemp("short") / "models"
    demo = store / "demo"
    demo.mkdir(parents=True)
    (store / "starter").symlink_to(models / "starter")
    clip = demo / "bikes.mp4"
    clip.symlink_to(short_street)
    manifest = json.loads((models / "demo/manifest.json").read_text())
    (file,) = manifest["files"]
    content = clip.read_bytes()
    file.update(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    (demo / "manifest.json").write_text(json.dumps(manifest))
    return store


@pytest.fixture(scope="session")
def media() -> Path:
    """The folder of labelled pictures and videos."""
    folder = Path(os.environ.get("WATCHWORD_MEDIA") or Path(__file__).parents[2] / "shared/media")
    if not folder.is_dir():
        pytest.skip(f"no labelled media in {folder}: set WATCHWORD_MEDIA")
    return folder
