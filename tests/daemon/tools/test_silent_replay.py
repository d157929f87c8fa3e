"""Clips are decided upon without a describer; a replay's own describer ends with it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from daemon.cli.main import main
from daemon.config.settings import load
from daemon.tools.silent_replay import silent_replay
from daemon.wiring.detector import build_detector
from tests.daemon.living import own_cache

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Listens, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def url(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}/v1"


def children() -> set[int]:
    """Process ids of our own children that live."""
    pids: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            pids |= set(map(int, task.read_text().split()))
    return pids


def test_clips_are_evaluated_without_a_describer(
    tmp_path: Path, models: Path, short_street: Path, server: socket.socket
) -> None:
    values = {
        "paths.models": str(models),
        "paths.state": str(tmp_path),
        "describe.backend": "openai",
        "describe.model": "fake",
        "describe.server_url": url(server),
    }
    settings = load(None, {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(own_cache())}, values).settings
    detector, before = build_detector(settings), children()
    replay = silent_replay(settings, detector, short_street)
    events = replay.events
    assert len(replay.series.times_s) == events[-1].fields["assessed"]
    assert replay.camera is not None
    assert any(event.kind == "alert" for event in events)
    assert any(event.kind == "scene" for event in events)
    assert events[-1].fields["vlm_calls"] == 0
    assert children() == before
    with pytest.raises(BlockingIOError):
        server.accept()


def test_the_describer_of_a_replay_ends_with_it(
    tmp_path: Path,
    models: Path,
    short_street: Path,
    server: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WATCHWORD_PATHS__MODELS", str(models))
    monkeypatch.setenv("WATCHWORD_PATHS__STATE", str(tmp_path))
    monkeypatch.setenv("WATCHWORD_PATHS__CACHE", str(own_cache()))
    monkeypatch.setenv("WATCHWORD_DESCRIBE__BACKEND", "openai")
    monkeypatch.setenv("WATCHWORD_DESCRIBE__MODEL", "fake")
    monkeypatch.setenv("WATCHWORD_DESCRIBE__SERVER_URL", url(server))
    monkeypatch.setenv("WATCHWORD_DESCRIBE__DEADLINE_S", "1")
    monkeypatch.setenv("WATCHWORD_DESCRIBE__LOAD_S", "2")
    monkeypatch.chdir(tmp_path)
    before = children()
    assert main(["replay", str(short_street), "--events", "out.jsonl"]) == 0
    assert children() == before
