"""Clips are decided upon without a describer; a replay's own describer ends with it."""

from __future__ import annotations

import socket
import threading
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
PATIENCE_S = 60.0


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


def describers() -> set[int]:
    """Those of our children that are describers."""
    found = set()
    for pid in children():
        with suppress(OSError):
            if b"pipeline.description.vlm.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


def talk_to_describer(server: socket.socket) -> tuple[set[int], bytes]:
    """Accept a describer's connection and read until it is closed; the describers then, and its words."""
    server.settimeout(PATIENCE_S)
    link, _ = server.accept()
    with link:
        pids, words = describers(), b""
        link.settimeout(PATIENCE_S)
        with suppress(ConnectionResetError):
            while part := link.recv(65536):
                words += part
        return pids, words


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
    seen: list[tuple[set[int], bytes]] = []
    # A server that is silent keeps the describer busy, so that it lives when the replay ends.
    watching = threading.Thread(target=lambda: seen.append(talk_to_describer(server)))
    watching.start()
    assert main(["replay", str(short_street), "--events", "out.jsonl"]) == 0
    watching.join(PATIENCE_S)
    assert not watching.is_alive(), "its connection is open still"
    ((pids, request),) = seen
    assert len(pids) == 1, "no describer's process ran"
    assert request.startswith(b"POST /v1/"), request
    assert not pids & children()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
